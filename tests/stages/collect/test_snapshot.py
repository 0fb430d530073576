"""Collecting from real servers into both databases: a first day, a week, a bad morning."""

import asyncio
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from time import monotonic
from typing import ClassVar

import pytest
import structlog

from app.core.clock import FixedClock
from app.core.db import Database
from app.core.errors import StorageError
from app.models.content import Move
from app.models.counts import Basis, Row, Snapshot, TrendKind, TrendSource
from app.stages.collect.deadline import Deadline
from app.stages.collect.harvest import Before, Capture, Harvest
from app.stages.collect.snapshot import CollectReport, collect, sources
from app.stages.compose.trending import trending
from app.store import health, trends
from tests.conftest import NOON
from tests.stages.collect.servers import both
from tests.stages.collect.standin import Reply, StandIn, broken_json, closed_port, hanging, server_error, too_many
from tests.stages.collect.world import World, small_world

HUGGINGFACE, GITHUB = TrendSource.HUGGINGFACE, TrendSource.GITHUB
MODEL, DATASET, REPOSITORY, MOVERS = TrendKind.MODEL, TrendKind.DATASET, TrendKind.REPOSITORY, TrendKind.MOVERS


@pytest.fixture
def world() -> World:
    return small_world(NOON.date())


@pytest.fixture
def server(world: World, clock: FixedClock) -> Iterator[StandIn]:
    with both(world, clock.now) as one:
        yield one


async def run(
    db: Database, clock: FixedClock, server: StandIn, *, hub: str = "", github: str = "", seconds: float = 15,
    token: str = "ghp_test", insist: bool = False,
) -> CollectReport:  # fmt: skip
    """With a token, so that one run asks every search."""
    places = sources(
        huggingface_url=hub or server.url,
        github_url=github or server.url,
        contact="https://post.example.org",
        github_token=token,
    )
    return await collect(db, places, clock.now(), seconds, insist=insist)


async def stored(db: Database, source: TrendSource, kind: TrendKind, day: date) -> Snapshot | None:
    async with db.read() as session:
        return (await trends.of_day(session, source, day)).get(kind)


def by_name(snapshot: Snapshot | None) -> dict[str, Row]:
    assert snapshot is not None
    return {row.name: row for row in snapshot.rows}


async def test_a_first_day_has_arrows_where_githubs_history_fills_the_weeks_before(
    db: Database, clock: FixedClock, server: StandIn
) -> None:
    """Charts, gains, usual weeks and sparklines on the first morning; the Hub has no history, and says "since"."""
    report = await run(db, clock, server)
    assert [(one.name, one.rows, one.answered) for one in report.sources] == [
        ("Hugging Face", 14, True),
        ("GitHub", 6, True),
    ]
    assert report.problems == ()
    repositories = await stored(db, GITHUB, REPOSITORY, NOON.date())
    halyard = by_name(repositories)["halyard-io/halyard"]
    assert (halyard.rank, halyard.was, halyard.gained, halyard.basis) == (1, 3, 10_430, Basis.HISTORY)
    assert (halyard.usual, halyard.confirmed) == (630, True)
    # The burst began at midnight seven and a half days ago; a sparkline's days are counted from noon to noon.
    assert halyard.spark == (*[90] * 6, 790, *[1_490] * 7)
    models = await stored(db, HUGGINGFACE, MODEL, NOON.date())
    wick = by_name(models)["lanternworks/wick-12b"]
    assert (wick.variants, wick.rank, wick.was, wick.spark) == (2, 1, None, None)
    hub, github = [await stored(db, source, MOVERS, NOON.date()) for source in (HUGGINGFACE, GITHUB)]
    assert hub is not None
    assert github is not None
    assert (hub.since, github.since) == (NOON.date(), None)
    assert not any(row.was or row.new for row in hub.rows)
    assert github.rows[0].name == "halyard-io/halyard"


async def test_a_first_day_without_history_says_since_when_it_measures(
    db: Database, clock: FixedClock, server: StandIn
) -> None:
    """Only totals are known then: no gain, no arrow, no mover."""
    server.fail("/repositories", Reply([]))
    await run(db, clock, server)
    repositories = await stored(db, GITHUB, REPOSITORY, NOON.date())
    assert repositories is not None
    assert repositories.since == NOON.date()
    assert {row.gained for row in repositories.rows} == {row.was for row in repositories.rows} == {None}
    movers = await stored(db, GITHUB, MOVERS, NOON.date())
    assert movers is not None
    assert (movers.rows, movers.since) == ((), NOON.date())


async def test_a_week_later_there_are_arrows_newcomers_and_gains_we_counted(
    db: Database, clock: FixedClock, server: StandIn
) -> None:
    """The first capture's ranks are the arrows' other end."""
    clock.move(NOON - timedelta(days=7))
    await run(db, clock, server)
    clock.move(NOON)
    await run(db, clock, server)
    models = await stored(db, HUGGINGFACE, MODEL, NOON.date())
    rows = by_name(models)
    wick, frond = rows["lanternworks/wick-12b"], rows["fernbank/frond-tts"]
    assert (wick.was, wick.rank, wick.gained, wick.basis) == (5, 1, 1_260, Basis.COUNTED)
    assert (frond.new, frond.was) == (True, None)
    assert models is not None
    assert models.since is None
    movers = by_name(await stored(db, GITHUB, MOVERS, NOON.date()))
    assert (movers["halyard-io/halyard"].was, movers["halyard-io/halyard"].rank) == (3, 1)
    assert "gristmill/grist" not in movers


async def test_a_month_of_mornings_gives_models_a_usual_week_of_our_own_counting(
    db: Database, clock: FixedClock, server: StandIn
) -> None:
    """The Hub gives no history: a few weeks of snapshots do."""
    for back in range(28, -1, -1):
        clock.move(NOON - timedelta(days=back))
        await run(db, clock, server, github=closed_port())
    wick = by_name(await stored(db, HUGGINGFACE, MOVERS, NOON.date()))["lanternworks/wick-12b"]
    assert (wick.gained, wick.usual) == (1_260, 140)
    assert wick.score == pytest.approx((1_260 - 140) / 240**0.5)


async def test_a_renamed_repository_keeps_its_history_under_its_new_name(
    db: Database, clock: FixedClock, server: StandIn, world: World
) -> None:
    """The number is the key; no false "new", no false gain."""
    clock.move(NOON - timedelta(days=7))
    await run(db, clock, server)
    world.rename(102, "NewHarbour/halyard")
    clock.move(NOON)
    await run(db, clock, server)
    rows = by_name(await stored(db, GITHUB, REPOSITORY, NOON.date()))
    assert "halyard-io/halyard" not in rows
    renamed = rows["NewHarbour/halyard"]
    assert (renamed.external_id, renamed.was, renamed.new, renamed.gained) == ("102", 3, False, 10_430)
    assert renamed.basis is Basis.COUNTED


async def test_collecting_again_replaces_the_days_figures(db: Database, clock: FixedClock, server: StandIn) -> None:
    """One capture stands for a day; running twice is the same as running once, later."""
    await run(db, clock, server)
    first = await stored(db, GITHUB, REPOSITORY, NOON.date())
    clock.move(NOON + timedelta(hours=1))
    await run(db, clock, server)
    second = await stored(db, GITHUB, REPOSITORY, NOON.date())
    assert first is not None
    assert second is not None
    assert second.captured_at == first.captured_at + timedelta(hours=1)
    assert len(second.rows) == len(first.rows)
    assert by_name(second)["gristmill/grist"].count > by_name(first)["gristmill/grist"].count


async def test_a_source_that_cannot_be_reached_is_named_and_the_other_is_stored(
    db: Database, clock: FixedClock, server: StandIn
) -> None:
    """In plain words."""
    report = await run(db, clock, server, hub=closed_port())
    assert report.problems == ("Hugging Face could not be reached: connection refused",)
    assert [one.answered for one in report.sources] == [False, True]
    assert report.summary == "Counted: 0 rows at Hugging Face, 6 rows at GitHub"
    assert await stored(db, HUGGINGFACE, MODEL, NOON.date()) is None
    assert await stored(db, HUGGINGFACE, MOVERS, NOON.date()) is None
    assert await stored(db, GITHUB, REPOSITORY, NOON.date()) is not None


async def test_with_every_source_down_nothing_is_stored_and_nothing_raises(
    db: Database, clock: FixedClock, server: StandIn
) -> None:
    """The paper appears without its charts."""
    report = await run(db, clock, server, hub=closed_port(), github=closed_port())
    assert report.problems == (
        "Hugging Face could not be reached: connection refused",
        "GitHub could not be reached: connection refused",
    )
    async with db.read() as session:
        found = await trending(session, NOON, NOON.date())
    assert (found.charts, found.movers, found.listed) == ((), None, ())


async def test_all_sources_share_one_deadline(db: Database, clock: FixedClock, server: StandIn) -> None:
    """Both hang; the report comes when the time is up, not twice as late."""
    server.fail("/", hanging(100))
    began = monotonic()
    report = await run(db, clock, server, seconds=5)
    assert monotonic() - began < 9
    assert report.problems == ("Hugging Face did not answer in time", "GitHub did not answer in time")


@pytest.mark.parametrize("fault", [server_error(), broken_json()], ids=["500", "broken JSON"])
async def test_a_bad_hour_leaves_the_good_figures_of_the_morning(
    db: Database, clock: FixedClock, server: StandIn, fault: Reply
) -> None:
    """The Hub's lists stay as they were; of GitHub, what half of the searches named is counted, the rest stands."""
    await run(db, clock, server)
    morning = await stored(db, GITHUB, REPOSITORY, NOON.date())
    clock.move(NOON + timedelta(hours=1))
    server.fail("/api", fault)
    server.fail("/search", broken_json(), times=14)
    report = await run(db, clock, server)
    assert len(report.problems) == 2
    later = await stored(db, GITHUB, REPOSITORY, NOON.date())
    assert later is not None
    assert later.complete
    assert by_name(later).keys() == by_name(morning).keys()
    assert all(row.rank is not None for row in later.rows)
    models = await stored(db, HUGGINGFACE, MODEL, NOON.date())
    assert models is not None
    assert models.captured_at == NOON


async def test_datasets_failing_alone_leave_the_models(db: Database, clock: FixedClock, server: StandIn) -> None:
    """One chart of a site is missing, and the report says which."""
    server.fail("/api/datasets", broken_json())
    server.fail("/api/trending", broken_json())
    report = await run(db, clock, server)
    assert report.problems == ("No list of datasets: Hugging Face could not be read: its answer was not JSON",)
    assert await stored(db, HUGGINGFACE, MODEL, NOON.date()) is not None
    assert await stored(db, HUGGINGFACE, DATASET, NOON.date()) is None


async def test_a_week_with_a_missing_day_is_measured_against_the_nearest(
    db: Database, clock: FixedClock, server: StandIn
) -> None:
    """Nobody is "new" only because the service slept on the day of comparison; the gain is marked as scaled.

    Where GitHub's history fills the hole, nothing needs to be scaled.
    """
    clock.move(NOON - timedelta(days=8))
    server.fail("/repositories/101/stargazers", Reply([]))
    await run(db, clock, server)
    clock.move(NOON)
    await run(db, clock, server)
    rows = by_name(await stored(db, GITHUB, REPOSITORY, NOON.date()))
    assert [row.name for row in rows.values() if row.new] == []
    grist = rows["gristmill/grist"]
    assert (grist.gained, grist.basis) == (2_940, Basis.NEAREST)
    bell = rows["bellwether/bell"]
    assert (bell.gained, bell.basis) == (1_714, Basis.HISTORY)


async def test_after_a_long_silence_measuring_begins_anew(db: Database, clock: FixedClock, server: StandIn) -> None:
    """Figures of last month are no "last week"."""
    clock.move(NOON - timedelta(days=30))
    await run(db, clock, server)
    clock.move(NOON - timedelta(days=2))
    await run(db, clock, server)
    clock.move(NOON)
    await run(db, clock, server)
    movers = await stored(db, GITHUB, MOVERS, NOON.date())
    assert movers is not None
    assert movers.since == date(2026, 11, 21)


async def test_two_workers_may_collect_at_once(db: Database, clock: FixedClock, server: StandIn) -> None:
    """The day has one set of figures all the same."""
    await asyncio.gather(*(run(db, clock, server) for _ in range(3)))
    repositories = await stored(db, GITHUB, REPOSITORY, NOON.date())
    assert repositories is not None
    assert len(repositories.rows) == 6


class Muddled:
    """A source that gives a row without a count, which no table can hold."""

    source: ClassVar = HUGGINGFACE
    name: ClassVar = "Muddled"
    kinds: ClassVar = (DATASET, MODEL)

    async def fetch(self, before: Mapping[TrendKind, Before], deadline: Deadline) -> Harvest:
        one = Row(external_id="1", name="a/a", url="https://huggingface.co/a/a", count=1, score=1.0)
        bad = Row(external_id="2", name="b/b", url="https://huggingface.co/b/b", count=None, score=1.0)  # type: ignore[arg-type]
        return Harvest((Capture(DATASET, [one]), Capture(MODEL, [one, bad])))


async def test_what_the_database_refuses_raises_and_leaves_no_half_of_itself(
    db: Database, clock: FixedClock, server: StandIn
) -> None:
    """No report that says all went well, nor a record; every other chart is whole."""
    github = sources(
        huggingface_url=server.url, github_url=server.url, contact="https://post.example.org", github_token="ghp_test"
    )[1]
    with pytest.raises(StorageError):
        await collect(db, [Muddled(), github], clock.now(), 5)
    async with db.read() as session:
        records = {one.name: (one.failures, one.problem) for one in await health.every(session)}
    assert records["huggingface"] == (1, "Muddled: what it gave could not be worked with; the log says why")
    assert records["github"] == (0, "")
    assert await stored(db, HUGGINGFACE, MODEL, NOON.date()) is None
    assert len(by_name(await stored(db, HUGGINGFACE, DATASET, NOON.date()))) == 1
    assert len(by_name(await stored(db, GITHUB, REPOSITORY, NOON.date()))) == 6


async def test_no_token_is_ever_logged(db: Database, clock: FixedClock, server: StandIn) -> None:
    """Nor shown where a source is printed for a person."""
    places = sources(
        huggingface_url=server.url,
        github_url=closed_port(),
        contact="https://post.example.org",
        huggingface_token="hf_verysecret",
        github_token="ghp_verysecret",
    )
    with structlog.testing.capture_logs() as lines:
        await collect(db, places, clock.now(), 5)
    assert {line["event"] for line in lines} == {"asking GitHub", "trends collected", "a source of trends failed"}
    assert "verysecret" not in str(lines) + repr(places)
    assert server.asked[0].headers["authorization"] == "Bearer hf_verysecret"


async def test_what_was_collected_is_what_is_printed(db: Database, clock: FixedClock, server: StandIn) -> None:
    """From the wire to the edition's content: arrows, newcomers, multiples."""
    clock.move(NOON - timedelta(days=7))
    await run(db, clock, server)
    clock.move(NOON)
    await run(db, clock, server)
    async with db.read() as session:
        found = await trending(session, NOON + timedelta(minutes=5), NOON.date())
    charts, movers = found.charts, found.movers
    assert {chart.key: len(chart.rows) for chart in charts} == {
        "huggingface-models": 5,
        "huggingface-datasets": 3,
        "github-repositories": 5,
    }
    first = charts[2].rows[0]
    assert (first.name, first.move, first.places, first.gained, first.total) == (
        "halyard-io/halyard", Move.UP, 2, 10_430, 20_145,
    )  # fmt: skip
    assert movers is not None
    assert movers.measuring_since is None
    assert movers.rows[0].multiple == 16.3
    assert [one.name for one in movers.new] == ["frond-tts"]
    assert datetime.fromisoformat(movers.model_dump(mode="json")["as_of"]) == NOON


async def test_each_source_has_its_record(db: Database, server: StandIn) -> None:
    """What came of asking it: one that is down is told apart from one that is well."""
    server.fail("/search", server_error())
    places = sources(huggingface_url=server.url, github_url=server.url, contact="https://post.example.org")
    await collect(db, places, NOON, 20)
    async with db.read() as session:
        github, hub = await health.every(session)
    assert (hub.name, hub.failures, hub.problem, hub.succeeded_at) == ("huggingface", 0, "", NOON)
    assert hub.items is not None
    assert hub.items > 0
    assert hub.latency_ms is not None
    assert (github.name, github.failures, github.failed_at, github.succeeded_at) == ("github", 1, NOON, None)
    assert "500" in github.problem


async def test_a_source_that_asked_us_to_wait_is_left_alone_until_then(
    db: Database, clock: FixedClock, server: StandIn
) -> None:
    """Also by the morning's run, which insists; the other source is asked as ever."""
    server.fail("/search", too_many(3_000))
    await run(db, clock, server)
    server.heal()
    for insist in (False, True):
        asked = len([one for one in server.paths() if one == "/search/repositories"])
        report = await run(db, clock, server, insist=insist)
        assert report.problems == ("GitHub is left alone until 12:50 UTC",)
        assert report.sources[0].answered
        assert len([one for one in server.paths() if one == "/search/repositories"]) == asked
    clock.move(NOON + timedelta(seconds=3_001))
    assert (await run(db, clock, server)).problems == ()


async def test_a_source_that_failed_three_times_is_left_alone_but_for_the_mornings_run(
    db: Database, clock: FixedClock, server: StandIn
) -> None:
    """A good answer closes the breaker."""
    nowhere = closed_port()
    for hour in range(3):
        clock.move(NOON + timedelta(hours=hour))
        await run(db, clock, server, github=nowhere)
    clock.move(NOON + timedelta(hours=2, minutes=30))
    assert (await run(db, clock, server)).problems == ("GitHub is left alone until 15:00 UTC",)
    assert (await run(db, clock, server, insist=True)).problems == ()
    assert (await run(db, clock, server)).problems == ()
