"""What anybody may see: the front page, sign-up, signed links, back numbers, health."""

from fastapi import APIRouter

from app.web.public import (
    altcha,
    charts,
    confirm,
    editions,
    embed,
    front,
    health,
    icon,
    moving,
    outbox,
    preferences,
    private,
    qr,
    subscribe,
    unsubscribe,
)

router = APIRouter()
for room in (
    front,
    subscribe,
    embed,
    altcha,
    confirm,
    preferences,
    private,
    moving,
    unsubscribe,
    editions,
    charts,
    qr,
    icon,
    health,
    outbox,
):
    router.include_router(room.router)
