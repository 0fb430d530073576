"""How the service talks to PostgreSQL: where it connects, how long a transaction may wait, when a session is given up.

Nothing here is asked of a session for longer than a transaction, so that a pooler in transaction mode may stand in
between: time-outs are set with `SET LOCAL`, statements have no names.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, cast

import psycopg
import structlog
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import psycopg as sqlalchemy_psycopg
from sqlalchemy.engine import URL, Connection, Dialect, ExceptionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

CONNECT: Mapping[str, Any] = {
    "client_encoding": "utf8",  # what a database of another encoding says can be read, and told to the operator
    "connect_timeout": 5,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""What libpq does where PostgreSQL is suddenly not there any more: a cut network must be noticed, not waited out.
Seconds, the last in milliseconds."""

_DIALECT: Dialect = cast("Any", sqlalchemy_psycopg).dialect()

FREE_WITHIN = 60.0
"""Seconds that a connection is waited for where the server has none to give, or is starting."""
_PAUSE, _LONGEST_PAUSE = 0.25, 5.0
_NO_CONNECTION_YET = (
    "too many connections",
    "too many clients already",
    "remaining connection slots are reserved",
    "the database system is starting up",
    "no more connections allowed",  # PgBouncer's
)
"""What a server says that will have a connection later. While connecting libpq gives no SQLSTATE."""

USELESS_SESSION = ("25006", "57P01", "57P02", "57P03", "57P05")
"""SQLSTATE of what a session answers that can do nothing for us any more: it is read-only (a former primary), or its
server is shutting down, crashed, is not ready, or ended it for being idle."""


class Limits(NamedTuple):
    """How long PostgreSQL lets a transaction wait, in milliseconds; 0 is no limit."""

    lock: int
    """For one lock."""
    statement: int
    idle: int
    """For the next statement, while the transaction is open: its process may be gone."""
    whole: int
    """From BEGIN to COMMIT; PostgreSQL 17 and later."""


BRIEF = Limits(lock=5_000, statement=8_000, idle=8_000, whole=12_000)
"""A few statements of milliseconds. What a process holds that was cut off is free again within 15 seconds."""
WORK = Limits(lock=10_000, statement=120_000, idle=10_000, whole=600_000)
"""What may work through a whole list, page by page."""
READ = Limits(lock=5_000, statement=120_000, idle=300_000, whole=0)
"""A snapshot keeps nobody waiting; whoever downloads a long list may be slow."""
_TRANSACTION_TIMEOUT_FROM = 170_000
_DEAD_PEER = {"tcp_keepalives_idle": 4, "tcp_keepalives_interval": 2, "tcp_keepalives_count": 2}
"""Seconds after which the server itself notices that nobody is at the other end: no other limit runs while half of a
message has come. Ignored on Unix sockets."""


@cache
def begin(limits: Limits, server_version: int, *, read_only: bool) -> str:
    """BEGIN with all limits, as one message: it costs one round trip."""
    settings = {
        "lock_timeout": limits.lock,
        "statement_timeout": limits.statement,
        "idle_in_transaction_session_timeout": limits.idle,
    }
    if server_version >= _TRANSACTION_TIMEOUT_FROM:
        settings["transaction_timeout"] = limits.whole
    kind = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if read_only else "BEGIN"
    return "; ".join((kind, *(f"SET LOCAL {name} = {value}" for name, value in (settings | _DEAD_PEER).items())))


def with_hosts_apart(url: str) -> str:
    """Several hosts between commas, as libpq writes them, become those of the query, as SQLAlchemy wants them."""
    scheme, slashes, rest = url.partition("//")
    authority, path, behind = rest, "", ""
    for mark in "/?":
        if mark in authority:
            cut = authority.index(mark)
            authority, path = authority[:cut], authority[cut:] + path
    user, at, hosts = authority.rpartition("@")
    if "," not in hosts or not scheme.startswith("postgres"):
        return url
    path, _, behind = path.partition("?")
    query = "&".join([*(f"host={host}" for host in hosts.split(",")), *filter(None, [behind])])
    return f"{scheme}{slashes}{user}{at}{path or '/'}?{query}"


def arguments(url: URL) -> dict[str, Any]:
    """The database's address as libpq wants it. Of several hosts the one that can be written to is taken."""
    made: dict[str, Any] = dict(cast("Any", _DIALECT).create_connect_args(url)[1])
    if "," in str(made.get("host", "")):
        made.setdefault("target_session_attrs", "read-write")
    return {**CONNECT, **made}


async def connect(url: URL) -> psycopg.AsyncConnection[Any]:
    """Opens a session. Where the server has none to give for now, it is asked again, less and less often."""
    given_up_at, pause = time.monotonic() + FREE_WITHIN, _PAUSE
    while True:
        try:
            return await psycopg.AsyncConnection.connect(**arguments(url), autocommit=True, prepare_threshold=None)
        except psycopg.OperationalError as error:
            if not _is_full(error) or time.monotonic() + pause > given_up_at:
                raise
            structlog.get_logger(__name__).warning(
                "PostgreSQL has no connection to give; asking again", seconds=pause, why=str(error).splitlines()[-1]
            )
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


def _is_full(error: psycopg.OperationalError) -> bool:
    return any(words in str(error) for words in _NO_CONNECTION_YET)


def on_begin(connection: Connection) -> None:
    """Opens a transaction on a session that is in autocommit mode; `limits` and `readonly` are execution options."""
    options = connection.get_execution_options()
    driver = cast("psycopg.AsyncConnection[Any]", connection.connection.driver_connection)
    version = driver.info.server_version
    read_only = bool(options.get("readonly"))
    limits = options.get("limits", READ if read_only else WORK)
    connection.exec_driver_sql(begin(limits, version, read_only=read_only))


def on_error(context: ExceptionContext) -> None:
    """A useless session is treated as a broken one: SQLAlchemy throws it away with all others of its pool."""
    if getattr(context.original_exception, "sqlstate", None) in USELESS_SESSION:
        context.is_disconnect = True


@cache
def _compiled(statement: str) -> str:
    """`:name` as psycopg wants it."""
    return str(text(statement).compile(dialect=_DIALECT))


Statement = tuple[str, Mapping[str, Any]]


async def alone(connection: AsyncConnection, statements: Sequence[Statement]) -> list[list[Any]]:
    """Executes statements in a brief transaction of their own, as one message; the connection has none open.

    Gives the rows of each.
    """
    driver = cast("psycopg.AsyncConnection[Any]", (await connection.get_raw_connection()).driver_connection)
    opened = begin(BRIEF, driver.info.server_version, read_only=False)
    before = [(one, dict[str, Any]()) for one in opened.split("; ")]
    found = await together(connection, [*before, *statements, ("COMMIT", {})])
    return found[len(before) : -1]


async def together(connection: AsyncConnection, statements: Sequence[Statement]) -> list[list[Any]]:
    """Executes several statements, in their order, as one message; gives the rows of each.

    For what is asked again and again over a long way: all of them take one round trip. Each sees what those before it
    did, and whatever was committed until then. A message arrives as a whole or not at all, so that the server never
    waits for the rest of one with our locks in its hand.
    """
    pooled = await connection.get_raw_connection()
    driver = cast("psycopg.AsyncConnection[Any]", pooled.driver_connection)
    found: list[list[Any]] = []
    try:
        async with psycopg.AsyncClientCursor(driver) as cursor:
            parts = [cursor.mogrify(_compiled(statement), values) for statement, values in statements]
            await cursor.execute("; ".join(parts).encode())
            for number in range(len(statements)):
                if number:
                    cursor.nextset()
                found.append(await cursor.fetchall() if cursor.description else [])
    except psycopg.Error as error:
        broken = driver.closed or error.sqlstate in USELESS_SESSION
        if broken:
            await connection.invalidate(error)
        raise DBAPIError.instance(
            None, None, error, psycopg.Error, connection_invalidated=broken, dialect=_DIALECT
        ) from error
    return found
