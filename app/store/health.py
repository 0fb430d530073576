"""How each source of stories and of trends does. Anybody who asks a source says here what came of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from app.core.db import Session
from app.models import SourceHealth
from app.models.breaker import opened_until
from app.store import upsert

LONGEST_PROBLEM = 400


def name_of(source_id: int) -> str:
    """What a source of stories is called in its record; those of trends use their own name."""
    return f"source-{source_id}"


async def record_success(
    session: Session,
    name: str,
    now: datetime,
    *,
    source_id: int | None = None,
    latency_ms: int | None = None,
    data_at: datetime | None = None,
    items: int | None = None,
    usual_gap: float | None = None,
    problem: str = "",
    validators: tuple[str, str] | None = None,
) -> None:
    """It answered: the breaker closes. What is None keeps its last value; `problem` is what was odd nevertheless.

    `data_at` is how new the newest is that it gave, `validators` its ETag and Last-Modified.
    """
    known: dict[str, Any] = {"latency_ms": latency_ms, "data_at": data_at, "items": items, "usual_gap": usual_gap}
    if validators is not None:
        known |= {"etag": validators[0][:400], "last_modified": validators[1][:80]}
    values = {
        "asked_at": now,
        "succeeded_at": now,
        "failures": 0,
        "open_until": None,
        "problem": problem[:LONGEST_PROBLEM],
        **{key: value for key, value in known.items() if value is not None},
    }
    await _write(session, name, source_id, values)


async def record_failure(
    session: Session,
    name: str,
    problem: str,
    now: datetime,
    *,
    source_id: int | None = None,
    retry_after: float | None = None,
) -> None:
    """It gave nothing, and `problem` says why. After three in a row it is left alone for longer and longer.

    `retry_after` is in seconds, where the source asked for it.
    """
    values = {"asked_at": now, "failed_at": now, "problem": problem[:LONGEST_PROBLEM]}
    await _write(session, name, source_id, values, failures=SourceHealth.failures + 1)
    failures = await session.scalar(select(SourceHealth.failures).where(SourceHealth.name == name))
    await session.execute(
        update(SourceHealth)
        .where(SourceHealth.name == name)
        .values(open_until=opened_until(failures or 1, retry_after, now))
        .execution_options(synchronize_session=False)
    )


async def get(session: Session, name: str) -> SourceHealth | None:
    found: SourceHealth | None = await session.scalar(select(SourceHealth).where(SourceHealth.name == name))
    return found


async def every(session: Session) -> Sequence[SourceHealth]:
    """All records, by name."""
    return (await session.scalars(select(SourceHealth).order_by(SourceHealth.name))).all()


async def of_sources(session: Session) -> Mapping[int, SourceHealth]:
    """The records of sources of stories, by the source's id."""
    found = await session.scalars(select(SourceHealth).where(SourceHealth.source_id.is_not(None)))
    return {one.source_id: one for one in found if one.source_id is not None}


async def forget_answer(session: Session, name: str) -> None:
    """Lets the next question be asked as if it were the first: the source's address has changed."""
    await session.execute(
        update(SourceHealth)
        .where(SourceHealth.name == name)
        .values(etag="", last_modified="", failures=0, open_until=None)
        .execution_options(synchronize_session=False)
    )


async def _write(
    session: Session, name: str, source_id: int | None, values: dict[str, Any], failures: Any = None
) -> None:
    blank = {"problem": "", "failures": 0 if failures is None else 1, "etag": "", "last_modified": ""}
    statement = upsert.insert(session, SourceHealth).values(name=name, source_id=source_id, **{**blank, **values})
    changed = values if failures is None else {**values, "failures": failures}
    await session.execute(statement.on_conflict_do_update(index_elements=[SourceHealth.name], set_=changed))
    session.expire_all()
