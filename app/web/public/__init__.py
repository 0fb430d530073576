"""What anybody may see: the front page, sign-up, signed links, back numbers, health."""

from fastapi import APIRouter

from app.web.public import (
    altcha,
    back_number,
    charts,
    confirm,
    editions,
    embed,
    feed,
    front,
    health,
    how_we_count,
    icon,
    metrics,
    moving,
    outbox,
    preferences,
    private,
    qr,
    sitemap,
    subscribe,
    unsubscribe,
)

router = APIRouter()
_ROOMS = (
    front, subscribe, embed, altcha, confirm, preferences, private, moving, unsubscribe,
    editions, back_number, feed, sitemap, how_we_count, charts, qr, icon, health, metrics, outbox,
)  # fmt: skip
for room in _ROOMS:
    router.include_router(room.router)
