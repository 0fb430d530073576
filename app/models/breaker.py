"""When a source or a provider that fails is left alone, and when a source that answers has gone quiet. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LONGEST = timedelta(hours=24)
"""Of a wait that is asked for, so much is kept."""
_QUIET_GAPS, _QUIET_AT_LEAST = 4, timedelta(days=4)
"""A feed of working days is silent over a long weekend, and arXiv's is empty on Saturday and Sunday: both are well."""


class Breaker(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    """Not asked until a moment that is set."""
    HALF_OPEN = "half_open"
    """That moment has come: the next answer decides."""


def state(failures: int, open_until: datetime | None, now: datetime) -> Breaker:
    """Where the breaker stands."""
    if open_until is None:
        return Breaker.CLOSED
    if now < open_until:
        return Breaker.OPEN
    return Breaker.HALF_OPEN if failures else Breaker.CLOSED


@dataclass(frozen=True, slots=True)
class Patience:
    """How long something is left alone: `first` after `trips_at` failures in a row, then doubled up to `longest`."""

    trips_at: int
    first: timedelta
    longest: timedelta


OF_SOURCES = Patience(3, timedelta(hours=1), timedelta(hours=4))
OF_PROVIDERS = Patience(1, timedelta(minutes=1), timedelta(minutes=5))
"""One failure is many already: a provider fails when no connection to it works. A paper cannot wait for long."""


def opened_until(
    failures: int, retry_after: float | None, now: datetime, patience: Patience = OF_SOURCES
) -> datetime | None:
    """After `failures` in a row: until when to leave it alone; None: ask again at the usual time.

    A wait that it asked for itself (RFC 9110 section 10.2.3) is kept from the first time on.
    """
    asked = now + min(timedelta(seconds=retry_after), LONGEST) if retry_after else None
    if failures < patience.trips_at:
        return asked
    ours = now + min(patience.first * (1 << min(failures - patience.trips_at, 10)), patience.longest)
    return max(ours, asked or ours)


def quiet(data_at: datetime | None, usual_gap: float | None, now: datetime) -> bool:
    """Whether the newest of a source is older than its habit explains; `usual_gap` is in seconds."""
    if data_at is None:
        return False
    allowed = max(_QUIET_AT_LEAST, timedelta(seconds=_QUIET_GAPS * (usual_gap or 0.0)))
    return now - data_at > allowed
