"""The only place that reads wall time. Everything else is handed a `Clock` or an instant."""

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Gives the present instant, timezone-aware, in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's own wall clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class FixedClock:
    """A clock that stands still until it is moved; for previews and tests."""

    def __init__(self, at: datetime) -> None:
        self.move(at)

    def now(self) -> datetime:
        return self._at

    def move(self, to: datetime) -> None:
        if to.tzinfo is None:
            raise ValueError("a clock needs a timezone-aware instant")
        self._at = to.astimezone(UTC)
