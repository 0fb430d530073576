"""The choice of stories, as a table."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.models.content import STORY_SECTIONS, Section
from app.stages.compose.pick import QUOTAS, Candidate, pick, shortage
from tests.people import DAY

TOOLS, LEAD, DIVE = Section.TOOLS, Section.LEAD, Section.DEEP_DIVE


def test_a_piece_meant_for_the_day_goes_first() -> None:
    """Then the oldest that wait, whether their day was missed or they had none."""
    waiting = [Candidate(1, TOOLS, None), Candidate(2, TOOLS, DAY - timedelta(days=2)), Candidate(3, TOOLS, DAY)]
    assert pick(waiting, DAY)[TOOLS] == [3, 1, 2]


def test_a_section_takes_no_more_than_its_quota() -> None:
    """What is over waits for another day."""
    chosen = pick([Candidate(index, LEAD, None) for index in range(1, 5)], DAY)
    assert chosen[LEAD] == [1]


@given(st.lists(st.sampled_from(STORY_SECTIONS), max_size=30), st.randoms())
def test_the_order_of_the_candidates_changes_nothing(sections: list[Section], random: object) -> None:
    """The same stories make the same paper, within every quota, none twice."""
    candidates = [Candidate(index, section, None) for index, section in enumerate(sections)]
    chosen = pick(candidates, DAY)
    random.shuffle(candidates)  # type: ignore[attr-defined]
    assert pick(candidates, DAY) == chosen
    assert all(len(ids) <= QUOTAS[section] and len(set(ids)) == len(ids) for section, ids in chosen.items())


def test_a_paper_is_a_lead_and_something_beside_it() -> None:
    """Charts count as something; a lead alone does not make a paper."""
    nothing = pick([], DAY)
    alone = pick([Candidate(1, LEAD, None)], DAY)
    both = pick([Candidate(1, LEAD, None), Candidate(2, DIVE, None)], DAY)
    assert shortage(nothing, [Section.TRENDING]) == "There is no lead story to print."
    assert shortage(alone, []) == "There is nothing to print beside the lead."
    assert shortage(alone, [Section.TRENDING]) == shortage(both, []) == ""
