"""How large the next group of a hand-over is. Pure."""

SMALLEST, LARGEST = 8, 256
"""Rows of a group. It follows the rate, so that a group lasts `GROUP_LASTS` and a crash leaves little unknown."""
FIRST_FAR, LARGEST_FAR = 64, 1024
"""For a database that may be on another machine: over a long way small groups would be the whole of the rate."""
GROUP_LASTS = 0.05
"""Seconds between two groups of a stream that flows; an outcome waits no longer for its transaction to begin."""

LONG = 0.2
"""Seconds of a transaction, as of three round trips over half of the globe."""


class GroupSize:
    """As many as go out in `GROUP_LASTS` and twice the time of a transaction.

    The next group is begun when half of this one is left, and that must last until it is committed, however far away
    the database is. Where it does not, more went out in less time than was planned for, and the next is larger: from
    one group to the next at most twice as many, or half; four times as many while somebody waits, and sixteen times
    where a transaction takes so long that a few small groups would be seconds.
    """

    def __init__(self, largest: int = LARGEST, first: int = 0) -> None:
        self.rows = first or SMALLEST
        self.largest = largest
        self.lasts = GROUP_LASTS
        """Seconds that a group shall last."""

    def learn(self, handed: int, seconds: float, took: float, *, waited: bool = False) -> None:
        """So many were handed over in the seconds since the last group, whose transaction took `took` seconds.

        `waited`: somebody had nothing to do meanwhile, so that it might have been twice as many.
        """
        self.lasts = GROUP_LASTS + 2 * took
        more = 1 if not waited else 8 if took >= LONG else 2
        pace = int(more * handed * self.lasts / max(seconds, 0.001))
        self.rows = min(max(pace, self.rows // 2, SMALLEST), self.rows * 2 * more, self.largest)
