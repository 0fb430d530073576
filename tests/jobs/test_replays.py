"""The morning with both sources misbehaving in every way: the edition goes out on time and says what it shows."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic

import pytest

from app.bootstrap import Container, build
from app.core.clock import FixedClock
from app.core.settings import load_settings
from app.jobs import tasks
from app.models.content import EditionContent, Section
from app.models.states import EditionStatus
from app.stages.collect import stories as desk
from app.store import editions, health
from tests.people import DAY, NOON
from tests.stages.collect.servers import both
from tests.stages.collect.standin import (
    Reply,
    StandIn,
    broken_json,
    dripping,
    empty,
    hanging,
    hub_window,
    server_error,
    spent,
    too_many,
    web_page,
)  # fmt: skip
from tests.stages.collect.test_snapshot import Muddled
from tests.stages.collect.world import small_world

FIVE = datetime(2026, 11, 23, 5, 0, tzinfo=UTC)
WITHIN = 2.0
"""Seconds that a collection may take where a source may hang; a real one has sixty."""
FAULTS = {
    "500": server_error(),
    "429 with Retry-After": too_many(300),
    "a spent window of the Hub": hub_window(279),
    "403, the limit is spent": spent(int(FIVE.timestamp()) + 900),
    "403, a secondary limit": Reply(
        {"message": "You have exceeded a secondary rate limit"}, 403, {"Retry-After": "60"}
    ),
    "time-out": hanging(100),
    "bad JSON": broken_json(),
    "HTML instead of JSON": web_page(),
    "empty": empty(),
    "slow drip": dripping(),
    "cut off": Reply(b'[{"id":', cut=True),
    "another shape": Reply({"unexpected": [1, 2]}),
}


@pytest.fixture
def server(clock: FixedClock) -> Iterator[StandIn]:
    with both(small_world(DAY), clock.now) as one:
        yield one


@pytest.fixture
async def container(database_url: str, clock: FixedClock, server: StandIn) -> AsyncIterator[Container]:
    """With stories on the desk."""
    made = build(
        load_settings(
            database_url=database_url, secret_keys="k" * 40, huggingface_url=server.url, github_url=server.url,
            github_token="ghp_x", approval="auto",
        ),
        clock,
    )  # fmt: skip
    async with made.db.write() as session:
        for section in (Section.LEAD, Section.TOOLS):
            fields = {"section": section, "headline": f"A {section.value} story", "standfirst": "It stands first."}
            await desk.create(session, desk.parse(fields), NOON)
    yield made
    await made.close()


async def morning(container: Container, clock: FixedClock) -> EditionContent:
    """Composes at five and freezes at half past; in no more time than a collection may take, and some to spare."""
    clock.move(FIVE)
    began = monotonic()
    await tasks.compose(container, "a")
    took = monotonic() - began
    clock.move(FIVE + timedelta(minutes=30))
    await tasks.freeze(container, "a")
    async with container.db.read() as session:
        edition = await editions.of_day(session, DAY)
    assert edition is not None
    assert edition.status is EditionStatus.FROZEN, edition.reason
    assert took < 80, "a hung source holds the paper up"
    return EditionContent.model_validate(edition.content)


async def bodies(container: Container) -> tuple[str, str]:
    """HTML and text as they will be mailed, each on one line."""
    async with container.db.read() as session:
        edition = await editions.of_day(session, DAY)
        assert edition is not None
        found = await editions.bodies(session, edition.id)
    assert found is not None
    return " ".join(found[0].split()), " ".join(found[1].split())


@pytest.mark.parametrize("fault", FAULTS.values(), ids=list(FAULTS))
async def test_with_both_sources_down_the_last_good_figures_stand_with_their_hour(
    container: Container, clock: FixedClock, server: StandIn, fault: Reply, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of last evening, named as such, without an arrow; nothing is invented, and the record says what was wrong."""
    evening = FIVE - timedelta(hours=9)
    clock.move(evening)
    await tasks.collect(container, "a")
    server.fail("/", fault)
    monkeypatch.setattr(tasks, "COLLECT_WITHIN", timedelta(seconds=WITHIN))
    content = await morning(container, clock)
    assert [chart.key for chart in content.charts] == [
        "huggingface-models", "huggingface-datasets", "github-repositories",
    ]  # fmt: skip
    assert {(chart.stale, chart.as_of) for chart in content.charts} == {(True, evening)}
    assert {row.move.value for chart in content.charts for row in chart.rows} == {"unknown"}
    assert content.movers is not None
    assert (content.movers.stale, content.movers.as_of) == (True, evening)
    assert {row.was for row in content.movers.rows} == {None}
    html, text = await bodies(container)
    assert text.count("as of Sunday 20:00 UTC") == 4, "each chart and the movers"
    assert html.count("as of Sunday 20:00 UTC") == 4
    assert "▲" not in html
    async with container.db.read() as session:
        records = {one.name: one for one in await health.every(session)}
    assert {records[name].failures for name in ("huggingface", "github")} == {1}


@pytest.mark.parametrize("fault", [server_error(), web_page()], ids=["500", "HTML"])
async def test_with_nothing_counted_before_the_sections_are_left_out(
    container: Container, clock: FixedClock, server: StandIn, fault: Reply
) -> None:
    """A paper of stories."""
    server.fail("/", fault)
    content = await morning(container, clock)
    assert (content.charts, content.movers) == ((), None)
    assert content.lead.headline == "A lead story"


@pytest.mark.parametrize(
    ("paths", "missing"),
    [
        (["/api/"], "Hugging Face models and Hugging Face datasets"),
        (["/api/datasets", "/api/trending"], "Hugging Face datasets"),  # the list, and the home page that stands in
    ],
)
async def test_what_is_left_out_beside_other_charts_is_said(
    container: Container, clock: FixedClock, server: StandIn, paths: list[str], missing: str
) -> None:
    """By name, in both parts of the mail."""
    for path in paths:
        server.fail(path, server_error())
    content = await morning(container, clock)
    assert "github-repositories" in {chart.key for chart in content.charts}
    for body in await bodies(container):
        assert f"Left out, for want of fresh figures: {missing}." in body


async def test_figures_of_three_days_ago_are_not_printed(
    container: Container, clock: FixedClock, server: StandIn
) -> None:
    """48 hours are the most."""
    clock.move(FIVE - timedelta(hours=49))
    await tasks.collect(container, "a")
    server.fail("/", server_error())
    assert (await morning(container, clock)).charts == ()


async def test_what_nobody_foresaw_in_one_source_does_not_stop_the_paper(
    container: Container, clock: FixedClock
) -> None:
    """Rows that the database refuses: the morning goes on, with the chart of the other site."""
    muddled = replace(container, sources=(Muddled(), container.sources[1]))
    content = await morning(muddled, clock)
    assert "github-repositories" in {chart.key for chart in content.charts}
    assert "huggingface-models" not in {chart.key for chart in content.charts}


@pytest.mark.parametrize(("path", "stale"), [("/api", {"huggingface"}), ("/search", set()), ("/graphql", set())])
async def test_one_part_down_costs_no_more_than_that_part(
    container: Container, clock: FixedClock, server: StandIn, path: str, stale: set[str]
) -> None:
    """The Hub alone; GitHub's searches, where what is known is counted by number; GitHub's numbers."""
    clock.move(FIVE - timedelta(hours=9))
    await tasks.collect(container, "a")
    server.fail(path, server_error())
    content = await morning(container, clock)
    assert {chart.key.partition("-")[0] for chart in content.charts if chart.stale} == stale
    assert len(content.charts) == 3
