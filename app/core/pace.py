"""How many rows one transaction may hold, learned from the ones before it. Pure."""

from dataclasses import dataclass

_GROWTH = 1.25


@dataclass(slots=True)
class Pace:
    """Aims at so many seconds a transaction, few enough that one which meets a slow disk still ends within the 50 ms
    that SQLite's only writer may be held. On PostgreSQL nobody waits for it, and `steady` keeps the number as it is.
    """

    rows: int = 250
    fewest: int = 50
    most: int = 1000
    aim: float = 0.012
    steady: bool = False

    def learn(self, rows: int, seconds: float) -> None:
        """Takes note that a transaction of `rows` rows took so long. Down at once, up by a quarter at a time."""
        if self.steady or not rows:
            return
        fitting = int(rows * self.aim / max(seconds, 1e-6))
        self.rows = max(self.fewest, min(self.most, fitting, int(self.rows * _GROWTH)))
