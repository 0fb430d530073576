"""Holding an edition, whoever does it: the hold is counted, and the operators are owed a letter about it, once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.core.db import Session
from app.models import Edition
from app.store import editions, operator_mail

HELD = "held"
"""The letter that operators get."""
NEWS_FOR = timedelta(hours=24)


class Holder(StrEnum):
    """Who holds it; the letter says what to do accordingly."""

    PAPER = "paper"
    LINT = "lint"
    OPERATOR = "operator"
    OVERDUE = "overdue"
    """Its day passed before it was frozen."""
    APPROVAL = "approval"
    """Nobody: it is ready, and waits for an operator to approve it."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Why an edition is held, by whom, who is told, and the (id, headline) of stories that are proposed instead."""

    why: str
    by: Holder
    operators: Sequence[str] = ()
    proposed: Sequence[tuple[int, str]] = ()


async def hold(session: Session, edition: Edition, held: Hold, now: datetime) -> None:
    """Holds an edition as it was looked at. Raises Stale where its state or its version is another by now.

    A hold that is let go and comes again is another hold, and another letter.
    """
    number = await editions.hold(session, edition, held.why)
    await _tell(session, edition, held, f"{HELD}:{edition.id}:{number}", now)


async def wants_approval(session: Session, edition: Edition, operators: Sequence[str], now: datetime) -> None:
    """The operators are told that an edition waits for one of them, once for each content that it had."""
    why = "It is ready, and is not frozen before an operator approves it."
    topic = f"{HELD}:{edition.id}:{edition.content_hash[:24]}"
    await _tell(session, edition, Hold(why, Holder.APPROVAL, operators), topic, now)


async def _tell(session: Session, edition: Edition, held: Hold, topic: str, now: datetime) -> None:
    await operator_mail.owe(
        session,
        kind=HELD,
        topic=topic,
        addresses=list(dict.fromkeys(held.operators)),
        parameters={
            "edition": edition.id,
            "date": edition.date.isoformat(),
            "kind": edition.kind.value,
            "why": held.why,
            "by": held.by.value,
            "candidates": [list(one) for one in held.proposed],
        },
        now=now,
        until=now + NEWS_FOR,
    )
