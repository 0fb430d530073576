"""Statements written as text, for what runs a hundred times a second: each is parsed once a process.

Building such a statement from columns costs SQLAlchemy more than the database takes to carry it out.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Generic, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Select, TextClause, any_, bindparam, func, text
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.selectable import TextualSelect

from app.core import postgres
from app.core.db import Database, Session, UtcDateTime

T = TypeVar("T")
_INSTANTS = ("now", "due_at", "late_from", "again")


def is_sqlite(session: Session) -> bool:
    """Which of the two engines? Their SQL differs where sets are handed in: `json_each` or `unnest`."""
    return session.get_bind().dialect.name == "sqlite"


@cache
def cached(statement: str) -> TextClause:
    """`statement`, ready to be executed; those of its parameters that are named in `_INSTANTS` are instants."""
    made = text(statement)
    names = [name for name in _INSTANTS if f":{name}" in statement]
    return made.bindparams(*(bindparam(name, type_=UtcDateTime()) for name in names))


@cache
def with_instants(statement: str, *names: str) -> TextualSelect:
    """`cached`, and the result's columns `names` are instants."""
    return cached(statement).columns(**{name: UtcDateTime() for name in names})


class Query(NamedTuple, Generic[T]):
    """A statement with its values, and how its rows are read. `instants` are those of its columns, which come first."""

    statement: str
    values: Mapping[str, Any]
    read: Callable[[Sequence[Any]], T]
    instants: tuple[str, ...] = ()


async def ask(session: Session, query: Query[T]) -> T:
    """Executes one query by itself."""
    made = with_instants(query.statement, *query.instants) if query.instants else cached(query.statement)
    return query.read((await session.execute(made, query.values)).all())


async def ask_all(session: Session, queries: Sequence[Query[Any]]) -> list[Any]:
    """Executes queries in their order; on PostgreSQL all of them take one round trip."""
    if is_sqlite(session):
        return [await ask(session, query) for query in queries]
    if not queries:
        return []
    found = await postgres.together(await session.connection(), [(one.statement, one.values) for one in queries])
    return [query.read(rows) for query, rows in zip(queries, found, strict=True)]


async def ask_alone(db: Database, queries: Sequence[Query[Any]]) -> list[Any]:
    """Executes queries that only read in a transaction of their own, which on PostgreSQL is one round trip in all."""
    if db.is_sqlite:
        async with db.read() as session:
            return await ask_all(session, queries)
    found = await db.alone([(one.statement, one.values) for one in queries])
    return [query.read(rows) for query, rows in zip(queries, found, strict=True)]


def among(session: Session, column: InstrumentedAttribute[int], found: Select[int]) -> ColumnElement[bool]:
    """Is `column` one of the few that `found`, a query with an order and a limit, gives?

    PostgreSQL may ask such a query anew for each row that it looks at, where it does not know how many those are; an
    array it works out once.
    """
    if is_sqlite(session):
        return column.in_(found.scalar_subquery())
    return column == any_(func.array(found.scalar_subquery()))


# PostgreSQL believes of a table that grew since it was last analysed that few rows fit, and sorts all of them for each
# part that is asked for: a release of 300,000 readers took 21 s instead of 12. In the order of an index it stops early.
_IN_ORDER = "SELECT " + ", ".join(
    f"set_config('enable_{way}', 'off', true)" for way in ("sort", "bitmapscan", "seqscan")
)


async def walk_in_order(session: Session) -> None:
    """For the rest of the transaction rows are read in the order of an index, where there is one."""
    if not is_sqlite(session):
        await session.execute(cached(_IN_ORDER))
