"""`INSERT … ON CONFLICT`, which each engine's dialect spells in its own class."""

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite

from app.core.db import Session
from app.models import Base

Upsert = sqlite.Insert | postgresql.Insert


def insert(session: Session, table: type[Base]) -> Any:
    """An INSERT of this session's engine, with `on_conflict_do_nothing` and `on_conflict_do_update`."""
    maker = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    return maker(table)


def insert_ignoring(session: Session, table: type[Base]) -> Any:
    """An INSERT that leaves a row alone where one with the same key stands already."""
    return insert(session, table).on_conflict_do_nothing()
