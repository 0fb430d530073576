"""How both engines find the rows of a claim and of a release: an index lost is a red build, not a slow morning."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text

from app.core.db import Database
from app.models.states import DeliveryStatus, EditionStatus, Frequency
from app.store import deliveries, handovers, leases, outcomes, releases, subscribers, waits
from app.store.handovers import Wanted
from app.store.leases import ShardLease
from tests.conftest import Postgres, run, sqlite_copy
from tests.people import LONG_AGO, NOON, add_edition

READERS, GROUP = 20_000, 30
"""Of so few readers, PostgreSQL rightly looks through all for a group of 250."""
_SUBSCRIBERS = """
INSERT INTO subscribers (id, ref, address, address_key, domain_group, status, zone, first_name, sections, frequency,
  form, language, created_at, confirmed_at)
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :count)
SELECT i, 'reader-' || i, 'reader' || i || '@example.org', 'reader' || i || '@example.org', 'other', 'active', '', '',
  1023, 'daily', 'html', '', :at, :at FROM n
"""


@dataclass(frozen=True)
class Filled:
    """An edition in a database of which `copy`, given a folder, opens a copy and gives its URL."""

    edition: int
    copy: Callable[[Path], AbstractContextManager[str]]


OWN = releases.Pair("", releases.DEFAULT_MINUTE)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    """Once on each engine: it takes seconds, and is copied in a moment."""
    if request.param == "sqlite":
        folder = tmp_path_factory.mktemp("filled")
        url = sqlite_copy(request.getfixturevalue("sqlite_template"), folder)
        edition = run(fill(url))
        yield Filled(edition, lambda place: nullcontext(sqlite_copy(folder / "post.db", place)))
        return
    server: Postgres = request.getfixturevalue("postgres")
    with server.database() as url:
        edition = run(fill(url))
        yield Filled(edition, lambda _: server.database(url.partition("@/")[2].partition("?")[0]))


@pytest.fixture
def database_url(filled: Filled, tmp_path: Path) -> Iterator[str]:
    """A database that `fill` has filled, on each engine in turn."""
    with filled.copy(tmp_path) as url:
        yield url


@pytest.fixture
def large(filled: Filled) -> int:
    """The edition's id."""
    return filled.edition


async def fill(url: str) -> int:
    """An edition that goes out to many readers, none of whom the engine has counted; gives its id."""
    db = Database(url)
    edition = await add_edition(db, status=EditionStatus.SENDING)
    async with db.write() as session:
        at = "2026-03-04 08:00:00.000000" if db.is_sqlite else LONG_AGO
        await session.execute(text(_SUBSCRIBERS), {"count": READERS, "at": at})
        for after in range(0, READERS - 1000, releases.SHARD):
            await release(session, edition.id, releases.SHARD, after)
        await session.execute(text("UPDATE shards SET owner = 'worker'"))
    await db.truncate_log()
    await db.close()
    return edition.id


async def release(session: Any, edition: int, most: int, after: int, pair: releases.Pair = OWN) -> None:
    chunk = await releases.release_chunk(
        session,
        edition,
        siblings=[],
        pair=pair,
        frequencies=list(Frequency),
        confirmed_before=NOON,
        after=after,
        most=most,
        due_at=NOON,
        lasts=timedelta(hours=12),
    )
    assert chunk.count == most


class Watched:
    """Explains every statement that a session is given, with the values it was given."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.seen: list[tuple[str, Any]] = []
        event.listen(db._writer.sync_engine, "before_cursor_execute", self._note)

    def _note(self, _: Any, __: Any, statement: str, values: Any, *___: Any) -> None:
        self.seen.append((statement, values))

    async def plans(self) -> list[str]:
        """The plan of each statement that reads or changes rows, with the statement's beginning."""
        told, self.seen = self.seen, []
        found = []
        async with self.db.write() as session:
            connection = await session.connection()
            for statement, values in told:
                if "set_config(" in statement:  # it holds for what comes after
                    await connection.exec_driver_sql(statement)
                    continue
                explained = re.match(r"\s*(UPDATE|SELECT|WITH|INSERT INTO deliveries )", statement)
                if explained and not isinstance(values, list):
                    explain = "EXPLAIN QUERY PLAN " if self.db.is_sqlite else "EXPLAIN "
                    rows = (await connection.exec_driver_sql(explain + statement, values)).all()
                    steps = [str(row[-1]) for row in rows]
                    found.append("\n".join([statement.strip()[:60], *steps]))
            self.seen.clear()
        return found


def looked_through(plan: str, tables: Sequence[str]) -> list[str]:
    """Steps that go through a whole table, or through an index from its beginning."""
    names = "|".join(tables)
    return [step for step in plan.splitlines()[1:] if re.search(rf"(Seq Scan on|^SCAN) ({names})\b", step)]


@pytest.mark.parametrize("others", [(), ("another",)], ids=["one provider", "several"])
async def test_a_claim_finds_its_rows_by_indexes(db: Database, large: int, others: tuple[str, ...]) -> None:
    """Whether the engine has statistics or not: neither the edition nor the readers are looked through."""
    watched = Watched(db)
    for counted in (False, True):
        if counted:
            async with db.write() as session:
                await session.execute(text("ANALYZE"))
            watched.seen.clear()
        async with db.write() as session:
            begun = await handovers.begin(session, Wanted(ShardLease(large, 3, 0, "worker"), "p", GROUP, others), NOON)
            assert len(begun) == GROUP
            told = [outcomes.Outcome(one.subscriber_id, one.attempt, DeliveryStatus.ACCEPTED) for one in begun]
            if db.is_sqlite:
                await outcomes.record(session, large, {3: told}, NOON)
            else:
                (query,) = outcomes.settling(large, [ShardLease(large, 3, 0, "worker")], {3: told}, NOON)
                found = await session.execute(text(query.statement), query.values)
                assert len(query.read(found.all())) == GROUP
            assert await deliveries.waiting(session, large, 3, resend=True)
        plans = await watched.plans()
        assert len(plans) >= 3, plans
        for plan in plans:
            assert looked_through(plan, ["deliveries", "subscribers", "d", "s"]) == [], (counted, plan)


async def test_groups_that_are_told_apart_are_found_in_the_same_range(db: Database, large: int) -> None:
    """Some of these, none of those, and the others: each part looks at the shard's due rows and at nothing else."""
    portion = handovers.Portion(others=True, apart=["gmail", "orange", "yahoo"], each={"gmail": 5, "yahoo": 7})
    async with db.write() as session:
        for group, every in (("gmail", 3), ("yahoo", 5), ("orange", 7)):
            await session.execute(
                text(f"UPDATE deliveries SET domain_group = '{group}' WHERE subscriber_id % {every} = 0")
            )
    watched = Watched(db)
    for counted in (False, True):
        if counted:
            async with db.write() as session:
                await session.execute(text("ANALYZE"))
            watched.seen.clear()
        async with db.write() as session:
            wanted = Wanted(ShardLease(large, 3, 0, "worker"), "p", GROUP, portion=portion)
            begun = await handovers.begin(session, wanted, NOON)
        groups = Counter(one.group for one in begun)
        assert groups == {"gmail": 5, "yahoo": 7, "other": GROUP - 12}
        plans = await watched.plans()
        assert plans
        for plan in plans:
            assert looked_through(plan, ["deliveries", "subscribers", "d", "s"]) == [], (counted, plan)


async def test_a_lease_finds_its_shard_by_an_index(db: Database, large: int) -> None:
    """Of all shards that are due, the first by its instant; and the fence, by the shard's number."""
    more = """
INSERT INTO shards (edition_id, number, owner, lease_until, epoch, next_at)
WITH RECURSIVE n(i) AS (SELECT 1000 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
SELECT :edition, i, NULL, 0, 0, NULL FROM n
"""
    async with db.write() as session:
        await session.execute(text(more), {"edition": large})
        await session.execute(text("ANALYZE"))
    watched = Watched(db)
    async with db.write() as session:
        lease = await leases.take_shard(session, "worker", NOON)
        assert lease is not None
        assert await leases.renew_shards(session, large, [lease]) == {lease.shard}
    plans = await watched.plans()
    assert len(plans) >= 2, plans
    for plan in plans:
        assert looked_through(plan, ["shards"]) == [], plan


@pytest.mark.parametrize("pair", [OWN, releases.EVERYBODY], ids=["a morning", "everybody"])
async def test_a_chunk_of_a_release_finds_its_readers_by_indexes(db: Database, large: int, pair: releases.Pair) -> None:
    """From the cursor on: readers who were released before are not looked through again, nor is the edition."""
    watched = Watched(db)
    for counted in (False, True):
        if counted:
            async with db.write() as session:
                await session.execute(text("ANALYZE"))
            watched.seen.clear()
        async with db.write() as session:
            await release(session, large, 400, READERS - 1000 + 400 * counted, pair)
        for plan in await watched.plans():
            assert looked_through(plan, ["deliveries", "subscribers"]) == [], (counted, plan)
            if db.is_sqlite and "subscribers" in plan:
                assert re.search(r"SEARCH subscribers .*[(d]>\?\)", plan), (counted, plan)
            assert "Sort Key: subscribers" not in plan, (counted, plan)


def test_the_check_of_plans_notices() -> None:
    """A whole table, in the words of each engine."""
    tables = ["deliveries", "subscribers"]
    assert looked_through(json.dumps("x") + "\nSCAN deliveries", tables)
    assert looked_through("x\n  ->  Seq Scan on subscribers s  (cost=0.00..1 rows=1)", tables)
    assert not looked_through("x\nSEARCH d USING INDEX ix (edition_id=?)\nSCAN json_each VIRTUAL TABLE", tables)


async def test_whether_anybody_reads_weekly_is_asked_of_an_index(db: Database, large: int) -> None:
    """All Saturday, every second."""
    watched = Watched(db)
    async with db.write() as session:
        await session.execute(text("ANALYZE"))
        watched.seen.clear()
        assert not await subscribers.any_weekly(session)
    plans = await watched.plans()
    assert plans
    assert not [step for plan in plans for step in looked_through(plan, ["subscribers"])]
    async with db.write() as session:
        await session.execute(text("UPDATE subscribers SET frequency = 'weekly' WHERE id = 7"))
        assert await subscribers.any_weekly(session)


async def test_what_an_edition_waits_for_is_asked_of_an_index(db: Database, large: int) -> None:
    """Twice a second while somebody follows it: a few looks a shard, never through its deliveries."""
    watched = Watched(db)
    for counted in (False, True):
        if counted:
            async with db.write() as session:
                await session.execute(text("ANALYZE"))
        watched.seen.clear()
        async with db.write() as session:
            found = await waits.of_edition(session, large, LONG_AGO, undecided=True)
        assert (found.retries is not None, found.decisions) == (True, None)
        plans = await watched.plans()
        assert plans
        for plan in plans:
            assert looked_through(plan, ["deliveries"]) == [], (counted, plan)
