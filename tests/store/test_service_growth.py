"""What it costs to begin a group of service mail while many wait and PostgreSQL has no statistics of them."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import event, text

from app.core.db import Database, Session
from app.store import operator_mail, transactional
from tests.conftest import Postgres
from tests.people import NOON

GROUP = 100
_READERS = """
INSERT INTO subscribers (id, ref, address, address_key, domain_group, status, zone, first_name, sections, frequency,
  form, language, created_at)
SELECT i, 'reader-' || i, 'reader' || i || '@example.org', 'reader' || i || '@example.org', 'other', 'pending', '', '',
  1023, 'daily', 'html', '', :at FROM generate_series(1, :count) AS i
"""
_MAILS = """
INSERT INTO transactional_emails (kind, subscriber_id, parameters, ref, status, attempt, epoch, why, created_at, due_at,
  expires_at)
SELECT 'confirmation', i, '{}', 'mail-' || i, 'queued', 0, 0, '', :at, :at, :at + interval '1 day'
FROM generate_series(1, :count) AS i
"""
_LETTERS = """
INSERT INTO operator_mails (kind, topic, address, parameters, ref, status, attempt, epoch, why, created_at, due_at,
  expires_at)
SELECT 'held', 'topic-' || i, 'ada@example.org', '{}', 'letter-' || i, 'queued', 0, 0, '', :at, :at,
  :at + interval '1 day' FROM generate_series(1, :count) AS i
"""

Begin = Callable[[Session], Awaitable[Any]]


def begin_mails(session: Session) -> Awaitable[Any]:
    return transactional.begin(session, provider="p", epoch=1, most=GROUP, now=NOON)


def begin_letters(session: Session) -> Awaitable[Any]:
    return operator_mail.begin(session, provider="p", epoch=1, most=GROUP, now=NOON)


async def touched(db: Database, begin: Begin) -> int:
    """How many pages the statement looked at that moved a group to `sending`, asked of EXPLAIN for the next group."""
    seen: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, values: Any, *___: Any) -> None:
        if "set_config('enable_" in statement or statement.startswith("UPDATE"):
            seen.append((statement, values))

    event.listen(db._writer.sync_engine, "before_cursor_execute", note)
    async with db.write() as session:
        assert len(await begin(session)) == GROUP
    event.remove(db._writer.sync_engine, "before_cursor_execute", note)
    *before, (statement, values) = seen
    async with db.write() as session:
        connection = await session.connection()
        for said in before:
            await connection.exec_driver_sql(*said)
        found = await connection.exec_driver_sql(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {statement}", values)
        told = found.scalar_one()
    plan = (json.loads(told) if isinstance(told, str) else told)[0]["Plan"]
    return int(plan["Shared Hit Blocks"] + plan["Shared Read Blocks"])


@pytest.mark.parametrize(("begin", "rows"), [(begin_mails, (_READERS, _MAILS)), (begin_letters, (_LETTERS,))])
async def test_a_group_costs_the_same_however_many_wait(
    postgres: Postgres, begin: Begin, rows: tuple[str, ...]
) -> None:
    """After an import the engine knows nothing of what it put there."""
    pages = []
    for count in (500, 4000):
        with postgres.database() as url:
            db = Database(url)
            async with db.write() as session:
                for statement in rows:
                    await session.execute(text(statement), {"count": count, "at": NOON})
            pages.append(await touched(db, begin))
            await db.close()
    assert pages[1] <= 1.5 * pages[0] + 50, pages
