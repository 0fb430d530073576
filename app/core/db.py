"""The database's one door: two context managers open every transaction of the service.

`db.read()` gives a session that sees one snapshot and may not write; `db.write()` gives one that commits
when its block ends and rolls back when it raises. On SQLite one writer connection per process queues its
writers here instead of failing in the engine, and readers never wait (WAL).
"""

import errno
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, cast

from sqlalchemy import BigInteger, DateTime, Integer, event, text
from sqlalchemy.engine import URL, Connection, Dialect, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.types import TypeDecorator

from app.core import postgres, sqlite
from app.core.clock import steady
from app.core.errors import ConfigurationError, StorageContention, StorageError, StorageUnavailable

Session = AsyncSession
Statement = tuple[str, Mapping[str, Any]]
"""SQL with `:name` for its values, and these."""

DEFAULT_FOLDER = Path("var")
"""Made where it is missing; any other folder may be a slip of the pen."""
_LOG_WAIT = 100
"""For how long SQLite waits for a lock to empty its log, in milliseconds."""
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    f"busy_timeout={sqlite.PATIENCE}",
    "foreign_keys=ON",
    "secure_delete=ON",
    "cache_size=-4096",  # kibibytes for each of five connections; the system's own cache stands behind it
)

_CONTENTION = ("40P01", "40001")
"""SQLSTATE of a deadlock and of a serialisation failure: PostgreSQL ended the transaction so that another can go on."""

BigId = BigInteger().with_variant(Integer, "sqlite")
"""A row id: SQLite gives ids out of its own accord only to a column typed INTEGER."""


class UtcDateTime(TypeDecorator[datetime]):
    """An instant, stored in UTC; refuses naive values, always gives aware ones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a stored instant needs a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # SQLAlchemy's signature
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def async_url(url: str) -> URL:
    """DATABASE_URL with the driver we use. Raises ConfigurationError for any engine but the two."""
    try:
        parsed = make_url(postgres.with_hosts_apart(url))
    except (ArgumentError, ValueError):
        raise ConfigurationError(
            "MORNINGPOST_DATABASE_URL is not a database URL such as sqlite:///var/morningpost.db "
            "or postgresql://user:password@host/name"
        ) from None
    match parsed.get_backend_name():
        case "sqlite":
            return parsed.set(drivername="sqlite+aiosqlite")
        case "postgresql" | "postgres":
            return parsed.set(drivername="postgresql+psycopg")
        case other:
            raise ConfigurationError(f"MORNINGPOST_DATABASE_URL names {other!r}; only sqlite and postgresql are known")


class Database:
    """Both engines behind `read()` and `write()`. `url` is DATABASE_URL as written."""

    def __init__(self, url: str) -> None:
        self.url = async_url(url)
        self.reached = steady()
        """When it last answered, on the monotonic clock in seconds."""
        if self.is_sqlite:
            self._make_folder()
            self._writer = self._sqlite_engine(1, _PRAGMAS)
            self._reader = self._sqlite_engine(4, (*_PRAGMAS, "query_only=ON")).execution_options(readonly=True)
        else:
            self._writer = self._postgresql_engine()
            self._reader = self._postgresql_engine().execution_options(readonly=True)

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @property
    def file(self) -> Path | None:
        """The SQLite file; None on PostgreSQL."""
        return Path(self.url.database) if self.is_sqlite and self.url.database else None

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Session]:
        """A session on one snapshot; nothing it does is kept."""
        async with _translated(), self._session(self._reader) as session:
            yield session
            self.reached = steady()

    @asynccontextmanager
    async def write(self, *, brief: bool = False) -> AsyncIterator[Session]:
        """A session that commits at the end of the block. Never open a second one inside it.

        `brief`: all it does is a few statements of a millisecond or so. On SQLite they are executed on the event loop:
        where that is busy, the way to a thread and back takes longer than they do, while the only writer is held. They
        cannot be cancelled. On PostgreSQL it is broken off where it takes seconds.
        """
        async with _translated():
            limits = postgres.BRIEF if brief else postgres.WORK
            async with self._session(self._writer, limits) as session, _committed(session):
                sqlite.brief.set(brief)
                try:
                    yield session
                finally:
                    sqlite.brief.set(False)
            self.reached = steady()

    @asynccontextmanager
    async def _session(self, engine: AsyncEngine, limits: postgres.Limits | None = None) -> AsyncIterator[Session]:
        """A session with its transaction open. Where a pooled connection is found dead then, nothing was done with it
        yet: another is taken, once.
        """
        if self.is_sqlite:
            async with AsyncSession(engine, expire_on_commit=False) as session:
                yield session
            return
        options = {"limits": limits} if limits else {}
        for is_last in (False, True):
            async with AsyncSession(engine, expire_on_commit=False) as session:
                try:
                    await session.connection(execution_options=options)
                except DBAPIError as error:
                    if is_last or not error.connection_invalidated:
                        raise
                    continue
                yield session
                return

    async def alone(self, statements: Sequence[Statement]) -> list[Sequence[Any]]:
        """Executes a few statements in a transaction of their own; gives the rows of each.

        On PostgreSQL they are one message together with BEGIN and COMMIT: what they lock is not held for a round trip.
        """
        if self.is_sqlite:
            async with self.write(brief=True) as session:
                connection = await session.connection()
                found = [await connection.execute(text(statement), values) for statement, values in statements]
                return [one.all() if one.returns_rows else () for one in found]
        async with _translated(), self._writer.connect() as connection:
            rows = await postgres.alone(connection, statements)
            self.reached = steady()
            return list(rows)

    async def check(self) -> None:
        """Raises StorageUnavailable where the database does not answer."""
        async with self.read() as session:
            await session.execute(text("SELECT 1"))

    async def truncate_log(self) -> bool:
        """Moves SQLite's write-ahead log into the file and empties it: until then it holds what was erased.

        False where a reader was in the way; then it is to be tried again. PostgreSQL has nothing to do.
        """
        if not self.is_sqlite:
            return True
        async with _translated(), self._writer.connect() as connection:
            pooled = await connection.get_raw_connection()
            driver = cast("sqlite.Connection", pooled.driver_connection)
            # The one writer must not wait for readers as long as it usually may.
            return await driver.truncate_log(_LOG_WAIT)

    async def close(self) -> None:
        await self._writer.dispose()
        await self._reader.dispose()

    def _make_folder(self) -> None:
        file = self.file
        if file is None or str(file) == ":memory:":
            raise ConfigurationError("MORNINGPOST_DATABASE_URL needs a file: a database in memory forgets its readers")
        if not file.parent.is_dir() and file.parent != DEFAULT_FOLDER:
            raise ConfigurationError(
                f"there is no folder {file.parent} for the database that MORNINGPOST_DATABASE_URL names; make it first"
            )
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigurationError(f"the folder {file.parent} cannot be made: {error.strerror}") from None

    def _postgresql_engine(self) -> AsyncEngine:
        engine = create_async_engine(
            self.url, pool_size=8, max_overflow=0, pool_timeout=10, async_creator=partial(postgres.connect, self.url)
        )
        event.listen(engine.sync_engine, "begin", postgres.on_begin)
        event.listen(engine.sync_engine, "handle_error", postgres.on_error)
        return engine

    def _sqlite_engine(self, pool_size: int, pragmas: tuple[str, ...]) -> AsyncEngine:
        opened = partial(sqlite.connect, Path(self.url.database or ""))
        engine = create_async_engine(
            self.url, pool_size=pool_size, max_overflow=0, pool_timeout=10, async_creator=opened
        )
        event.listen(engine.sync_engine, "connect", partial(_on_sqlite_connect, pragmas))
        event.listen(engine.sync_engine, "begin", _on_sqlite_begin)
        return engine


def _on_sqlite_connect(pragmas: tuple[str, ...], connection: Any, _: Any) -> None:
    connection.isolation_level = None  # the driver must not open transactions by itself
    cursor = connection.cursor()
    for pragma in pragmas:
        cursor.execute("PRAGMA " + pragma)
    cursor.close()


def _on_sqlite_begin(connection: Connection) -> None:
    readonly = connection.get_execution_options().get("readonly")
    connection.exec_driver_sql("BEGIN" if readonly else sqlite.BEGIN)


@asynccontextmanager
async def _committed(session: Session) -> AsyncIterator[None]:
    """Commits what the block did, or rolls it back. The transaction may have been opened before."""
    try:
        yield
    except BaseException:
        await session.rollback()
        raise
    await session.commit()


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    try:
        yield
    except IntegrityError as error:
        # Only the first line: PostgreSQL's second one quotes the row, addresses and all.
        raise StorageError(f"the database refused a row: {_first_line(error.orig)}") from error
    except (OperationalError, PoolTimeout) as error:
        state = getattr(getattr(error, "orig", None), "sqlstate", None)
        kind = StorageContention if state in _CONTENTION else StorageUnavailable
        raise kind(_reason(error)) from error
    except DBAPIError as error:
        if error.connection_invalidated:
            raise StorageUnavailable(_reason(error)) from error
        raise StorageError(_reason(error)) from error
    except SQLAlchemyError as error:
        raise StorageError(_reason(error)) from error
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EROFS):
            raise StorageUnavailable(f"the database's disk took no more: {error.strerror}") from error
        raise


def _reason(error: SQLAlchemyError) -> str:
    cause = getattr(error, "orig", None) or error
    return f"the database did not answer: {_first_line(cause)}"


def _first_line(cause: object) -> str:
    return next(iter(str(cause).splitlines()), "") or type(cause).__name__


def lease_clock(session: Session) -> str:
    """SQL for the database's own clock in milliseconds since 1970: leases and providers' tokens run on it.

    Two machines may disagree about the time; a lease they both read from one database cannot.
    """
    return clock_of(sqlite=session.get_bind().dialect.name == "sqlite")


def clock_of(*, sqlite: bool) -> str:
    """`lease_clock` for one of the engines."""
    if sqlite:
        return "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"
    return "CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)"
