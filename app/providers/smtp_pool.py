"""The connections to one SMTP server: never more than the limit, kept open from one drain to the next."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.providers.smtp_ahead import share
from app.providers.smtp_connection import Connection, Terms
from app.providers.smtp_session import Server


class Pool:
    """Lends connections. The limit holds for all drains of this process together; who waits longest is next."""

    def __init__(self, server: Server, limit: int, terms: Terms = Terms()) -> None:
        self._server = server
        self._terms = terms
        self._share = share(limit)
        self._slots = asyncio.Semaphore(limit)
        self._idle: list[Connection] = []
        self._waiting = 0

    @property
    def contended(self) -> bool:
        """Does somebody wait for a connection? Then it is fair to give one back between two messages."""
        return self._waiting > 0

    @property
    def full(self) -> bool:
        """Are all connections lent?"""
        return self._slots.locked()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """A connection that is ready for a message. Raises Unreachable."""
        self._waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self._waiting -= 1
        try:
            connection = await self._ready()
            try:
                yield connection
            finally:
                if connection.laid_down():
                    self._idle.append(connection)
                else:
                    connection.drop()
        finally:
            self._slots.release()

    async def close(self) -> None:
        """Ends the connections that nobody uses."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(connection.quit() for connection in idle))

    async def _ready(self) -> Connection:
        while self._idle:
            connection = self._idle.pop()
            try:
                if await connection.still_there():
                    return connection
            except BaseException:
                connection.drop()
                raise
        return await Connection.open(self._server, self._terms, self._share)
