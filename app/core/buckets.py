"""Token buckets in memory: each key may do `most` things at once, and as many again over `per`.

Only the instant at which a bucket will be full again is kept (the generic cell rate algorithm, ITU-T I.371), and no
more than `keys` of them: what was not touched longest is forgotten first.
"""

from collections import OrderedDict
from datetime import datetime, timedelta


class TokenBuckets:
    """One bucket a key, of one process. Not shared between processes, and empty of memory after a restart."""

    def __init__(self, most: int, per: timedelta, *, keys: int = 50_000) -> None:
        self._per = per.total_seconds()
        self._each = self._per / most
        self._keys = keys
        self._full_at: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._full_at)

    def wait(self, key: str, now: datetime) -> float:
        """Seconds until `key` has a token; 0 where it has one now. Takes nothing."""
        instant = now.timestamp()
        # Never more than one refill away, also where the clock was set back.
        owed = min(max(self._full_at.get(key, instant) - instant, 0.0), self._per)
        return max(owed + self._each - self._per, 0.0)

    def take(self, key: str, now: datetime) -> None:
        """Takes a token of `key`, which must have one."""
        instant = now.timestamp()
        full_at = min(max(self._full_at.get(key, instant), instant), instant + self._per)
        self._full_at[key] = full_at + self._each
        self._full_at.move_to_end(key)
        while len(self._full_at) > self._keys:
            self._full_at.popitem(last=False)
