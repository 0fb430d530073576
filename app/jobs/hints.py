"""What may be said aloud on the queue of a fleet. On SQLite nobody says it, and the queue's library stays unloaded."""

from app.store.hints import Hint

PAPERS, DESK = "papers", "desk"
"""Shards of editions; and all the rest, which no edition may keep waiting: service mail and the timetable."""
PAPER_TASK, DESK_TASK = "paper", "desk"
FIRST = 10
"""The priority of service mail."""


def paper_hint(edition_id: int, shard: int) -> Hint:
    """Somebody should begin with this shard. It needs no lock: its lease is one, which a dead worker does not keep."""
    return Hint(PAPERS, PAPER_TASK, f"paper:{edition_id}:{shard}", {"edition": edition_id, "shard": shard})


def desk_hint(name: str, priority: int = 0) -> Hint:
    """Somebody should see to this chore, and nobody beside them."""
    return Hint(DESK, DESK_TASK, f"desk:{name}", {"name": name}, priority, f"desk:{name}")
