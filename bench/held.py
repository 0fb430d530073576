"""For how long SQLite's only writer was held: from the answer to BEGIN IMMEDIATE to the return of COMMIT."""

import time
from typing import Any

from sqlalchemy import event

from app.core.db import Database


class Held:
    """Listens to a database's writer. The time to wait for one's turn is not in it; a checkpoint in a commit is."""

    def __init__(self, db: Database) -> None:
        self.seconds: list[float] = []
        self._began = 0.0
        engine = db._writer.sync_engine  # noqa: SLF001  # a measurement looks behind the door
        self.longest = 0.0
        self.longest_did: list[str] = []
        self._did: list[str] = []
        event.listen(engine, "begin", self._begin)
        event.listen(engine, "before_cursor_execute", self._does)
        for method in ("do_commit", "do_rollback"):
            self._wrap(engine.dialect, method)

    def figures(self) -> dict[str, float]:
        """In milliseconds: the longest, and what 99 in 100 kept within."""
        ordered = sorted(self.seconds) or [0.0]
        return {
            "transactions": len(self.seconds),
            "longest": ordered[-1] * 1000,
            "p99": ordered[len(ordered) * 99 // 100] * 1000,
        }

    def _begin(self, _: object) -> None:
        self._began = time.perf_counter()
        self._did = []

    def _does(self, _: object, __: object, statement: str, *___: object) -> None:
        self._did.append(" ".join(statement.split()[:3]))

    def _wrap(self, dialect: Any, method: str) -> None:
        plain = getattr(dialect, method)

        def timed(connection: Any) -> None:
            plain(connection)
            if self._began:
                took = time.perf_counter() - self._began
                if took > self.longest:
                    self.longest, self.longest_did = took, list(self._did)
                self.seconds.append(took)
                self._began = 0.0

        setattr(dialect, method, timed)
