"""What a group of mails costs a database that is far away."""

from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from app.core.db import Database
from app.models.states import DeliveryStatus
from app.stages.send import release
from app.store import groups, handovers, leases
from app.store.handovers import Wanted
from app.store.outcomes import Outcome
from tests.conftest import Postgres
from tests.people import NOON, add_edition, add_reader
from tests.proxy import Proxy
from tests.recount import assert_counted
from tests.stages.send.test_shard import settings


async def test_a_group_is_three_round_trips(postgres: Postgres, tmp_path: Path) -> None:
    """BEGIN, all that it does, COMMIT; whatever was answered, and with its counts and notes."""
    with postgres.database() as url:
        direct = make_url(url)
        near = Database(url)
        for number in range(6):
            await add_reader(near, f"reader{number}@example.org")
        edition = await add_edition(near)
        await release.send_now(near, edition.id, settings(tmp_path), NOON)
        with Proxy(f"{direct.query['host']}/.s.PGSQL.5432") as proxy:
            far = Database(f"postgresql://{direct.username}@127.0.0.1:{proxy.port}/{direct.database}")
            async with far.write(brief=True) as session:
                lease = await leases.take_shard(session, "worker", NOON)
                assert lease is not None
                begun = (await groups.move(session, edition.id, [lease], {}, [Wanted(lease, "post", 3)], NOON)).begun[0]
            assert len(begun) == 3
            states = (DeliveryStatus.ACCEPTED, DeliveryStatus.REJECTED, DeliveryStatus.QUEUED)
            answers = [
                Outcome(row.subscriber_id, row.attempt, state, due_at=NOON, why="so it was")
                for row, state in zip(begun, states, strict=True)
            ]
            before = proxy.asked
            async with far.write(brief=True) as session:
                wanted = [Wanted(lease, "post", 3)]
                moved = await groups.move(session, edition.id, [lease], {lease.shard: answers}, wanted, NOON)
            assert proxy.asked - before == 3
            await far.close()
        assert moved.ours == {lease.shard}
        assert moved.sending
        assert moved.unwritten == {}
        assert len(moved.begun[0]) == 3
        async with near.read() as session:
            await assert_counted(session, edition.id)
        await near.close()


async def test_several_shards_cost_no_more_round_trips_than_one(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is begun of each, and whether others are at rest."""
    monkeypatch.setattr("app.store.releases.SHARD", 2)
    with postgres.database() as url:
        direct = make_url(url)
        near = Database(url)
        for number in range(6):
            await add_reader(near, f"reader{number}@example.org")
        edition = await add_edition(near)
        await release.send_now(near, edition.id, settings(tmp_path), NOON)
        with Proxy(f"{direct.query['host']}/.s.PGSQL.5432") as proxy:
            far = Database(f"postgresql://{direct.username}@127.0.0.1:{proxy.port}/{direct.database}")
            async with far.write(brief=True) as session:
                held = await leases.take_shards(session, "worker", NOON, most=3)
                await handovers.begin(session, Wanted(held[2], "post", 1), NOON)
            before = proxy.asked
            async with far.write(brief=True) as session:
                wanted = [Wanted(one, "post", 2) for one in held[:2]]
                moved = await groups.move(session, edition.id, held, {}, wanted, NOON, [held[1].shard, held[2].shard])
            assert proxy.asked - before == 3
            await far.close()
        assert [[row.shard for row in rows] for rows in moved.begun] == [[1, 1], [2, 2]]
        assert moved.at_rest == {2}  # as it was before anything was begun of it
        async with near.read() as session:
            await assert_counted(session, edition.id)
        await near.close()


async def test_a_lost_shard_begins_and_writes_nothing_with_the_fence(postgres: Postgres, tmp_path: Path) -> None:
    """In the same message as the fence nobody has seen yet what it found."""
    with postgres.database() as url:
        db = Database(url)
        for number in range(4):
            await add_reader(db, f"reader{number}@example.org")
        edition = await add_edition(db)
        await release.send_now(db, edition.id, settings(tmp_path), NOON)
        async with db.write() as session:
            lost = await leases.take_shard(session, "sleeper", NOON)
            assert lost is not None
            moved = await groups.move(session, edition.id, [lost], {}, [Wanted(lost, "post", 2)], NOON)
            row = moved.begun[0][0]
            await leases.give_back_shard(session, lost, NOON)
            assert await leases.take_shard(session, "another", NOON) is not None
        async with db.write() as session:
            answer = [Outcome(row.subscriber_id, row.attempt, DeliveryStatus.ACCEPTED)]
            moved = await groups.move(
                session, edition.id, [lost], {lost.shard: answer}, [Wanted(lost, "post", 2)], NOON
            )
            assert (moved.ours, moved.begun, moved.unwritten) == (set(), [[]], {lost.shard: answer})
            await assert_counted(session, edition.id)
        await db.close()
