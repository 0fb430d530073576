"""GitHub: which repositories are ours, what is asked of it, and how little."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given

from app.core.errors import SourceError
from app.models.counts import Asked, NoteKind, Point, Row, Thing, TrendKind
from app.stages.collect import promise, releases, searches
from app.stages.collect.deadline import Deadline
from app.stages.collect.github import GitHub
from app.stages.collect.harvest import Before, Capture, Harvest
from app.stages.collect.history import agrees, counts_before, days_of, gained
from app.stages.collect.lanes import abreast, each
from app.stages.collect.measure import Counted, Facts
from app.stages.collect.refresh import A_CALL
from app.stages.collect.repositories import row_of
from tests.conftest import NOON
from tests.stages.collect.servers import both, search_item
from tests.stages.collect.standin import Asked as Request
from tests.stages.collect.standin import Reply, StandIn, hanging, server_error, spent, too_many, web_page
from tests.stages.collect.test_huggingface import JSON
from tests.stages.collect.weeks import counted, thing
from tests.stages.collect.world import Growth, Repository, World, small_world

TODAY = NOON.date()
WORLD = small_world(TODAY)
QUERIES = len(searches.queries(TODAY))


def item(**more: Any) -> dict[str, Any]:
    one = Repository(5, "gristmill/grist", Growth(2_000, 10), "Grinds long documents into short answers.")
    return {**search_item(one, 60, WORLD), **more}


async def fetched(
    server: StandIn, seconds: float = 5, before: Before | None = None, token: str = "", at: datetime = NOON
) -> Harvest:
    return await GitHub(server.url, "http://localhost", token).fetch(
        {TrendKind.REPOSITORY: before or Before()}, Deadline(seconds, at)
    )


def whole_round(asked: Mapping[str, Asked] | None = None, at: datetime = NOON) -> dict[str, Asked]:
    """Every search was answered whole an hour ago."""
    then = at - timedelta(hours=1)
    return {**{one.subject: Asked(then, then) for one in searches.queries(TODAY)}, **(asked or {})}


def known(*rows: Row, days: int = 1) -> Before:
    """Things that were counted `days` ago, and stand on the chart of that day."""
    day = TODAY - timedelta(days=days)
    things = {
        row.external_id: Thing(
            external_id=row.external_id, name=row.name, url=row.url, node_id=row.node_id, first_day=day, last_day=day,
            created_at=row.created_at,
        )
        for row in rows
    }  # fmt: skip
    series = {row.external_id: [Point(NOON - timedelta(days=days), row.count)] for row in rows}
    charted = {row.external_id: replace(row, rank=place) for place, row in enumerate(rows, 1)}
    return Before(things, series, charted=charted, asked=whole_round())


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
        {"private": True},
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


@pytest.mark.parametrize(
    ("name", "description", "found"),
    [
        ("gristmill/grist", "An LLM router for small machines", True),
        ("gristmill/coding-agents-kit", "Everything you need for it", True),
        ("gristmill/grist", "Fine-tuned on long documents", True),
        ("gristmill/grist", "A calendar for small offices", False),
        ("gristmill/dragon", "Agents of the estate trade", False),
    ],
)
def test_a_young_repository_without_topics_is_known_by_its_words(name: str, description: str, found: bool) -> None:
    """Many set no topic in their first days; a topic of another trade decides where there is one."""
    assert (row_of(item(full_name=name, description=description, topics=[])) is not None) is found
    assert row_of(item(full_name=name, description=description, topics=["automation"])) is None


@given(JSON)
def test_whatever_json_comes_is_read_or_left_out(value: Any) -> None:
    """Neither parser raises."""
    row_of(value)
    row_of(item(topics=value))
    row_of(item(description=value, created_at=value))
    days_of(value)
    gained(days_of([{"week": value, "days": value}]), NOON - timedelta(days=7), NOON)


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
def test_the_week_up_to_this_hour_is_read_whatever_the_weekday(weekday: int) -> None:
    """Six whole days, today so far, and of the first day the part after this hour."""
    now = NOON + timedelta(days=weekday)
    gains = [100, 200, 300, 400, 500, 600, 700] + [20] * 28
    days = days_of(weeks(*gains, until=now.date()))
    assert gained(days, now - timedelta(days=7), now) == 100 + 200 + 300 + 400 + 500 + 600 + 350
    assert gained({**days, now.date(): 40}, now - timedelta(days=7), now) == 2_490


def test_the_counts_of_earlier_days_are_worked_out_backwards_from_todays() -> None:
    """At this hour of each, marked as told, down to where a day is not known."""
    days = {TODAY - timedelta(days=back): 10 * back for back in range(5)}
    points = counts_before(days, 1_000, NOON, None)
    assert [(point.at, point.count, point.told) for point in points] == [
        (NOON - timedelta(days=4), 1_000 - 80, True),
        (NOON - timedelta(days=3), 1_000 - 45, True),
        (NOON - timedelta(days=2), 1_000 - 20, True),
        (NOON - timedelta(days=1), 1_000 - 5, True),
    ]


def test_no_count_is_worked_out_from_before_a_repository_was_made() -> None:
    """Its first days are known, and before them is nothing."""
    born = NOON - timedelta(days=3)
    points = counts_before({TODAY - timedelta(days=back): 9 for back in range(4)}, 36, NOON, born)
    assert [point.at for point in points] == [NOON - timedelta(days=back) for back in (3, 2, 1)]


@pytest.mark.parametrize("answer", [[], {}, None, [{"week": 1, "days": [1] * 6}], [{"week": None, "days": [1] * 7}]])
def test_a_history_that_holds_no_days_says_nothing(answer: Any) -> None:
    """Empty means "not available", never zero."""
    assert gained(days_of(answer), NOON - timedelta(days=7), NOON) is None
    assert counts_before(days_of(answer), 500, NOON, None) == ()


@pytest.mark.parametrize(
    ("ours", "theirs", "agree"),
    [(1_000, 905, True), (1_000, 890, False), (905, 1_000, True), (60, 84, True), (60, 90, False), (0, 0, True)],
)
def test_two_counts_of_a_week_agree_within_a_tenth_or_twenty_five(ours: int, theirs: int, agree: bool) -> None:
    """Days have other borders there, and stars that were taken back are missing."""
    assert agrees(ours, theirs) is agree


def test_the_most_promising_are_the_fast_not_the_famous() -> None:
    """Without counts of ours, the pace of a whole life; with them, the gain of the week."""

    def one(external_id: str, stars: int, days: int, *earlier: Point) -> Counted:
        row = thing(external_id, stars, created_at=NOON - timedelta(days=days))
        return Counted(row, [*earlier, Point(NOON, stars)])

    def asked(*things: Counted, most: int, before: Mapping[str, Asked] | None = None) -> list[str]:
        return [row.external_id for row in promise.most_promising(things, Facts(NOON), before or {}, most)]

    famous, fast, slow = one("famous", 150_000, 2_000), one("fast", 9_000, 30), one("slow", 3_000, 900)
    assert asked(famous, slow, fast, most=2) == ["fast", "famous"]
    surge = one("slow", 3_000, 900, Point(NOON - timedelta(days=7), 400))
    assert asked(famous, surge, fast, most=1) == ["slow"]
    assert asked(famous, slow, fast, most=3, before={"history:fast": Asked(NOON - timedelta(days=2))}) == [
        "famous", "slow",
    ]  # fmt: skip


def test_what_will_be_printed_is_asked_about_first_and_again_after_six_hours() -> None:
    """The first of the chart and those of the greatest surprise; in between the others have their turn."""
    steady = [counted(f"s{n}", gain=9_000 - n, before=9_000, usual=9_000) for n in range(9)]
    sudden, stranger = counted("sudden", gain=400, before=40, usual=40), Counted(thing("new", 80), [Point(NOON, 80)])

    def asked(before: Mapping[str, Asked]) -> list[str]:
        rows = promise.most_promising([*steady, sudden, stranger], Facts(NOON), before, 28)
        return [row.external_id for row in rows]

    first = asked({})
    assert first == [*(f"s{n}" for n in range(8)), "sudden", "new"]
    just = {f"history:{key}": Asked(NOON - timedelta(hours=1)) for key in first}
    assert asked(just) == []
    assert asked({key: Asked(NOON - timedelta(hours=6)) for key in just}) == first[:9]


@pytest.mark.parametrize(("token", "calls"), [(False, 28), (True, 120)])
def test_calls_by_the_hour_are_counted_off_the_rows(token: bool, calls: int) -> None:
    """Without a token two runs an hour fit into sixty, and a third one finds less."""
    assert promise.calls_left({}, NOON, token=token) == calls
    spent = {f"history:{n}": Asked(NOON - timedelta(minutes=5)) for n in range(50)}
    assert promise.calls_left(spent, NOON, token=token) == (6 if not token else 120)
    assert promise.calls_left(spent, NOON + timedelta(hours=1), token=token) == calls


async def test_searches_are_merged_and_the_weeks_before_come_from_the_star_history() -> None:
    """One row a repository; awesome lists, forks and office tools do not come in; histories are asked by number."""
    with both(WORLD, lambda: NOON) as server:
        harvest = await fetched(server, token="ghp_x")
    (capture,) = harvest.captures
    assert harvest.problems == ()
    assert set(by_name(capture)) == {
        "gristmill/grist", "halyard-io/halyard", "quoin/quoin", "bellwether/bell", "sallow/withy", "plover/plover-nlp",
    }  # fmt: skip
    assert gained(capture.histories["102"], NOON - timedelta(days=7), NOON) == 10_430
    assert "/repositories/105/stargazers/history" in server.paths()
    assert harvest.asked["history:102"] == Asked(harvest.asked["history:102"].at, harvest.asked["history:102"].at)


async def test_the_searches_are_as_the_paper_needs_them() -> None:
    """One topic each in two shapes, and plain words for the newborn; fewer than the ten a minute that are free."""
    with both(WORLD, lambda: NOON) as server:
        await fetched(server)
    asked = [one for one in server.asked if one.path == "/search/repositories"]
    assert len(asked) == searches.A_MINUTE < 10
    assert {one.one("q") for one in asked} >= {
        "topic:llm stars:>=1000 pushed:>=2026-11-16 fork:false archived:false",
        "topic:llm stars:>=50 created:>=2026-10-24 fork:false archived:false",
    }
    assert '"language model" in:name,description stars:>=50 created:>=2026-10-24 fork:false archived:false' in {
        one.text for one in searches.queries(TODAY)
    }
    assert {one.headers["x-github-api-version"] for one in server.asked if "releases" not in one.path} == {"2026-03-10"}
    assert all(len(one.text) <= 256 for one in searches.queries(TODAY))


def test_a_round_of_all_searches_takes_a_few_runs_without_a_token_and_one_with() -> None:
    """What waited longest comes first, and within a minute no more than the limit is asked."""
    asked: dict[str, Asked] = {}
    for hour in range(3):
        at = NOON + timedelta(hours=hour)
        now = searches.due(asked, at, token=False)
        assert len(now) == searches.A_MINUTE
        assert not asked.keys() & {one.subject for one in now}
        assert not searches.whole(asked, at)
        asked |= {one.subject: Asked(at, at) for one in now}
        assert searches.due(asked, at + timedelta(seconds=20), token=False) == []
    assert len(asked) == QUERIES <= searches.A_MINUTE_WITH_TOKEN
    assert searches.whole(asked, NOON + timedelta(hours=3))
    assert not searches.whole(asked, NOON + timedelta(hours=25))
    assert [one.subject for one in searches.due(asked, NOON + timedelta(hours=4), token=False)] == [
        one.subject for one in searches.queries(TODAY)[: searches.A_MINUTE]
    ]
    assert len(searches.due({}, NOON, token=True)) == QUERIES


async def test_a_token_asks_every_search_in_one_run() -> None:
    """The capture is whole then."""
    with both(WORLD, lambda: NOON) as server:
        harvest = await fetched(server, token="ghp_x")
    assert server.paths().count("/search/repositories") == QUERIES
    assert harvest.captures[0].complete is True


async def test_the_last_search_of_a_round_makes_the_capture_whole() -> None:
    """Those answered earlier today count."""
    before = whole_round()
    missing = searches.queries(TODAY)[0].subject
    del before[missing]
    with both(WORLD, lambda: NOON) as server:
        harvest = await fetched(server, before=Before(asked=before))
        assert harvest.captures[0].complete is True
        server.fail("/search", Reply({"incomplete_results": True, "items": [item()]}))
        harvest = await fetched(server, before=Before(asked=before))
    assert harvest.captures[0].complete is False
    assert harvest.asked[missing].whole_at is None


async def test_one_failing_topic_makes_the_capture_partial() -> None:
    """The other topics are used; absence proves nothing then."""
    with both(WORLD, lambda: NOON) as server:
        server.fail("/search/repositories", web_page(), times=1)
        harvest = await fetched(server, token="ghp_x")
    assert harvest.captures[0].complete is False
    assert harvest.problems == (
        f"GitHub answered {QUERIES - 1} of {QUERIES} searches: GitHub could not be read: its answer was not JSON",
    )


async def test_an_answer_that_github_calls_incomplete_makes_the_capture_partial() -> None:
    """A time-out on its side: the rows are good, their absence is not."""
    with both(WORLD, lambda: NOON) as server:
        server.fail("/search/repositories", Reply({"incomplete_results": True, "items": [item()]}), times=1)
        harvest = await fetched(server, token="ghp_x")
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


async def test_a_good_answer_that_spends_the_last_call_is_the_last_question() -> None:
    """`X-RateLimit-Remaining: 0`: the headers are believed before GitHub has to say no."""
    last = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(NOON.timestamp()) + 50)}
    with both(WORLD, lambda: NOON) as server:
        server.fail("/search/repositories", Reply({"incomplete_results": False, "items": [item()]}, 200, last))
        harvest = await fetched(server, 40)
    assert server.paths().count("/search/repositories") == 1
    assert "its limit is spent for another 51 s" in harvest.problems[0]
    assert server.paths().count("/repositories/5/stargazers/history") == 1


async def test_a_limit_spent_half_way_keeps_what_was_found() -> None:
    """The search limit is met after some topics; then the histories are spent as well."""
    with both(WORLD, lambda: NOON) as server:
        answers = iter([True, True])

        def answer(asked: Request) -> Reply:
            if asked.path == "/search/repositories" and next(answers, False):
                return Reply({"incomplete_results": False, "items": [item()]})
            return too_many(3_000)

        server._answer = answer
        harvest = await fetched(server)
    assert [row.name for row in harvest.captures[0].rows] == ["gristmill/grist"]
    assert harvest.captures[0].histories == {}
    assert harvest.captures[0].complete is False
    assert "GitHub answered 2 of " in harvest.problems[0]
    assert "GitHub gave only some star histories" in harvest.problems[1]


async def test_searches_that_take_too_long_leave_time_for_nothing_but_the_report() -> None:
    """Everything ends within the deadline."""
    with both(WORLD, lambda: NOON) as server:
        server.fail("/search/repositories", hanging(2))
        with pytest.raises(SourceError, match="did not answer in time"):
            await fetched(server, 0.5)


async def test_searches_that_time_did_not_allow_wait_for_the_next_run() -> None:
    """Every answer was good, but not every question was asked: the capture is partial, and the rest comes first."""

    def slowly(asked: Request) -> Reply:
        return Reply({"incomplete_results": False, "items": [item()]}, pause=0.25 if asked.path[1] == "s" else 0.0)

    with StandIn(slowly) as server:
        harvest = await fetched(server, 1)
    assert harvest.captures[0].complete is False
    assert 0 < sum(subject.startswith("search:") for subject in harvest.asked) < searches.A_MINUTE


async def test_a_history_that_fails_costs_its_row_the_figure_and_no_more() -> None:
    """The repository is still counted, and asked about again another day."""
    with both(WORLD, lambda: NOON) as server:
        server.fail("/repositories/102/", server_error())
        server.fail("/repositories/101/", Reply([]))
        harvest = await fetched(server)
    capture = harvest.captures[0]
    assert {"102", "101"}.isdisjoint(capture.histories)
    assert "103" in capture.histories
    assert {"halyard-io/halyard", "gristmill/grist"} <= set(by_name(capture))
    assert harvest.asked["history:102"].whole_at is harvest.asked["history:101"].whole_at is None
    assert harvest.problems == ()


def tracked(count: int) -> Before:
    """Things that no search will name."""
    return known(*(thing(str(5_000 + n), 900, name=f"org{n}/tool", node_id=f"R_{5_000 + n}") for n in range(count)))


async def test_with_a_token_what_no_search_named_is_counted_by_the_hundred() -> None:
    """GraphQL `nodes(ids)`: 230 are three calls; a renamed one keeps its number, a deleted one is closed."""
    world = World(WORLD.began, repositories=[
        Repository(5_000 + n, f"org{n}/tool" if n else "elsewhere/tool", Growth(900, 1), gone=n == 7)
        for n in range(230)
    ])  # fmt: skip
    with both(world, lambda: NOON) as server:
        harvest = await fetched(server, before=tracked(230), token="ghp_x")
        calls = [json.loads(one.body) for one in server.asked if one.path == "/graphql"]
    asked = [one["variables"]["ids"] for one in calls]  # side by side, so in any order
    assert sorted(len(ids) for ids in asked) == [30, A_CALL, A_CALL]
    assert len({one for ids in asked for one in ids}) == 230
    capture = harvest.captures[0]
    assert len(capture.rows) == 229
    assert {row.external_id: row.name for row in capture.rows}["5000"] == "elsewhere/tool"
    assert capture.closed == {"5007"}
    assert harvest.problems == ()


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (Reply({"errors": [{"type": "RATE_LIMITED", "message": "rate limit exceeded"}]}), "rate limit exceeded"),
        (too_many(90), "asks us to wait 90 s"),
        (web_page(), "its answer was not JSON"),
    ],
    ids=["said in a 200", "429", "HTML"],
)
async def test_a_refused_graphql_call_costs_those_counts_and_closes_nothing(reply: Reply, why: str) -> None:
    """What was found by searching stays, and the report says what is missing."""
    with both(WORLD, lambda: NOON) as server:
        server.fail("/graphql", reply)
        harvest = await fetched(server, before=tracked(3), token="ghp_x")
    assert len(harvest.captures[0].rows) == 6
    assert harvest.captures[0].closed == frozenset()
    (problem,) = harvest.problems
    assert problem.startswith("GitHub did not count every repository by number: ")
    assert why in problem


async def test_without_a_token_the_chart_is_counted_by_number_where_no_search_named_it() -> None:
    """A few calls: the highest of the newest chart. 404 and 451 end a series; an archived one is no news either."""
    names = {201: "r/one", 202: "r/gone", 203: "r/archived", 204: "r/taken-down", 205: "r/moved"}
    world = World(WORLD.began, repositories=[
        Repository(number, "new/moved" if number == 205 else name, Growth(800, 2), gone=number == 202,
                   archived=number == 203)
        for number, name in names.items()
    ])  # fmt: skip
    before = known(*(thing(str(number), 850, name=name) for number, name in names.items()))
    with both(world, lambda: NOON) as server:
        server.fail("/repositories/204", Reply({"message": "Repository access blocked"}, 451))
        harvest = await fetched(server, before=before)
    capture = harvest.captures[0]
    assert {row.external_id: (row.name, row.count) for row in capture.rows} == {
        "201": ("r/one", 921), "205": ("new/moved", 921),
    }  # fmt: skip
    assert capture.closed == {"202", "203", "204"}
    assert {"repository:201", "repository:205"} <= set(harvest.asked)


async def test_with_the_minutes_searches_spent_nothing_fails() -> None:
    """The hourly run has just been: the morning's run counts by number and confirms."""
    before = known(thing("101", 86_000, name="gristmill/grist"))
    just = {one.subject: Asked(NOON - timedelta(seconds=9), NOON) for one in searches.queries(TODAY)}
    with both(WORLD, lambda: NOON) as server:
        harvest = await fetched(server, before=replace(before, asked=just))
        assert "/search/repositories" not in server.paths()
        nothing = await fetched(server, before=Before(asked=just))
    assert [row.name for row in harvest.captures[0].rows] == ["gristmill/grist"]
    assert harvest.problems == ()
    assert nothing.captures[0].rows == ()


def feed(*entries: tuple[str, str, str]) -> bytes:
    told = "".join(
        f'<entry><updated>{at}</updated><link rel="alternate" href="{link}"/><title>{title}</title></entry>'
        for at, link, title in entries
    )
    return f'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom">{told}</feed>'.encode()


def test_the_newest_release_is_read_and_its_address_made_from_the_name() -> None:
    """Never an address out of the feed; a title without its pictures."""
    row = thing("101", 5, name="gristmill/grist")
    note = releases.newest_in(
        feed(("2026-11-01T09:00:00Z", "https://github.com/gristmill/grist/releases/tag/v1", "v1"),
             ("2026-11-20T09:00:00Z", "https://elsewhere.example/releases/tag/v2.0", "🚀 v2.0 &amp; more")),
        row,
    )  # fmt: skip
    assert note is not None
    assert (note.title, note.url) == ("v2.0 & more", "https://github.com/gristmill/grist/releases/tag/v2.0")
    assert (note.kind, note.at) == (NoteKind.RELEASE, datetime(2026, 11, 20, 9, tzinfo=UTC))


@pytest.mark.parametrize(
    "bad",
    [
        b"", b"<!doctype html><title>Unicorn!</title>", b"<feed>", feed(), b"[]",
        feed(("yesterday", "https://github.com/a/b/releases/tag/v1", "v1")),
        feed(("2026-11-01T09:00:00Z", "https://github.com/a/b/commits", "v1")),
        feed(("2026-11-01T09:00:00Z", "https://github.com/a/b/releases/tag/v1", "   ")),
        b'<!DOCTYPE f [<!ENTITY b "bb">]><feed xmlns="http://www.w3.org/2005/Atom"><entry><title>&b;</title></entry></feed>',
    ],
)  # fmt: skip
def test_a_feed_that_cannot_be_read_gives_no_release(bad: bytes) -> None:
    """Nor does one that plays with entities."""
    assert releases.newest_in(bad, thing("101", 5, name="a/b")) is None


@pytest.mark.parametrize(
    ("api", "site"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://git.example.org/api/v3", "https://git.example.org"),
        ("http://127.0.0.1:8100", "http://127.0.0.1:8100"),
    ],
)
def test_the_web_site_lies_beside_the_api(api: str, site: str) -> None:
    """No setting of its own."""
    assert releases.site_of(api) == site


async def test_releases_are_asked_for_what_may_be_printed_twice_a_day_at_most() -> None:
    """From the web site, which costs nothing of the API's limits."""
    world = small_world(TODAY)
    world.change(101, releases=((57, "v2.0"), (40, "v1.9")))
    before = known(thing("101", 86_000, name="gristmill/grist"), days=7)
    with both(world, lambda: NOON) as server:
        harvest = await fetched(server, before=before)
        assert server.paths().count("/gristmill/grist/releases.atom") == 1
        again = await fetched(server, before=replace(before, asked={**before.asked, **harvest.asked}))
        assert server.paths().count("/gristmill/grist/releases.atom") == 1
    assert [(note.external_id, note.title) for note in harvest.captures[0].notes] == [("101", "v2.0")]
    assert again.captures[0].notes == []


def crowd(size: int) -> World:
    """More repositories than may be asked about."""
    many = [Repository(1_000 + n, f"org{n}/tool", Growth(2_000, 10 + n)) for n in range(size)]
    return World(datetime(2026, 9, 24, tzinfo=UTC), repositories=many)


async def test_without_a_token_only_a_few_histories_are_asked_for() -> None:
    """Two runs an hour fit into GitHub's sixty free calls."""
    with both(crowd(60), lambda: NOON) as server:
        await fetched(server, 40)
    assert sum("history" in path for path in server.paths()) == promise.A_RUN


async def test_the_next_run_asks_about_others() -> None:
    """So every run of a day knows more weeks than the one before."""
    with both(crowd(60), lambda: NOON) as server:
        first = await fetched(server, 40)
        asked = {subject: one for subject, one in first.asked.items() if subject.startswith("history:")}
        second = await fetched(server, 40, Before(asked=asked), at=NOON + timedelta(hours=1))
    told = [set(harvest.captures[0].histories) for harvest in (first, second)]
    assert [len(one) for one in told] == [promise.A_RUN, promise.A_RUN]
    assert told[0].isdisjoint(told[1])


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

    deadline = Deadline(seconds, NOON)
    await each(range(9), deed, deadline, abreast(deadline))
    assert most == together
