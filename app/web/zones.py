"""The time zones a form offers: those of places, grouped by their part of the world."""

from functools import cache
from itertools import groupby
from zoneinfo import available_timezones

from app.core.calendar import zone_named

_AREAS = frozenset(
    {
        "Africa",
        "America",
        "Antarctica",
        "Arctic",
        "Asia",
        "Atlantic",
        "Australia",
        "Europe",
        "Indian",
        "Pacific",
    }
)


@cache
def zones() -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """Each area with its zones, as (IANA name, words): ("Europe/London", "London")."""
    names = sorted(name for name in available_timezones() if name.partition("/")[0] in _AREAS and zone_named(name))
    areas = [
        (area, tuple((name, place_of(name)) for name in of_area))
        for area, of_area in groupby(names, lambda name: name.partition("/")[0])
    ]
    return (*areas, ("Everywhere", (("UTC", "UTC"),)))


def place_of(name: str) -> str:
    """Buenos Aires, Argentina for America/Argentina/Buenos_Aires."""
    return ", ".join(reversed(name.replace("_", " ").split("/")[1:])) or name
