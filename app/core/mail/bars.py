"""A mailbox provider that slows us down: for how long it is left alone, and how it is come back to. Pure.

Instants are those of `tokens`. The way back is TCP's slow start (RFC 5681), as Postfix has it for its destinations:
little at first, and twice as much for as long as nobody objects.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from app.core.mail.tokens import SECOND

BARRED_FOR = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 20, 30))
"""How long a mailbox provider that slows us down is left alone, the first time and each time after."""
BARS_COUNT_FOR = 15 * 60 * SECOND
"""So long after a bar has ended the next one is the second in a row."""
FIRST_PART, SLOWEST_START = 1 / 8, 1.0
"""After a bar a group begins with this part of its rate, and not below so many messages a second."""
START_WITHOUT_RATE = 5.0
"""Messages a second that a group without a rate begins with."""
QUIET = 60 * SECOND
"""After each time as long as this without another bar it is twice as much."""
BACK_AFTER = 5 * QUIET
"""From then on every group has its rate again, and one without has none."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A mailbox provider slows us down: nothing is begun for it until then, on the database's clock."""

    until: int = 0
    times: int = 0
    """How often in a row."""


def bar(bar_: Bar, after: timedelta | None, now: int) -> Bar:
    """Bars for `after`, or for longer each time. Many messages are told at once, and count as one."""
    if now < bar_.until:
        asked = now + int(after.total_seconds() * SECOND) if after else 0
        return replace(bar_, until=max(bar_.until, asked))
    times = bar_.times + 1 if now < bar_.until + BARS_COUNT_FOR else 1
    lasts = after or BARRED_FOR[min(times, len(BARRED_FOR)) - 1]
    return Bar(now + int(lasts.total_seconds() * SECOND), times)


def pace(rate: float | None, since: int) -> float | None:
    """Messages a second to a group whose bar ended `since` microseconds ago, and whose limit is `rate`; None: no limit.

    While the bar is on, as at its end.
    """
    if since >= BACK_AFTER:
        return rate
    doubled = 2.0 ** (max(since, 0) // QUIET)
    if rate is None:
        return START_WITHOUT_RATE * doubled
    return min(rate, max(rate * FIRST_PART, SLOWEST_START) * doubled)
