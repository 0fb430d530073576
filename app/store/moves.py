"""The one way a state changes: a conditional UPDATE along an edge of models/states."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, update

from app.core.db import Session
from app.models import Base
from app.models.states import allowed


async def move(
    session: Session,
    table: type[Base],
    ids: Sequence[int],
    from_: StrEnum,
    to: StrEnum,
    *,
    only: ColumnElement[bool] | None = None,
    **values: Any,
) -> list[int]:
    """Moves those of `ids` that are in `from_` to `to`, sets `values` on them, and gives the ids that moved.

    `only` is what else must be true of a row where it is written.
    """
    if not allowed(from_, to):
        raise ValueError(f"there is no edge from {from_} to {to}")
    columns = table.__table__.c
    statement = (
        update(table)
        .where(columns.id.in_(ids), columns.status == from_, *([] if only is None else [only]))
        .values(status=to, **values)
        .returning(columns.id)
        .execution_options(synchronize_session=False)
    )
    return list((await session.scalars(statement)).all())
