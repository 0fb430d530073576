"""The time zones a form offers: those of places, grouped by their part of the world."""

from functools import cache
from itertools import groupby
from zoneinfo import available_timezones

from app.core.calendar import zone_named
from app.core.language import say

_AREAS = {
    "Africa": say("Africa"),
    "America": say("America"),
    "Antarctica": say("Antarctica"),
    "Arctic": say("Arctic"),
    "Asia": say("Asia"),
    "Atlantic": say("Atlantic"),
    "Australia": say("Australia"),
    "Europe": say("Europe"),
    "Indian": say("Indian"),
    "Pacific": say("Pacific"),
}
"""The areas of IANA names, in words."""


@cache
def zones() -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Each area with its zones, as (IANA name, words): ("Europe/London", "London")."""
    names = sorted(name for name in available_timezones() if name.partition("/")[0] in _AREAS and zone_named(name))
    areas = [
        (_AREAS[area], tuple((name, place_of(name)) for name in of_area))
        for area, of_area in groupby(names, lambda name: name.partition("/")[0])
    ]
    return (*areas, (say("Everywhere"), (("UTC", "UTC"),)))


def place_of(name: str) -> str:
    """Buenos Aires, Argentina for America/Argentina/Buenos_Aires."""
    return ", ".join(reversed(name.replace("_", " ").split("/")[1:])) or name
