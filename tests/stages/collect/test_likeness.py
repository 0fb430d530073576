"""Two headlines of one piece of news are known as such, and two of different news are not taken for one."""

import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.stages.collect.likeness import alike, clusters, essence, near

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
WORDS = st.sampled_from([
    "harbour", "kiln", "lantern", "model", "5", "4.5", "opens", "agents", "weights", "faster", "GPUs", "the",
    "new", "of"
])  # fmt: skip
TITLES = st.lists(WORDS, max_size=9).map(" ".join)

ALIKE = [
    ("Harbour opens the weights of its lantern model", "Harbour Opens Weights of Its Lantern Model"),
    ("Show HN: A scheduler for idle GPUs in small labs", "A scheduler for idle GPUs in small labs"),
    ("A scheduler for idle GPUs in small labs | Kiln News", "A scheduler for idle GPUs in small labs"),
    ("Introducing Lantern 3", "Lantern 3"),
    ("Die Donau\u00addampf\u00adschiff\u00adfahrt ist neu hier", "Die Donaudampfschifffahrt ist neu hier"),
    ("Café scheduling with small language models", "Cafe scheduling with small language model"),
    ("Kiln agents run offline on one small laptop", "Kiln’s agents run offline on one laptop [pdf]"),
]
NOT_ALIKE = [
    ("Lantern 3 tops the long-context reading test", "Lantern 4 tops the long-context reading test"),
    ("Kiln 2.5 is out and runs on small phones", "Kiln 3 is out and runs on small phones"),
    ("Workspace agents", "Workspace agents in the harbour"),
    ("Who is hiring? (May)", "Who wants to be hired? (May)"),
    ("Harbour buys a chip maker in Wales", "Harbour sells a ship maker in Wales"),
    ("Hearth capsules for files in the harbour", "Hearth capsules for memory in the harbour"),
    ("", ""),
]


@pytest.mark.parametrize(("one", "other"), ALIKE)
def test_one_piece_of_news_is_known_again(one: str, other: str) -> None:
    """In another house's typography, with another house's name on it, or a word more."""
    assert alike(essence(one), essence(other))


@pytest.mark.parametrize(("one", "other"), NOT_ALIKE)
def test_different_news_stay_apart(one: str, other: str) -> None:
    """A version number is the news; and two short headlines must be the same to be one."""
    assert not alike(essence(one), essence(other))


@given(TITLES, TITLES)
def test_likeness_does_not_ask_who_was_first(one: str, other: str) -> None:
    """Symmetric, and true of a headline and itself."""
    assert alike(essence(one), essence(other)) == alike(essence(other), essence(one))
    assert alike(essence(one), essence(one)) == bool(essence(one))


@given(st.lists(st.tuples(TITLES, st.integers(0, 200)), max_size=12), st.integers())
def test_clusters_do_not_depend_on_the_order(news: list[tuple[str, int]], seed: int) -> None:
    """Every headline is in one cluster, and shuffling them gives the same ones."""
    order = list(range(len(news)))
    random.Random(seed).shuffle(order)

    def partition(indexes: list[int]) -> set[frozenset[int]]:
        essences = [essence(news[index][0]) for index in indexes]
        at = [NOON + timedelta(hours=news[index][1]) for index in indexes]
        return {frozenset(indexes[one] for one in cluster) for cluster in clusters(essences, at)}

    assert partition(order) == partition(sorted(order))
    assert sorted(index for cluster in partition(order) for index in cluster) == sorted(order)


@given(st.text(max_size=300))
def test_any_text_has_an_essence(title: str) -> None:
    """Of at most forty words; and taking it again from its own words gives no other."""
    words = essence(title)
    assert len(words) <= 40
    assert essence(title) == words


def test_news_more_than_three_days_apart_is_not_one() -> None:
    """The same headline a week later tells of something else."""
    assert near(NOON, NOON + timedelta(hours=72))
    assert not near(NOON, NOON + timedelta(hours=73))
    title = essence("Harbour opens the weights of its lantern model")
    assert len(clusters([title, title], [NOON, NOON + timedelta(days=7)])) == 2
