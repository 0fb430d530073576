"""How a counted thing stands: against last week, and by what earlier editions and other sources say of it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from app.models.content import Move
from app.models.counts import Row, TrendSource
from app.stages.compose.why import Reason
from app.store.listings import Memory

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Past:
    """What is known beside the counts, by the things' refs: what earlier editions say, and why something moves."""

    day: date
    """The edition's date."""
    listed: Mapping[str, Memory] = field(default_factory=dict)
    reasons: Mapping[str, Reason] = field(default_factory=dict)


def told(source: TrendSource, row: Row, ref: str, past: Past, *, stale: bool) -> dict[str, Any]:
    """The fields of `Counted`, but for the re-entry."""
    memory, reason = past.listed.get(ref, Memory()), past.reasons.get(ref)
    renamed = bool(memory.name) and memory.name.casefold() != row.name.casefold()
    return {
        "ref": ref,
        "spark": row.spark,
        "days_on_chart": None if stale or row.rank is None else memory.charted + 1,
        "listed": memory.printed,
        "listed_since": memory.printed_since,
        "why": reason.text if reason else "",
        "why_url": reason.url if reason else "",
        "renamed_from": named(source, replace(row, name=memory.name))[0] if renamed else "",
        "basis": row.basis,
    }


def reentry(row: Row, ref: str, past: Past) -> bool:
    """Not on the chart of a week ago, but on that of an edition before it."""
    since = past.listed.get(ref, Memory()).charted_since
    return row.new and since is not None and since <= past.day - WEEK


def move_of(row: Row) -> tuple[Move, int]:
    """Which way it went since last week's chart, and by how many places."""
    if row.new:
        return Move.NEW, 0
    if row.was is None or row.rank is None:
        return Move.UNKNOWN, 0
    places = row.was - row.rank
    return Move.UP if places > 0 else Move.DOWN if places < 0 else Move.SAME, abs(places)


def named(source: TrendSource, row: Row) -> tuple[str, str]:
    """A model goes by its own name, with its owner in the detail; a repository by both."""
    owner, slash, name = row.name.partition("/")
    if source is TrendSource.GITHUB or not slash:
        return row.name, row.detail
    return name, " · ".join(part for part in (owner, row.detail) if part)


def multiple(row: Row) -> float | None:
    """This week over the usual one, both moved up by 10 so that small weeks make no large multiple."""
    if row.gained is None or not row.usual:
        return None
    return round((row.gained + 10) / (row.usual + 10), 1)
