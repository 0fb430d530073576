"""The transactions of a hand-over. Each proves the lease and writes down what was answered, whatever else it does."""

from collections.abc import Sequence
from typing import Generic

from app.core.clock import steady
from app.core.db import Database
from app.stages.send.course import Course
from app.stages.send.ledger import Ledger, R, Settled

MOST_AT_ONCE = 128
"""Rows of a transaction on SQLite, where it can be helped: somebody who signs up waits for its end."""


class Books(Generic[R]):
    """Receipts outlive the lease: each is recorded for its own attempt, whoever owns the rows now.

    Each method raises StorageError; then nothing of it was done, as far as anybody knows.
    """

    def __init__(self, db: Database, ledger: Ledger[R], course: Course) -> None:
        self._db = db
        self._ledger = ledger
        self._course = course

    def wants_two(self, rows: int) -> bool:
        """Is a group of so many rows, written down or begun, better split in two? SQLite has one writer for all."""
        return rows > MOST_AT_ONCE and self._db.is_sqlite

    async def group(self, settled: Sequence[Settled[R]], room: int | None) -> Sequence[R] | None:
        """Begins up to `room` rows; None where nothing is held any more.

        Without a room outcomes are written down and nothing else: what is held stays so for the other half.
        """
        started = steady()
        # Where it is over nothing is given back before `close`, which says why.
        async with self._db.write(brief=True) as session:
            begun = await self._ledger.turn(session, settled, None if self._course.over else room)
        if begun is None or self._course.lost:
            return None
        self._course.renewed(started)
        return begun

    async def part(self, settled: Sequence[Settled[R]]) -> None:
        """Only slow answers are still to come: what ended the hand-over is made known."""
        rest, fault = self._course.rest, self._course.fault
        async with self._db.write(brief=True) as session:
            ours = await self._ledger.turn(session, settled, None, fault) is not None and not self._course.lost
            if ours:
                await self._ledger.part(session, rest, fault)
        if ours:
            self._course.told(fault)

    async def close(self, settled: Sequence[Settled[R]]) -> None:
        """The end: gives back what is held."""
        async with self._db.write(brief=True) as session:
            if await self._ledger.turn(session, settled, None, self._course.fault) is not None:
                await self._ledger.close(session, self._course.rest, self._course.fault)
