"""The biggest movers of the week, worded for the front page. Pure."""

from dataclasses import dataclass

from app.core.language import joined, say
from app.models.content import Move, Mover, Movers
from app.stages.render.wording import Shift, day_and_month, gain, mover_shift, stamp

_MOST = 4


@dataclass(frozen=True, slots=True)
class MoverLine:
    """One mover, and its change of place where that is known."""

    name: str
    url: str
    shift: Shift
    detail: str

    @property
    def new(self) -> bool:
        return self.shift.kind is Move.NEW

    @property
    def down(self) -> bool:
        return self.shift.kind is Move.DOWN


@dataclass(frozen=True, slots=True)
class MoverList:
    """The movers that fit, and when they were counted."""

    lines: tuple[MoverLine, ...]
    stamp: str


def mover_list(movers: Movers | None) -> MoverList | None:
    """The first movers and one newcomer; None where nothing moved."""
    if movers is None or not (movers.rows or movers.new):
        return None
    newcomers = movers.new[:1]
    rows = (*movers.rows[: _MOST - len(newcomers)], *newcomers)
    counted: str = stamp(movers.as_of)
    if movers.measuring_since:
        since = day_and_month(movers.measuring_since)
        counted = say("measuring since {day}; {stamp}", day=since, stamp=counted)
    return MoverList(tuple(_line(row) for row in rows), counted)


def _line(mover: Mover) -> MoverLine:
    where: str
    if mover.new:
        where, shift = say("at {place}", place=mover.now), Shift(Move.NEW, say("NEW"), say("new"))
    elif mover.was is not None:
        where, shift = f"{mover.was} → {mover.now}", mover_shift(mover)
    else:
        where, shift = mover.site, mover_shift(mover)
    counted = gain(mover.gained, approximate=mover.approximate)
    parts = (where, joined((counted, mover.unit)) if counted else "")
    return MoverLine(mover.name, mover.url, shift, joined(parts, between=" · "))
