"""The week's biggest movers, as a table of cases."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.counts import Row, Snapshot, TrendKind, TrendSource
from app.stages.collect.movers import MOST, movers, surprise
from tests.conftest import NOON


def row(name: str, **more: Any) -> Row:
    return Row(external_id=name, name=name, url="", count=90_000, **{"rank": 1, "gained": 1_000, **more})


def chart(*rows: Row, since: date | None = None) -> Snapshot:
    return Snapshot(TrendSource.GITHUB, TrendKind.REPOSITORY, NOON.date(), NOON, True, rows, since)


def names(*charts: Snapshot) -> list[str]:
    return [one.name for one in movers(charts)[0]]


@pytest.mark.parametrize(
    ("gained", "usual", "score"),
    [
        (10_400, 1_214.5, 253.4),
        (50, 0, 5.0),
        (49, 0, None),
        (1_500, 1_000, 15.1),
        (1_499, 1_000, None),
        (1_000, None, None),
        (None, 10, None),
    ],
)
def test_surprise_weighs_the_gain_against_the_usual_week(
    gained: int | None, usual: float | None, score: float | None
) -> None:
    """Eligible from 50, and from one and a half usual weeks."""
    found = surprise(row("a/a", gained=gained, usual=usual))
    assert found == (None if score is None else pytest.approx(score, abs=0.05))


def test_surprise_comes_first_then_places_climbed() -> None:
    """A large steady project does not win on size; without a usual week an arrow must go up."""
    found = names(
        chart(
            row("steady/giant", rank=1, was=1, gained=9_000, usual=8_500),
            row("mild/tool", rank=2, was=3, gained=900, usual=400),
            row("sudden/tool", rank=3, was=44, gained=4_000, usual=200),
            row("climbing/model", rank=4, was=9, gained=300),
            row("leaping/model", rank=5, was=60, gained=200),
            row("falling/model", rank=6, was=2, gained=250),
            row("unknown/model", rank=7, was=None, gained=900),
            row("small/model", rank=8, was=90, gained=49),
        )
    )
    assert found == ["sudden/tool", "mild/tool", "leaping/model", "climbing/model"]


def test_the_new_are_a_lane_of_their_own_by_gain() -> None:
    """Without a usual week; a newcomer to our chart that has one is judged like any other."""
    rows, since = movers(
        [
            chart(
                row("fresh/one", rank=2, new=True, gained=400),
                row("fresh/two", rank=1, new=True, gained=82_000),
                row("old/but-new-here", rank=3, new=True, gained=900, usual=100),
                row("fresh/tiny", rank=4, new=True, gained=12),
            )
        ]
    )
    assert since is None
    assert [(one.name, one.new, one.score is not None) for one in rows] == [
        ("old/but-new-here", True, True),
        ("fresh/two", True, False),
    ]


def test_a_row_beyond_the_first_hundred_is_no_mover() -> None:
    """Nor is one without a rank."""
    surge = {"gained": 500, "usual": 10}
    assert names(
        chart(row("a/a", rank=101, **surge), row("b/b", rank=None, **surge), row("c/c", rank=100, **surge))
    ) == ["c/c"]


def test_one_row_an_owner() -> None:
    """However many of its things move."""
    surge = {"usual": 10, "was": 50}
    found = names(
        chart(
            row("Org/one", gained=900, **surge),
            row("org/two", gained=800, **surge),
            row("other/x", gained=700, **surge),
        )
    )
    assert found == ["Org/one", "other/x"]


def test_while_nothing_can_be_compared_the_highest_of_each_chart_stand() -> None:
    """With the day measuring began, and never with a rank of last week or a "new"."""
    models = chart(row("m/1", rank=1, gained=300), row("n/2", rank=2, gained=200), since=date(2026, 11, 20))
    data = chart(row("d/1", rank=1, gained=80), row("e/2", rank=2, gained=40), since=date(2026, 11, 22))
    rows, since = movers([data, models])
    assert since == date(2026, 11, 20)
    assert [one.name for one in rows] == ["m/1", "d/1", "n/2", "e/2"]
    assert not any(one.new or one.was for one in rows)


def test_a_chart_that_can_be_compared_outweighs_one_that_cannot() -> None:
    """Models measured for weeks, datasets since yesterday: only models can be called movers."""
    models = chart(row("m/1", rank=1, was=9, gained=300))
    data = chart(row("d/1", rank=1, gained=900), since=date(2026, 11, 22))
    assert movers([models, data]) == movers([models])
    assert movers([chart(), data]) == ((), None)


def test_nothing_counted_gives_nothing() -> None:
    """No row, and no word about measuring."""
    assert movers([]) == ((), None)


_ROWS = st.lists(
    st.builds(
        row,
        st.from_regex(r"[a-d]/[a-z]{1,3}", fullmatch=True),
        rank=st.none() | st.integers(1, 120),
        was=st.none() | st.integers(1, 120),
        new=st.booleans(),
        gained=st.none() | st.integers(0, 5_000),
        usual=st.none() | st.floats(0, 3_000),
    ),
    max_size=30,
    unique_by=lambda one: one.external_id,
)


@given(_ROWS.flatmap(lambda rows: st.tuples(st.just(rows), st.permutations(rows))), st.booleans())
def test_the_order_of_the_rows_changes_nothing(case: Any, young: bool) -> None:
    """The same charts give the same movers, one an owner in each lane, every one with a gain."""
    rows, shuffled = case
    since = NOON.date() if young else None
    found = movers([chart(*rows, since=since)])
    assert found == movers([chart(*shuffled, since=since)])
    assert len(found[0]) <= 2 * MOST
    assert all(one.gained and one.rank for one in found[0])
