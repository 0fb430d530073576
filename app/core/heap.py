"""Keeps Python's collector away from what start-up loaded: hundreds of thousands of objects that live as long as the
process. Going through them takes 60 to 120 ms, and when that happens inside a write transaction, SQLite's only
writer is held for so long (docs/benchmarks.md).
"""

import gc


def settle() -> None:
    """Says that all that is alive now stays. For a process's start only: what is settled is never collected."""
    gc.collect()
    gc.freeze()
