"""A fault of ours with a provider: the operators are owed a letter about it, once a day for each fault."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.core.db import Session
from app.models import Edition
from app.store import operator_mail

FAULT = "fault"
"""The letter that operators get."""
NEWS_FOR = timedelta(hours=24)
_LONGEST_TOPIC = 64


async def tell(
    session: Session,
    *,
    provider: str,
    why: str,
    code: str,
    operators: Sequence[str],
    now: datetime,
    edition: Edition | None = None,
    instead: str | None = None,
) -> None:
    """Writes down that each operator is told.

    `edition` is the one that was paused for it, `instead` the provider that carries on.
    """
    whose = edition.id if edition else "instead" if instead else "post"
    await operator_mail.owe(
        session,
        kind=FAULT,
        topic=f"{FAULT}:{whose}:{now:%Y%m%d}:{code[:20]}:{provider}"[:_LONGEST_TOPIC],
        addresses=list(dict.fromkeys(operators)),
        parameters={
            "provider": provider,
            "instead": instead,
            "why": why,
            "edition": edition.id if edition else None,
            "date": edition.date.isoformat() if edition else None,
            "kind": edition.kind.value if edition else None,
        },
        now=now,
        until=now + NEWS_FOR,
    )
