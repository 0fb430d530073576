"""Which repositories are worth asking GitHub about in full, where only a few may be asked. Pure."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from app.models.counts import Asked, Row
from app.stages.collect.harvest import Before
from app.stages.collect.measure import Counted, Facts
from app.stages.collect.movers import surprise
from app.stages.collect.ranking import by_gain
from app.stages.collect.series import WEEK, near_week_ago

CHARTED, MOVING = 8, 12
"""How many of the chart and of the movers are confirmed: a few more than are printed, for those that are held."""
AGAIN = timedelta(hours=6)
"""A history confirms what is printed for that long."""
ANEW = timedelta(days=7)
"""A repository that still lacks a week is asked about again after that."""
A_RUN, A_RUN_WITH_TOKEN = 28, 120
AN_HOUR, AN_HOUR_WITH_TOKEN = 56, 4_000
"""Calls of the kind that GitHub counts by the hour: 60 and 5,000 are allowed, and the morning has two runs in one."""
HISTORY, REPOSITORY = "history:", "repository:"
REFRESHED = 6
"""Repositories of the chart that are counted by number without a token, where no search named them today."""
_UNDATED = datetime(2015, 1, 1, tzinfo=UTC)


def calls_left(asked: Mapping[str, Asked], now: datetime, *, token: bool) -> int:
    """How many calls a run may make."""
    hour = sum(
        subject.startswith((HISTORY, REPOSITORY)) and now - one.at < timedelta(hours=1)
        for subject, one in asked.items()
    )
    run, most = (A_RUN_WITH_TOKEN, AN_HOUR_WITH_TOKEN) if token else (A_RUN, AN_HOUR)
    return max(0, min(run, most - hour))


def printable(things: Sequence[Counted], facts: Facts) -> Sequence[Row]:
    """The rows that may be printed: the first of the chart, then those of the greatest surprise."""
    ranked = [row for row in by_gain(things, facts).rows if row.rank is not None]
    moving = [row for row in ranked if surprise(row) is not None and not row.remark]
    moving.sort(key=lambda row: (-(surprise(row) or 0), row.name))
    return list({row.external_id: row for row in [*ranked[:CHARTED], *moving[:MOVING]]}.values())


def most_promising(things: Sequence[Counted], facts: Facts, asked: Mapping[str, Asked], most: int) -> Sequence[Row]:
    """At most `most` rows whose history to ask for: those to be printed, then those whose week is not known yet.

    Of the latter the likely risers first. What is likely is told by our own counts of a week ago or, without them,
    by the pace of its whole life: a young repository with many stars rises faster than a famous old one.
    """
    first = [row for row in printable(things, facts) if _may_ask(row, asked, facts.at, AGAIN)]
    chosen = {row.external_id for row in first}
    others = [
        one
        for one in things
        if one.row.external_id not in chosen and _lacks(one, facts.at) and _may_ask(one.row, asked, facts.at, ANEW)
    ]
    others.sort(key=lambda one: (-_likely(one, facts.at), one.row.name))
    return [*first, *(one.row for one in others)][:most]


def unseen(before: Before, seen: Mapping[str, Row], now: datetime, most: int) -> Sequence[str]:
    """External ids of the newest chart that no search named today, and that were not counted yet: the highest first."""
    waiting = [
        row
        for key, row in before.charted.items()
        if row.rank is not None
        and key not in seen
        and key in before.things
        and before.things[key].last_day < now.date()
        and before.things[key].closed_on is None
    ]
    return [row.external_id for row in sorted(waiting, key=lambda row: (row.rank or 0, row.name))][:most]


def _lacks(one: Counted, now: datetime) -> bool:
    """Whether our counts do not reach back far enough for a usual week."""
    young = one.row.created_at is not None and now - one.row.created_at <= WEEK
    return not young and (not one.points or one.points[0].at > now - 3 * WEEK)


def _may_ask(row: Row, asked: Mapping[str, Asked], now: datetime, again: timedelta) -> bool:
    last = asked.get(HISTORY + row.external_id)
    return last is None or now - last.at >= again


def _likely(one: Counted, now: datetime) -> float:
    """Stars a week."""
    then = near_week_ago(one.points, now)
    if then is not None:
        return float(one.row.count - then.count)
    age = max(timedelta(days=7), now - (one.row.created_at or _UNDATED))
    return one.row.count * (timedelta(days=7) / age)
