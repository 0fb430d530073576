"""A fresh challenge for the proof of work that a sign-up needs where MORNINGPOST_ALTCHA is on."""

from typing import Any

from fastapi import APIRouter

from app.core.errors import NotFound
from app.stages.audience.proof import FIELD
from app.web.deps import ContainerDep, Now

router = APIRouter(tags=["readers"])


@router.get(
    f"/{FIELD}",
    summary="A challenge to be solved before signing up",
    description="Solve it with an ALTCHA library (`PBKDF2/SHA-256`) and send the base64 of "
    '`{"challenge": …, "solution": …}` as `altcha` to `/subscribe`. It lasts ten minutes and serves one sign-up. '
    "404 where sign-ups need no proof of work.",
    responses={404: {"description": "Sign-ups need no proof of work"}},
)
async def challenge(container: ContainerDep, now: Now) -> dict[str, Any]:
    if container.proofs is None:
        raise NotFound("Signing up needs no proof of work here.")
    return container.proofs.challenge(now)
