"""What lets a million rows move in: what was met before, how many rows fit, references that lie together."""

from hypothesis import given
from hypothesis import strategies as st

from app.core.pace import Pace
from app.core.signing import opaque_references
from app.stages.audience.import_readers.seen import Marks


@given(st.lists(st.text(max_size=3)))
def test_marks_tell_what_a_set_tells(keys: list[str]) -> None:
    """New once, met ever after."""
    marks, met = Marks(), set[str]()
    for key in keys:
        assert marks.add(key) is (key not in met)
        met.add(key)
    assert len(marks) == len(met)


def test_marks_remember_through_their_growth() -> None:
    """The table is made anew several times on the way."""
    marks = Marks()
    keys = [f"reader{n}@example.org" for n in range(20_000)]
    assert all(marks.add(key) for key in keys)
    assert not any(marks.add(key) for key in keys)


def test_a_slow_transaction_makes_the_next_one_small_and_fast_ones_make_it_grow_slowly() -> None:
    """Within bounds on either side."""
    pace = Pace()
    pace.learn(250, 0.024)
    assert pace.rows == 125
    pace.learn(125, 0.001)
    assert pace.rows == 156
    pace.learn(156, 60)
    assert pace.rows == 50
    for _ in range(99):
        pace.learn(pace.rows, 0)
    assert pace.rows == 1000


def test_a_steady_pace_stays() -> None:
    """PostgreSQL, where a transaction holds up nobody."""
    pace = Pace(1000, steady=True)
    pace.learn(1000, 60)
    assert pace.rows == 1000


def test_references_begin_alike_and_differ() -> None:
    """The common beginning differs from one call to the next."""
    references = opaque_references(1000)
    assert len(set(references)) == 1000
    assert {len(one) for one in references} == {16}
    assert len({one[:4] for one in references}) == 1
    assert opaque_references(1)[0][:4] != references[0][:4]
    assert opaque_references(0) == []
