"""How large the next group of a hand-over is. Pure."""

SMALLEST, LARGEST = 8, 256
"""Rows of a group. It follows the rate, so that a group lasts `GROUP_LASTS` and a crash leaves little unknown."""
GROUP_LASTS = 0.05
"""Seconds between two groups of a stream that flows; an outcome waits no longer for its transaction."""
STOCK = 5
"""So many such groups in one may lie ready where the ledger is slow: a quarter of a second's worth."""


class GroupSize:
    """As many as went out in `GROUP_LASTS`; from one group to the next at most twice as many, or half.

    Where somebody waited for a group, it doubles, up to `STOCK` of them: a transaction takes its time, and what goes
    out meanwhile is no more than what lay ready. Small groups would keep themselves small.
    """

    def __init__(self) -> None:
        self.rows = SMALLEST

    def learn(self, handed: int, seconds: float, *, waited: bool) -> None:
        """So many were handed over in the seconds since the last group; `waited`: and somebody had nothing to do."""
        pace = int(handed * GROUP_LASTS / max(seconds, 0.001))
        if waited:
            pace = max(pace, min(self.rows * 2, pace * STOCK))
        self.rows = min(max(pace, self.rows // 2, SMALLEST), self.rows * 2, LARGEST)
