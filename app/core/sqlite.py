"""SQLite's driver with one errand a statement: aiosqlite sends its thread four times, to open, ask, fetch and close.

Each errand costs two changes of threads, and waits until a busy event loop lets go of the interpreter, up to 5 ms,
while the only writer is held.
"""

import sqlite3
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import aiosqlite

from app.core.turns import Turns

BEGIN = "BEGIN IMMEDIATE"
"""How a transaction begins that writes: one that read first would fail where another wrote meanwhile."""
brief: ContextVar[bool] = ContextVar("brief", default=False)
"""Has the transaction that begins here few and short statements? These are executed where we are. Its BEGIN and its end
are not: they wait for others, and for the disk."""
PATIENCE = 5000
"""For how long another's lock is waited for, in milliseconds."""


class Cursor:
    """What SQLAlchemy asks of a cursor; the rows are here as soon as the statement has run."""

    arraysize = 1

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> "Cursor":
        return self

    async def execute(self, statement: str, parameters: Any = ()) -> None:
        if statement != BEGIN:
            await self._run(sqlite3.Cursor.execute, statement, parameters)
            return
        self._connection.is_brief = False
        await self._run(self._connection.begin, statement, parameters)
        self._connection.is_brief = brief.get()

    async def executemany(self, statement: str, parameters: Sequence[Any]) -> None:
        await self._run(sqlite3.Cursor.executemany, statement, parameters)

    async def fetchall(self) -> list[Any]:
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Closed since its statement has run."""

    async def _run(self, what: Callable[..., object], statement: str, parameters: Any) -> None:
        ask = self._connection.at_once if self._connection.is_brief else self._connection.errand
        self._rows, self.description, self.rowcount, self.lastrowid = await ask(_asked, what, statement, parameters)


class Connection(aiosqlite.Connection):
    """`file` is the database's."""

    def __init__(self, file: Path) -> None:
        super().__init__(lambda: sqlite3.connect(file, check_same_thread=False), iter_chunk_size=64)
        self._turns = Turns(file.with_name(file.name + ".turn"))
        self.is_brief = False
        """Of the transaction that was begun last."""
        # The thread dies with the process, whoever forgets to close; as where SQLAlchemy opens by itself.
        self._thread.daemon = True

    def begin(self, cursor: sqlite3.Cursor, statement: str, _: object) -> None:
        """On the connection's own thread."""
        self._turns.begin(cursor, statement, PATIENCE / 1000)

    async def truncate_log(self, patience: int) -> bool:
        """Moves the log into the file and empties it; False where it would have to wait for more milliseconds."""
        return bool(await self.errand(self._truncated, patience))

    def _truncated(self, connection: sqlite3.Connection, patience: int) -> bool:
        with self._turns.taken(patience / 1000):
            connection.execute(f"PRAGMA busy_timeout={patience}")
            try:
                busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                connection.execute(f"PRAGMA busy_timeout={PATIENCE}")
        return not busy

    def cursor(self) -> Cursor:  # type: ignore[override]  # SQLAlchemy is the only one who asks
        return Cursor(self)

    async def errand(self, what: Callable[..., Any], *arguments: Any) -> Any:
        """Has `what` done with the real connection, on the connection's own thread."""
        return await self._execute(what, self._conn, *arguments)  # type: ignore[no-untyped-call]  # aiosqlite's

    async def at_once(self, what: Callable[..., Any], *arguments: Any) -> Any:
        """Does it where we are. The connection's thread has nothing to do meanwhile: each of its errands is awaited."""
        return what(self._conn, *arguments)


def _asked(connection: sqlite3.Connection, what: Callable[..., object], statement: str, parameters: Any) -> Any:
    cursor = connection.cursor()
    try:
        what(cursor, statement, parameters)
        rows = cursor.fetchall() if cursor.description else []
        return rows, cursor.description, cursor.rowcount, cursor.lastrowid
    finally:
        cursor.close()


async def connect(file: Path) -> Connection:
    """Opens the database."""
    opened = Connection(file)
    await opened
    return opened
