"""Statements written as text, for what runs a hundred times a second: each is parsed once a process.

Building such a statement from columns costs SQLAlchemy more than the database takes to carry it out.
"""

from functools import cache

from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.sql.selectable import TextualSelect

from app.core.db import Session, UtcDateTime


def is_sqlite(session: Session) -> bool:
    """Which of the two engines? Their SQL differs where sets are handed in: `json_each` or `unnest`."""
    return session.get_bind().dialect.name == "sqlite"


@cache
def cached(statement: str) -> TextClause:
    """`statement`, ready to be executed; its parameter `now`, if it has one, is an instant."""
    made = text(statement)
    return made.bindparams(bindparam("now", type_=UtcDateTime())) if ":now" in statement else made


@cache
def with_instants(statement: str, *names: str) -> TextualSelect:
    """`cached`, and the result's columns `names` are instants."""
    return cached(statement).columns(**{name: UtcDateTime() for name in names})
