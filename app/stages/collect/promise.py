"""Which repositories are worth asking GitHub about in full, where only a few may be asked. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from app.models.counts import Basis, Row
from app.stages.collect.harvest import Before
from app.stages.collect.series import near_week_ago

_AGAIN = 10
"""How many of those already known today are asked again: the ones that will be printed."""
_UNDATED = datetime(2015, 1, 1, tzinfo=UTC)


def most_promising(rows: Sequence[Row], before: Before, now: datetime, most: int) -> tuple[Row, ...]:
    """At most `most` rows: today's highest gains so far, then those likely to have gained most that week.

    What is likely is told by our own counts of a week ago or, without them, by the pace of its whole life: a young
    repository with many stars rises faster than a famous old one.
    """
    ranked = sorted(rows, key=lambda row: (-_likely(row, before, now), row.name))
    told = [row for row in ranked if _told_today(row, before)]
    told.sort(key=lambda row: (-(before.today[row.external_id].gained or 0), row.name))
    again = told[:_AGAIN]
    untold = [row for row in ranked if not _told_today(row, before)]
    return tuple([*again, *untold, *told[_AGAIN:]][:most])


def _told_today(row: Row, before: Before) -> bool:
    earlier = before.today.get(row.external_id)
    return earlier is not None and (earlier.basis is Basis.HISTORY or earlier.usual is not None)


def _likely(row: Row, before: Before, now: datetime) -> float:
    """Stars a week."""
    then = near_week_ago(before.series.get(row.external_id, ()), now)
    if then is not None:
        return float(row.count - then.count)
    age = max(timedelta(days=7), now - (row.created_at or _UNDATED))
    return row.count * (timedelta(days=7) / age)
