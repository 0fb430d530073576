"""How long a hand-over waits for answers, on the monotonic clock."""

import math

from app.core.clock import steady

SILENT_AFTER = 60.0
"""Seconds without any answer, while mail waits for a line, after which another provider has its turn."""
TAIL_AFTER = 5.0
"""Seconds that the last answers of a hand-over are waited for before others have their turn."""


class Patience:
    """When a provider that answers nothing has failed, and when the last answers keep nobody waiting any more."""

    def __init__(self) -> None:
        self._heard = steady()
        self._tail_since: float | None = None

    def heard(self) -> None:
        """An answer came, or nobody owes one."""
        self._heard = steady()

    def is_over(self, *, awaited: bool) -> bool:
        """Has nothing been heard for too long? `awaited`: all lines owe an answer, and mail waits for one of them."""
        if not awaited:
            self.heard()
        return steady() - self._heard > SILENT_AFTER

    def is_tail(self, *, last: bool) -> bool:
        """True once, when nothing but answers was to come for a while: `last` says that it is so now.

        A server may take ten minutes for an answer (RFC 5321, 4.5.3.2.6).
        """
        if not last:
            self._tail_since = None
        elif self._tail_since is None:
            self._tail_since = steady()
        elif steady() - self._tail_since > TAIL_AFTER:
            self._tail_since = math.inf
            return True
        return False
