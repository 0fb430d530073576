"""Places where the paper is offered: a poster, a talk, a form on another site."""

import re
from datetime import datetime

from app.core.db import Session
from app.core.errors import Conflict, InvalidInput
from app.core.text import is_clean
from app.store import placements

LONGEST_LABEL = 120
_CODE = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


async def create(session: Session, code: str, label: str, now: datetime) -> str:
    """Makes a placement and gives its code as it is kept. Raises InvalidInput or Conflict."""
    kept = code_of(code)
    if kept is None:
        raise InvalidInput(
            "A code is 1 to 40 letters (a to z), digits and dashes, and does not begin with a dash: spring-poster.",
            "code",
        )
    label = label.strip()
    if not 1 <= len(label) <= LONGEST_LABEL or not is_clean(label):
        raise InvalidInput(f"A label is one line of 1 to {LONGEST_LABEL} characters.", "label")
    if not await placements.add(session, kept, label, now):
        raise Conflict(f"There is a placement {kept} already. A code stands for one place: choose another.")
    return kept


def code_of(text: str) -> str | None:
    """A code in small letters, however it was typed; None where `text` cannot be one."""
    small = text.strip().lower()
    return small if _CODE.fullmatch(small) else None


def address_of(public_url: str, code: str = "", page: str = "/") -> str:
    """The address of a page that tells where its visitor came from; of the paper itself where `code` is empty."""
    if not code:
        return public_url if page == "/" else public_url + page
    return f"{public_url}{page}?src={code}"
