"""What an editor should see before a reader does. Pure.

The newsletter needs no verdict on why a figure is odd, and prints none: the cause may be an event, a campaign or
anything else. A held row is on no chart until an editor allows it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise

from app.models.counts import Ruling
from app.stages.collect.measure import Facts, Measured
from app.stages.collect.series import forks_gained

DRIVE_LEAST, DRIVE_FORKS = 1_000, 0.015
"""Of 2,278 weeks with 1,000 new stars or more, 32 had fewer than 15 forks to a thousand stars; 120 are usual."""
TWINS = 0.02
"""Two gains that lie closer together than that are nearly equal."""


def remarks(things: Sequence[Measured], facts: Facts) -> Mapping[str, str]:
    """Why each held thing is held, by external id. What an editor allowed is not held; what is blocked is."""
    found: dict[str, str] = {}
    twins = _twins(things)
    for one in things:
        key = one.row.external_id
        ruling = facts.rulings.get(key)
        if ruling is Ruling.ALLOW:
            continue
        if said := "blocked by an editor" if ruling is Ruling.BLOCK else _odd(one) or twins.get(key, ""):
            found[key] = said
    return found


def _odd(one: Measured) -> str:
    gained = one.row.gained or 0
    if one.row.confirmed is False:
        return f"we counted {gained:,} more in a week, and the source's own history does not bear it out"
    forks = _forks(one)
    if gained >= DRIVE_LEAST and forks is not None and forks < DRIVE_FORKS * gained:
        return f"{gained:,} stars came with {max(0, forks):,} forks; 120 for every thousand are usual"
    return ""


def _forks(one: Measured) -> int | None:
    if one.row.gained == one.row.count:  # all it has came in this week, and so did its forks
        return one.row.forks
    return forks_gained(one.points)


def _twins(things: Sequence[Measured]) -> Mapping[str, str]:
    """Two of one owner with large and nearly equal gains."""
    owners: dict[str, list[Measured]] = defaultdict(list)
    for one in things:
        if (one.row.gained or 0) >= DRIVE_LEAST and "/" in one.row.name:
            owners[one.row.name.partition("/")[0].lower()].append(one)
    found: dict[str, str] = {}
    for several in owners.values():
        ordered = sorted(several, key=lambda one: (one.row.gained or 0, one.row.name))
        for less, more in pairwise(ordered):
            small, large = less.row.gained or 0, more.row.gained or 0
            if large - small <= TWINS * large:
                for one, other in ((less, more), (more, less)):
                    found[one.row.external_id] = (
                        f"{one.row.gained or 0:,} stars came within a week of {other.row.gained or 0:,} "
                        f"for {other.row.name}"
                    )
    return found
