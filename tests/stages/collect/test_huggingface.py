"""The Hub's rows with all the traps that its real answers hold, and the folding of repacks."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import SourceError
from app.models.counts import Basis, Row, TrendKind
from app.stages.collect.deadline import Deadline
from app.stages.collect.harvest import Harvest
from app.stages.collect.huggingface import HuggingFace, capture_of
from app.stages.collect.papers import rows_of as papers_of
from tests.conftest import NOON
from tests.stages.collect.servers import both
from tests.stages.collect.standin import Reply, StandIn, server_error, web_page
from tests.stages.collect.world import small_world

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


def item(number: int, name: str, score: float | None = 10, **more: Any) -> dict[str, Any]:
    return {"_id": f"{number:024x}", "id": name, "likes": 100 + number, "trendingScore": score, **more}


def read(*items: Any, kind: TrendKind = TrendKind.MODEL) -> dict[str, Row]:
    return {row.name: row for row in capture_of(list(items), kind, NOON).rows}


def test_a_row_is_read_with_its_task_and_its_likes_of_the_week() -> None:
    """The score is a float at times; it is about the likes of seven days, so the gain is an estimate."""
    row = read(item(7, "murmuration/starling", 42.5, pipeline_tag="automatic-speech-recognition"))[
        "murmuration/starling"
    ]
    assert (row.external_id, row.count, row.score) == ("0" * 23 + "7", 107, 42.5)
    assert (row.gained, row.basis) == (42, Basis.ESTIMATE)
    assert row.detail == "speech recognition"
    assert row.url == "https://huggingface.co/murmuration/starling"


def test_a_dataset_tells_what_it_holds_by_its_modalities() -> None:
    """Its page lies below /datasets."""
    tags = ["modality:text", "modality:tabular", "region:us"]
    row = read(item(1, "copperleaf/ledger", tags=tags), kind=TrendKind.DATASET)["copperleaf/ledger"]
    assert (row.detail, row.url) == ("tabular, text", "https://huggingface.co/datasets/copperleaf/ledger")


@pytest.mark.parametrize(
    "extra",
    [
        {"gated": "auto", "cardData": {"license": ["mit", "other"]}},
        {"gated": False, "cardData": {"license": "mit"}},
        {"cardData": {"license": []}},
        {"tags": None, "pipeline_tag": None, "createdAt": "yesterday", "baseModels": []},
        {"tags": [1, None, "base_model:"], "baseModels": {"models": ["x"]}, "createdAt": 5},
    ],
)
def test_fields_of_changing_type_never_cost_a_row(extra: dict[str, Any]) -> None:
    """`gated` is a truth value or a word, a licence a word or a list, and anything may be absent."""
    assert read(item(1, "oldstyle", **extra))["oldstyle"].count == 101


@pytest.mark.parametrize(
    "bad",
    [
        None,
        "oldstyle",
        {"id": "no/likes"},
        item(1, "../etc/passwd"),
        item(1, "three/part/name"),
        item(1, "spaced out/name"),
        item(1, "x" * 97 + "/y"),
        item(1, "a/b", likes=-1),
        item(1, "a/b", likes="12"),
        item(1, "a/b", likes=True),
        item(1, "a/b", likes=10**30),
        item(1, "a/b", private=True),
        item(1, "a/b", disabled=True),
    ],
)
def test_a_row_that_cannot_be_read_is_left_out_and_the_others_stay(bad: Any) -> None:
    """One bad row never costs the chart."""
    assert list(read(bad, item(2, "good/one"))) == ["good/one"]


@pytest.mark.parametrize("answer", [[], {}, {"error": "x"}, None, 7, ["row"], [{"id": "a/b"}]])
def test_an_answer_without_a_single_row_is_a_failure(answer: Any) -> None:
    """An empty chart is never "nothing trends": it is an answer we do not understand."""
    with pytest.raises(SourceError, match="had no row we understand"):
        capture_of(answer, TrendKind.MODEL, NOON)


@given(JSON)
def test_whatever_json_comes_is_read_or_refused(answer: Any) -> None:
    """Nothing but SourceError leaves the parser."""
    try:
        capture_of(answer, TrendKind.MODEL, NOON)
        capture_of(
            [answer, item(1, "a/b", tags=answer, createdAt=answer, baseModels=answer, downloads=answer)],
            TrendKind.MODEL,
            NOON,
        )
        papers_of(answer)
        papers_of([answer, {"paper": answer}, paper("2611.00001", githubRepo=answer, submittedOnDailyAt=answer)])
    except SourceError:
        pass


def paper(arxiv: str, **more: Any) -> dict[str, Any]:
    return {"paper": {"id": arxiv, "title": "On Small Parsers", "upvotes": 12, **more}, "publishedAt": "2026-11-01"}


def test_a_daily_paper_is_read_with_the_repository_it_brings() -> None:
    """By arXiv id; its day is the one on which it was put on the list."""
    told = paper("2611.00102", githubRepo="https://github.com/Halyard-io/halyard.git",
                 submittedOnDailyAt="2026-11-20T00:00:00.000Z", publishedAt="2026-11-18T00:00:00.000Z")  # fmt: skip
    (row,) = papers_of([told])
    assert (row.external_id, row.name, row.count) == ("2611.00102", "On Small Parsers", 12)
    assert (row.link, row.url) == ("halyard-io/halyard", "https://huggingface.co/papers/2611.00102")
    assert row.created_at == datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize("repository", ["https://gitlab.com/a/b", "https://github.com/only-owner", "", None, 5])
def test_a_repository_elsewhere_joins_no_paper(repository: Any) -> None:
    """The paper is counted all the same."""
    (row,) = papers_of([paper("2611.00102", githubRepo=repository)])
    assert row.link == ""


def test_a_weekend_without_papers_is_healthy() -> None:
    """An empty list is no failure; a list that holds nothing we know is one, and so is anything but a list."""
    assert papers_of([]) == ()
    for bad in ([{"paper": {"id": "x"}}], {"error": "bad date"}, None):
        with pytest.raises(SourceError, match="daily papers"):
            papers_of(bad)


@pytest.mark.parametrize(
    ("downloads", "age", "told"), [(900, 400, 900), (0, 1, None), (0, 40, 0), (None, 9, None), ("12", 9, None)]
)
def test_downloads_are_unknown_rather_than_zero_on_a_models_first_days(
    downloads: Any, age: int, told: int | None
) -> None:
    """They are counted once a day; a zero of the first two days is not a figure."""
    made = (NOON - timedelta(days=age)).isoformat()
    assert read(item(1, "a/b", downloads=downloads, createdAt=made))["a/b"].downloads == told


def test_repacks_fold_into_the_base_they_were_made_from() -> None:
    """By tag or by `baseModels`; the base's own numbers are printed, though a repack stands higher."""
    rows = read(
        item(1, "lab/wick", 50),
        item(2, "packer/wick-GGUF", 90, tags=["base_model:lab/wick", "base_model:quantized:lab/wick"]),
        item(3, "other/wick-lora", 20, baseModels={"relation": "adapter", "models": [{"_id": "x", "id": "lab/wick"}]}),
        item(4, "third/wick-lora-GGUF", 5, tags=["base_model:quantized:other/wick-lora"]),
    )
    assert {name: (row.variants, row.score) for name, row in rows.items()} == {"lab/wick": (3, 50)}


def test_repacks_of_a_base_that_is_not_listed_share_one_row() -> None:
    """The highest of them stands for all, under its own name."""
    rows = read(
        item(1, "a/wick-GGUF", 30, tags=["base_model:quantized:lab/wick"]),
        item(2, "b/wick-AWQ", 40, tags=["base_model:quantized:lab/wick"]),
    )
    assert {name: row.variants for name, row in rows.items()} == {"b/wick-AWQ": 1}


def test_a_fine_tune_is_news_of_its_own_unless_its_base_stands_above_it() -> None:
    """A new model made from last year's base keeps its row; the tenth copy of today's does not get one."""
    rows = read(
        item(1, "lab/base", 50),
        item(2, "lab/base-reasoning", 80, tags=["base_model:finetune:lab/base"]),
        item(3, "someone/base-unfettered", 30, tags=["base_model:finetune:lab/base"]),
        item(4, "studio/speech", 20, tags=["base_model:finetune:far/away"]),
    )
    assert {name: row.variants for name, row in rows.items()} == {
        "lab/base": 1,
        "lab/base-reasoning": 0,
        "studio/speech": 0,
    }


def test_models_that_name_each_other_as_base_do_not_hang_the_reader() -> None:
    """A circle ends where it closes."""
    rows = read(
        item(1, "a/one", 5, tags=["base_model:quantized:b/two"]),
        item(2, "b/two", 4, tags=["base_model:quantized:a/one"]),
        item(3, "c/self", 3, tags=["base_model:quantized:c/self"]),
    )
    assert sum(row.variants + 1 for row in rows.values()) == 3


_RELATIONS = st.sampled_from(["quantized", "adapter", "merge", "finetune"])


@given(
    st.lists(st.tuples(st.integers(0, 8), _RELATIONS, st.integers(0, 3)), min_size=1, max_size=9).flatmap(
        lambda links: st.tuples(st.just(links), st.permutations(range(len(links))))
    )
)
def test_the_order_of_the_answer_changes_nothing(case: Any) -> None:
    """However bases point at each other: the same rows give the same chart, and no row is lost or counted twice."""
    links, order = case
    items = [
        item(n, f"org/m{n}", score, tags=[f"base_model:{relation}:org/m{base}"])
        for n, (base, relation, score) in enumerate(links)
    ]
    straight, shuffled = read(*items), read(*(items[index] for index in order))
    assert straight == shuffled
    assert sum(row.variants + 1 for row in straight.values()) == len(items)


async def fetched(server: StandIn, seconds: float = 5) -> Harvest:
    return await HuggingFace(server.url, "http://localhost").fetch({}, Deadline(seconds, NOON))


async def test_every_list_is_asked_for_what_the_paper_needs() -> None:
    """Models, datasets and spaces by score, with the properties named; a space may bear a model's name."""
    with both(small_world(NOON.date()), lambda: NOON) as server:
        harvest = await fetched(server)
    assert [capture.kind for capture in harvest.captures] == [
        TrendKind.MODEL, TrendKind.DATASET, TrendKind.SPACE, TrendKind.PAPER,
    ]  # fmt: skip
    assert harvest.problems == ()
    asked = {one.path: one for one in server.asked}["/api/models"]
    assert (asked.one("sort"), asked.one("limit")) == ("trendingScore", "100")
    assert {"likes", "downloads", "trendingScore", "tags"} <= set(asked.query["expand[]"])
    spaces = {row.name: row.url for row in harvest.captures[2].rows}
    assert spaces["fernbank/frond-tts"] == "https://huggingface.co/spaces/fernbank/frond-tts"


async def test_one_list_failing_leaves_the_others() -> None:
    """The datasets are down, the models are printed, and the report says which is missing."""
    with both(small_world(NOON.date()), lambda: NOON) as server:
        server.fail("/api/datasets", server_error())
        server.fail("/api/trending", server_error())
        harvest = await fetched(server)
    assert [capture.kind for capture in harvest.captures] == [TrendKind.MODEL, TrendKind.SPACE, TrendKind.PAPER]
    assert harvest.problems == ("No list of datasets: Hugging Face could not be read: it answered 500",)


async def test_where_a_list_fails_the_hubs_home_page_stands_in() -> None:
    """In its order and without a score; not whole, so that an absence proves nothing."""
    with both(small_world(NOON.date()), lambda: NOON) as server:
        whole = (await fetched(server)).captures[0]
        server.fail("/api/models", web_page())
        harvest = await fetched(server)
    short = harvest.captures[0]
    assert (short.kind, short.complete, short.ordered) == (TrendKind.MODEL, False, True)
    assert {row.score for row in short.rows} == {row.gained for row in short.rows} == {None}
    assert short.rows[0].name == max(whole.rows, key=lambda row: row.score or 0).name
    assert harvest.problems == (
        "Only the short list of models: Hugging Face could not be read: its answer was not JSON",
    )


async def test_a_spent_window_is_left_alone() -> None:
    """`RateLimit: "api";r=0;t=279` with a good answer: nothing more is asked, the fallback neither."""
    with both(small_world(NOON.date()), lambda: NOON) as server:
        server.fail("/api", Reply({"error": "rate limited"}, 429, {"RateLimit": '"api";r=0;t=279'}))
        with pytest.raises(SourceError, match="asks us to wait 280 s") as caught:
            await fetched(server)
        assert caught.value.retry_after == 280
        assert "/api/trending" not in server.paths()
