"""How long a collection may take, and what time it is while it runs."""

from datetime import datetime, timedelta
from time import monotonic


class Deadline:
    """`seconds` from now on; `now` is the wall time at the start, told by the caller's clock."""

    def __init__(self, seconds: float, now: datetime) -> None:
        self._began = monotonic()
        self._ends = self._began + seconds
        self._now = now

    @property
    def left(self) -> float:
        """Seconds left; 0 when it is over."""
        return max(0.0, self._ends - monotonic())

    @property
    def now(self) -> datetime:
        """The wall time, by monotonic time since the start."""
        return self._now + timedelta(seconds=monotonic() - self._began)

    def share(self, part: float) -> "Deadline":
        """An earlier deadline after `part` (0 to 1) of what is left."""
        return Deadline(self.left * part, self.now)
