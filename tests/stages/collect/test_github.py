"""GitHub: which repositories are ours, what their star history says, and how little is asked of it."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given

from app.core.errors import SourceError
from app.models.counts import Basis, Point, Row, TrendKind
from app.stages.collect.deadline import Deadline
from app.stages.collect.github import HISTORIES, TOPICS, GitHub
from app.stages.collect.harvest import Before, Capture, Harvest
from app.stages.collect.history import Week, week_of
from app.stages.collect.lanes import each
from app.stages.collect.promise import most_promising
from app.stages.collect.repositories import row_of
from tests.conftest import NOON
from tests.stages.collect.servers import both, search_item
from tests.stages.collect.standin import Asked, Reply, StandIn, hanging, server_error, spent, too_many, web_page
from tests.stages.collect.test_huggingface import JSON
from tests.stages.collect.world import Growth, Repository, World, small_world

TODAY = NOON.date()
WORLD = small_world(TODAY)


def item(**more: Any) -> dict[str, Any]:
    one = Repository(5, "gristmill/grist", Growth(2_000, 10), "Grinds long documents into short answers.")
    return {**search_item(one, 60, WORLD), **more}


async def fetched(server: StandIn, seconds: float = 5, before: Before | None = None) -> Harvest:
    return await GitHub(server.url, "http://localhost").fetch(
        {TrendKind.REPOSITORY: before or Before()}, Deadline(seconds, NOON)
    )


def by_name(capture: Capture) -> dict[str, Row]:
    return {row.name: row for row in capture.rows}


def test_a_search_result_is_read() -> None:
    """Keyed by its number; the address is made from the name, never taken from the answer."""
    row = row_of(item(html_url="https://elsewhere.example/x"))
    assert row is not None
    assert (row.external_id, row.name, row.count, row.forks) == ("5", "gristmill/grist", 2_600, 325)
    assert row.url == "https://github.com/gristmill/grist"
    assert row.detail == "Grinds long documents into short answers."


@pytest.mark.parametrize(
    "more",
    [
        {"fork": True},
        {"archived": True},
        {"disabled": True},
        {"mirror_url": "https://elsewhere.example/x.git"},
        {"topics": ["mcp", "automation", "ai"]},
        {"topics": []},
        {"topics": None},
        {"full_name": "someone/awesome-llm"},
        {"description": "A curated list of papers about models"},
        {"description": "An aimbot that learns from you"},
        {"description": None},
        {"description": "  \n "},
        {"description": "Two words"},
        {"description": "🚀🚀🚀 🔥 ⚡ wow"},
        {"full_name": "gristmill"},
        {"full_name": "gristmill/grist/../x"},
        {"full_name": "-dash/grist"},
        {"stargazers_count": None},
        {"stargazers_count": -4},
        {"id": "5"},
        {"id": 0},
    ],
)
def test_what_is_not_ours_to_print_is_left_out(more: dict[str, Any]) -> None:
    """Forks, mirrors, lists of links, the silent, those of another trade, and rows we cannot read."""
    assert row_of(item(**more)) is None


@pytest.mark.parametrize("description", ["An awesome parser for tables", "大规模中文语言模型训练与推理框架"])
def test_a_description_is_not_judged_by_its_tone_or_its_script(description: str) -> None:
    """Only a name that begins "awesome" is a list; a script without spaces has words too."""
    assert row_of(item(description=description)) is not None


@given(JSON)
def test_whatever_json_comes_is_read_or_left_out(value: Any) -> None:
    """Neither parser raises."""
    row_of(value)
    row_of(item(topics=value))
    row_of(item(description=value, created_at=value))
    week_of(value, None, TODAY)
    week_of([{"week": value, "days": value}], None, TODAY)


def weeks(*gains: int, until: date = TODAY) -> list[dict[str, Any]]:
    """Star history whose day before `until` brought gains[0], the day before that gains[1], and so on."""
    sunday = until - timedelta(days=(until.weekday() + 1) % 7)
    found = []
    for back in range(6):
        first = sunday - timedelta(days=7 * back)
        ages = [(until - first).days - offset for offset in range(7)]
        days = [gains[age - 1] if 0 < age <= len(gains) else 0 for age in ages]
        start = datetime.combine(first, datetime.min.time(), UTC)
        found.append({"week": int(start.timestamp()), "total": sum(days), "days": days})
    return found


@pytest.mark.parametrize("weekday", range(7))
def test_the_week_is_the_seven_whole_days_before_today_whatever_the_weekday(weekday: int) -> None:
    """Six weeks of history hold the week and the four before it, from any day of the week."""
    until = TODAY + timedelta(days=weekday)
    gains = [100, 200, 300, 400, 500, 600, 700] + [20] * 28
    assert week_of(weeks(*gains, until=until), None, until) == Week(2_800, 140.0)


def test_a_usual_week_needs_fourteen_days_of_life_before_the_week() -> None:
    """Days before a repository was made are no days without stars."""
    gains = [50] * 21
    born = datetime.combine(TODAY - timedelta(days=21), datetime.min.time(), UTC)
    assert week_of(weeks(*gains), born, TODAY) == Week(350, None)
    assert week_of(weeks(*gains, 50), born - timedelta(days=1), TODAY) == Week(350, 350.0)


def test_a_repository_younger_than_a_week_has_gained_since_it_was_made() -> None:
    """The days before its first are zero, not unknown."""
    short = [one for one in weeks(9, 8, 7) if one["total"]]
    assert week_of(short, datetime.combine(TODAY - timedelta(days=3), datetime.min.time(), UTC), TODAY) == Week(
        24, None
    )


@pytest.mark.parametrize(
    "answer", [[], {}, None, [{"week": 1, "days": [1] * 6}], [{"week": None, "days": [1] * 7}], weeks(5)[3:]]
)
def test_a_history_that_does_not_hold_the_week_says_nothing(answer: Any) -> None:
    """Empty means "not available", never zero."""
    assert week_of(answer, None, TODAY) is None


def test_the_most_promising_are_the_fast_not_the_famous() -> None:
    """Without counts of ours, the pace of a whole life; with them, the gain of the week."""

    def row(external_id: str, stars: int, days: int) -> Row:
        name = f"org/{external_id}"
        return Row(external_id=external_id, name=name, url="", count=stars, created_at=NOON - timedelta(days=days))

    famous, fast, slow = row("1", 150_000, 2_000), row("2", 9_000, 30), row("3", 3_000, 900)
    assert most_promising([famous, slow, fast], Before(), NOON, 2) == (fast, famous)
    surge = Before({"3": [Point(NOON - timedelta(days=7), 400)]})
    assert most_promising([famous, slow, fast], surge, NOON, 1) == (slow,)
    told = Before(today={"2": replace(fast, gained=10, basis=Basis.HISTORY)})
    assert most_promising([famous, slow, fast], told, NOON, 3) == (fast, famous, slow)


async def test_searches_are_merged_and_the_week_comes_from_the_star_history() -> None:
    """One row a repository; awesome lists, forks and office tools do not come in; a renamed one is followed."""
    with both(WORLD, lambda: NOON) as server:
        harvest = await fetched(server)
    (capture,) = harvest.captures
    assert (capture.complete, harvest.problems) == (True, ())
    rows = by_name(capture)
    assert set(rows) == {
        "gristmill/grist", "halyard-io/halyard", "quoin/quoin", "bellwether/bell", "sallow/withy", "plover/plover-nlp",
    }  # fmt: skip
    halyard, withy = rows["halyard-io/halyard"], rows["sallow/withy"]
    assert (halyard.gained, halyard.basis, halyard.usual) == (10_430, Basis.HISTORY, 630.0)
    assert (withy.gained, withy.usual) == (3_280, 280.0)
    assert "/repositories/105/stargazers/history" in server.paths()


async def test_the_searches_are_as_the_paper_needs_them() -> None:
    """One topic each, recently pushed, no forks, by stars; fewer than the ten a minute that are free."""
    with both(WORLD, lambda: NOON) as server:
        await fetched(server)
    searches = [one for one in server.asked if one.path == "/search/repositories"]
    assert len(searches) == len(TOPICS) < 10
    assert f"topic:{TOPICS[0]} stars:>=1000 pushed:>=2026-11-16 fork:false archived:false" in {
        one.one("q") for one in searches
    }
    assert {one.headers["x-github-api-version"] for one in server.asked} == {"2026-03-10"}
    assert all(len(one.one("q")) <= 256 for one in searches)


async def test_one_failing_topic_makes_the_capture_partial() -> None:
    """The other topics are used; absence proves nothing then."""
    with both(WORLD, lambda: NOON) as server:
        server.fail("/search/repositories", web_page(), times=1)
        harvest = await fetched(server)
    assert harvest.captures[0].complete is False
    assert harvest.problems == ("GitHub answered 7 of 8 searches: GitHub could not be read: its answer was not JSON",)


async def test_an_answer_that_github_calls_incomplete_makes_the_capture_partial() -> None:
    """A time-out on its side: the rows are good, their absence is not."""
    with both(WORLD, lambda: NOON) as server:
        server.fail("/search/repositories", Reply({"incomplete_results": True, "items": [item()]}), times=1)
        harvest = await fetched(server)
    assert harvest.captures[0].complete is False
    assert harvest.problems == ()


@pytest.mark.parametrize("reply", [too_many(300), spent(int(NOON.timestamp()) + 55)], ids=["429", "403"])
async def test_a_spent_limit_ends_the_searches_at_once(reply: Reply) -> None:
    """No hammering on a closed door: the three under way end, and no other begins."""
    with both(WORLD, lambda: NOON) as server:
        server.fail("/search/repositories", reply)
        with pytest.raises(SourceError, match="asks us to wait") as caught:
            await fetched(server)
        assert caught.value.retry_after is not None
        assert len(server.asked) <= 3


async def test_a_limit_spent_half_way_keeps_what_was_found() -> None:
    """The search limit is met after some topics; then the histories are spent as well."""
    with both(WORLD, lambda: NOON) as server:
        answers = iter([True, True])

        def answer(asked: Asked) -> Reply:
            if asked.path == "/search/repositories" and next(answers, False):
                return Reply({"incomplete_results": False, "items": [item()]})
            return too_many(3_000)

        server._answer = answer
        harvest = await fetched(server)
    assert [row.name for row in harvest.captures[0].rows] == ["gristmill/grist"]
    assert harvest.captures[0].rows[0].gained is None
    assert harvest.captures[0].complete is False
    assert "GitHub answered 2 of 8 searches" in harvest.problems[0]
    assert "GitHub gave only some star histories" in harvest.problems[1]


async def test_searches_that_take_too_long_leave_time_for_nothing_but_the_report() -> None:
    """Everything ends within the deadline."""
    with both(WORLD, lambda: NOON) as server:
        server.fail("/search/repositories", hanging(2))
        with pytest.raises(SourceError, match="did not answer in time"):
            await fetched(server, 0.5)


async def test_topics_that_time_did_not_allow_make_the_capture_partial() -> None:
    """Every answer was good, but not every question was asked."""

    def slowly(asked: Asked) -> Reply:
        return Reply({"incomplete_results": False, "items": [item()]}, pause=0.25 if asked.path[1] == "s" else 0.0)

    with StandIn(slowly) as server:
        harvest = await fetched(server, 1)
    assert harvest.captures[0].complete is False
    assert "of 8 searches" in harvest.problems[0]


async def test_a_history_that_fails_costs_its_row_the_figure_and_no_more() -> None:
    """The repository is still counted."""
    with both(WORLD, lambda: NOON) as server:
        server.fail("/repos/halyard-io", server_error())
        server.fail("/repos/gristmill", Reply([]))
        harvest = await fetched(server)
    rows = by_name(harvest.captures[0])
    assert rows["halyard-io/halyard"].gained is rows["gristmill/grist"].gained is None
    assert rows["quoin/quoin"].gained == 420
    assert harvest.problems == ()


def crowd(size: int) -> World:
    """More repositories than may be asked about."""
    many = [Repository(1_000 + n, f"org{n}/tool", Growth(2_000, 10 + n)) for n in range(size)]
    return World(datetime(2026, 9, 24, tzinfo=UTC), repositories=many)


async def test_without_a_token_only_a_few_histories_are_asked_for() -> None:
    """Two runs an hour fit into GitHub's sixty free calls."""
    with both(crowd(60), lambda: NOON) as server:
        await fetched(server, 30)
    assert sum("history" in path and path.startswith("/repos/") for path in server.paths()) == HISTORIES


async def test_what_was_told_earlier_today_is_kept_and_others_are_asked_about() -> None:
    """So every run of a day knows more weeks than the one before."""
    with both(crowd(60), lambda: NOON) as server:
        first = (await fetched(server, 30)).captures[0]
        known = Before(today={row.external_id: row for row in first.rows})
        second = (await fetched(server, 30, known)).captures[0]
    told = [sum(row.gained is not None for row in capture.rows) for capture in (first, second)]
    assert told == [25, 40]


@pytest.mark.parametrize(("seconds", "together"), [(60, 1), (5, 3)])
async def test_requests_go_one_after_another_unless_somebody_waits(seconds: float, together: int) -> None:
    """Hourly collecting keeps GitHub's manners; a deadline of seconds goes three abreast, far below its limit."""
    most = under_way = 0

    async def deed(_: int) -> bool:
        nonlocal most, under_way
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.01)
        under_way -= 1
        return True

    await each(range(9), deed, Deadline(seconds, NOON))
    assert most == together
