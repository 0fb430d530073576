"""The pictures that mails show. Each is the same for every reader, so that none of them says who has opened one."""

import re
from typing import Annotated

from fastapi import APIRouter, Path, Response

from app.core.errors import NotFound
from app.store import pictures
from app.web.deps import ReadSession

_NAME = re.compile("[0-9a-f]{32}")

router = APIRouter(include_in_schema=False)

# A name is the hash of what it names, so it never means anything else.
_FOR_GOOD = {"cache-control": "public, max-age=31536000, immutable"}


@router.api_route("/charts/{name}.png", methods=["GET", "HEAD"])
async def chart(session: ReadSession, name: Annotated[str, Path()]) -> Response:
    found = await pictures.find(session, name) if _NAME.fullmatch(name) else None
    if found is None:
        raise NotFound("There is no such picture.")
    return Response(found, media_type="image/png", headers=_FOR_GOOD)
