"""The choice of stories, as a table."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.content import STORY_SECTIONS, Section
from app.stages.compose.pick import A_SOURCE, QUOTAS, Candidate, Chosen, Wishes, pick, shortage
from tests.people import DAY

TOOLS, LEAD, DIVE, OPINION = Section.TOOLS, Section.LEAD, Section.DEEP_DIVE, Section.OPINION


def ids(chosen: Chosen, section: Section) -> list[int]:
    return [one.id for one in chosen[section]]


def test_a_piece_meant_for_the_day_goes_first() -> None:
    """Then the oldest that wait, whether their day was missed or they had none."""
    waiting = [Candidate(1, TOOLS), Candidate(2, TOOLS, DAY - timedelta(days=2)), Candidate(3, TOOLS, DAY)]
    assert ids(pick(waiting, DAY), TOOLS) == [3, 1, 2]


def test_every_pick_says_why() -> None:
    """In words for the editor."""
    waiting = [
        Candidate(1, TOOLS, since=DAY - timedelta(days=3)),
        Candidate(2, TOOLS, DAY - timedelta(days=2), since=DAY - timedelta(days=3)),
        Candidate(3, TOOLS, DAY),
        Candidate(4, TOOLS, gathered=True, score=1.0, why="412 points on Hacker News, 9 h old, 2 sources"),
    ]
    assert [one.reason for one in pick(waiting, DAY)[TOOLS]] == [
        "chosen for this date by the editor",
        "waiting since 20 November",
        "waiting since 20 November, meant for 21 November",
        "candidate: 412 points on Hacker News, 9 h old, 2 sources",
    ]


def test_a_section_takes_no_more_than_its_quota() -> None:
    """What is over waits for another day."""
    assert ids(pick([Candidate(index, LEAD) for index in range(1, 5)], DAY), LEAD) == [1]


def test_what_an_editor_wrote_goes_before_anything_gathered() -> None:
    """However much speaks for it; candidates fill what is left, the best first."""
    found = [Candidate(index, OPINION, gathered=True, score=float(index), source=index) for index in (1, 2, 3)]
    assert ids(pick([*found, Candidate(9, OPINION)], DAY), OPINION) == [9, 3]


def test_what_was_gathered_never_leads() -> None:
    """A paper's first words are an editor's, unless an operator puts a candidate there by hand."""
    found = [Candidate(1, LEAD, gathered=True, score=9.0)]
    assert ids(pick(found, DAY), LEAD) == []
    assert ids(pick(found, DAY, Wishes(pinned={LEAD: [1]})), LEAD) == [1]


def test_no_source_crowds_the_paper() -> None:
    """Two of one source at most, and the second counts half."""
    loud = [Candidate(index, TOOLS, gathered=True, score=10.0 - index, source=1) for index in range(4)]
    quiet = [Candidate(10, TOOLS, gathered=True, score=6.0, source=2)]
    assert ids(pick([*loud, *quiet], DAY), TOOLS) == [0, 10, 1]


def test_wishes_come_first_and_are_in_order() -> None:
    """A pinned story stands in the section it was put in; one that is gone is passed over; one taken out stays out."""
    waiting = [Candidate(1, TOOLS), Candidate(2, TOOLS), Candidate(3, OPINION), Candidate(4, TOOLS, DAY)]
    chosen = pick(waiting, DAY, Wishes(pinned={TOOLS: [3, 77, 2]}, removed=[4]))
    assert ids(chosen, TOOLS) == [3, 2, 1]
    assert chosen[TOOLS][0].reason == "put here by an operator"
    assert ids(chosen, OPINION) == []


@st.composite
def desks(draw: st.DrawFn) -> list[Candidate]:
    return [
        Candidate(
            index,
            draw(st.sampled_from(STORY_SECTIONS)),
            gathered=draw(st.booleans()),
            score=draw(st.sampled_from([0.0, 0.5, 1.0, 2.0])),
            source=draw(st.sampled_from([None, 1, 2])),
        )
        for index in range(draw(st.integers(0, 25)))
    ]


@given(desks(), st.randoms(), st.permutations(list(range(6))))
def test_the_order_of_the_candidates_changes_nothing(
    candidates: list[Candidate], random: object, pins: list[int]
) -> None:
    """The same stories make the same paper, within every quota, none twice, whatever an operator wished for."""
    wishes = Wishes(pinned={TOOLS: pins[:3], OPINION: pins[3:4]}, removed=pins[4:])
    chosen = pick(candidates, DAY, wishes)
    known = {one.id: one for one in candidates}
    random.shuffle(candidates)  # type: ignore[attr-defined]
    assert pick(candidates, DAY, wishes) == chosen
    printed = [one.id for picks in chosen.values() for one in picks]
    assert len(set(printed)) == len(printed)
    assert all(len(picks) <= QUOTAS[section] for section, picks in chosen.items())
    assert not set(printed) & set(pins[4:])
    free = [known[one] for one in printed if known[one].gathered and one not in pins]
    assert all(sum(one.source == source for one in free) <= A_SOURCE for source in (None, 1, 2))


@pytest.mark.parametrize(
    ("candidates", "counted", "said"),
    [
        ([], [Section.TRENDING], "There is no lead story to print."),
        ([Candidate(1, LEAD)], [], "There is nothing to print beside the lead."),
        ([Candidate(1, LEAD)], [Section.TRENDING], ""),
        ([Candidate(1, LEAD), Candidate(2, DIVE)], [], ""),
    ],
)
def test_a_paper_is_a_lead_and_something_beside_it(
    candidates: list[Candidate], counted: list[Section], said: str
) -> None:
    """Charts count as something; a lead alone does not make a paper."""
    assert shortage(pick(candidates, DAY), counted) == said
