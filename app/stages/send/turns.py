"""Which readers an edition is for, where a date has two: a weekly, and the daily in its place. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from app.models import Edition
from app.models.content import EditionKind
from app.models.states import EditionStatus, Frequency
from app.stages.send.mornings import frequencies_of

WAITED_FOR = timedelta(hours=1)
"""So long the daily leaves weekly readers to a weekly that may be frozen at any moment."""
_FROZEN = (
    EditionStatus.FROZEN,
    EditionStatus.SENDING,
    EditionStatus.PAUSED,
    EditionStatus.SENT,
    EditionStatus.PARTIALLY_SENT,
)

Approval = Literal["auto", "manual"]


def readers_of(
    edition: Edition, of_date: Iterable[Edition], approval: Approval, begins: datetime, now: datetime
) -> frozenset[Frequency]:
    """The frequencies that `edition` goes to at `now`, beside the other editions of its date.

    A weekly goes to weekly readers alone. The daily goes to them too on a Saturday on which no weekly stands.
    `begins` is when the date's window does.
    """
    if edition.kind is EditionKind.WEEKLY:
        return frozenset({Frequency.WEEKLY})
    weeklies = [one for one in of_date if one.kind is EditionKind.WEEKLY]
    if any(_stands(one, approval, begins, now) for one in weeklies):
        return frequencies_of(edition.date) - {Frequency.WEEKLY}
    return frequencies_of(edition.date)


def _stands(weekly: Edition, approval: Approval, begins: datetime, now: datetime) -> bool:
    """Is it frozen, or about to be? One that is absent, held, cancelled or not approved does not stand."""
    if weekly.status in _FROZEN:
        return True
    if weekly.status is not EditionStatus.READY or (approval == "manual" and weekly.approved_at is None):
        return False
    return now < max(begins, weekly.approved_at or weekly.composed_at) + WAITED_FOR
