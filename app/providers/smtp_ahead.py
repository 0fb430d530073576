"""How many messages one wire should have in its hands. No waiting in here."""

AHEAD, AHEAD_IN_ALL = 16, 128
"""At most so many on one wire, and on all wires to a server; but one each."""
WITHIN = 0.5
"""Seconds. A wire asks for no more than it carries in that time: what is in hand when a worker dies is in doubt, and
who waits for the wire waits until all of it is carried."""
_SMOOTH = 8


def share(connections: int) -> int:
    """What one of so many connections may have in its hands."""
    return max(1, min(AHEAD, AHEAD_IN_ALL // connections))


class Ahead:
    """Learns from each end how many the wire carries in `WITHIN`: one more where it is quick, half where it is not."""

    def __init__(self, most: int = AHEAD) -> None:
        self.count = 1
        self._most = most
        self._gap = self._last = 0.0

    def learn(self, begun: float, ended: float) -> None:
        """A message was begun and decided at these instants."""
        self._gap += (ended - max(self._last, begun) - self._gap) / _SMOOTH
        self._last = ended
        quick = ended - begun < 2 * WITHIN and self._gap * self.count < WITHIN
        self.count = min(self.count + 1, self._most) if quick else max(self.count // 2, 1)
