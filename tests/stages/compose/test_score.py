"""What speaks for a candidate, as a table."""

from datetime import timedelta

import pytest

from app.models.content import Section
from app.stages.compose.score import Sight, line, score, why
from tests.people import NOON

HN, FEED = Sight("Hacker News", 412, 96), Sight("A Lab")


def test_a_candidate_counts_half_after_its_sections_time() -> None:
    """News within a day, reading for the weekend within most of a week; nothing counts more for lying ahead."""
    day_old = NOON - timedelta(hours=24)
    assert score(2.0, Section.LEAD, day_old, NOON) == 1.0
    assert score(2.0, Section.WEEKEND, day_old, NOON) > 1.7
    assert score(2.0, Section.LEAD, NOON + timedelta(hours=5), NOON) == 2.0
    assert score(-1.0, Section.LEAD, NOON, NOON) == 0.0


@pytest.mark.parametrize(
    ("seen", "age", "reason", "printed"),
    [
        ([HN, FEED], 9, "412 points on Hacker News, 9 h old, 2 sources", "412 points and 96 comments on Hacker News."),
        ([FEED], 0, "0 h old, 1 source", ""),
        ([FEED, Sight("B Lab")], 50, "2 days old, 2 sources", "In A Lab and B Lab."),
        ([Sight("Hacker News", 1)], 1, "1 points on Hacker News, 1 h old, 1 source", "1 point on Hacker News."),
    ],
)
def test_the_reason_and_the_printed_line_say_only_what_is_known(
    seen: list[Sight], age: int, reason: str, printed: str
) -> None:
    """The first for the editor, the second for readers."""
    assert why(seen, NOON - timedelta(hours=age), NOON) == reason
    assert line(seen) == printed
