"""Figures, dates and characters in the paper's words."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from app.core.calendar import zone_words
from app.models.content import ChartRow, Move, Mover, Piece, Section
from app.stages.render import wording
from app.stages.render.characters import one_line, printable

INSTANT = dt.datetime(2026, 11, 20, 7, 40, tzinfo=ZoneInfo("Europe/Berlin"))


def mover(**more: object) -> Mover:
    return Mover.model_validate(
        {"name": "a/b", "url": "https://x.example.net", "site": "GitHub", "unit": "stars", "now": 3} | more
    )


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (wording.full_date(dt.date(2026, 11, 20)), "Friday, 20 November 2026"),
        (wording.issue(4, 1009), "Vol. IV · No. 1009"),
        (wording.minutes_to_read(1), "1 minute to read"),
        (wording.minutes_to_read(9), "9 minutes to read"),
        (wording.stamp(INSTANT), "as of 06:40 UTC"),
        (wording.stamp(INSTANT, stale=True), "as of Friday 06:40 UTC"),
        (wording.gain(1284), "+1,284"),
        (wording.gain(0), "+0"),
        (wording.gain(-12), "−12"),
        (wording.gain(1284, approximate=True), "≈1,284"),
        (wording.gain(None), ""),
        (wording.spoken_gain(1284), "plus 1,284"),
        (wording.spoken_gain(-12), "minus 12"),
        (wording.spoken_gain(1284, approximate=True), "about 1,284"),
        (wording.multiple(8.5), "8.5×"),
        (wording.multiple(8.0), "8×"),
        (wording.multiple(1234.0), "1,234×"),
        (zone_words(ZoneInfo("America/New_York")), "New York time"),
        (zone_words(ZoneInfo("UTC")), "UTC"),
        (zone_words(ZoneInfo("Etc/UTC")), "UTC"),
    ],
)
def test_words(said: str, meant: str) -> None:
    """One line each."""
    assert said == meant


@pytest.mark.parametrize(
    ("move", "places", "glyph", "spoken"),
    [
        (Move.UP, 41, "▲\u200a41", "up 41"),
        (Move.DOWN, 2, "▼\u200a2", "down 2"),
        (Move.SAME, 0, "–", "unchanged"),
        (Move.NEW, 0, "NEW", "new"),
        (Move.UNKNOWN, 0, "", ""),
    ],
)
def test_a_rows_change_of_place(move: Move, places: int, glyph: str, spoken: str) -> None:
    """Unknown is blank, never "same"."""
    row = ChartRow(rank=1, name="a", url="https://x.example.net", move=move, places=places)
    assert wording.row_shift(row) == wording.Shift(move, glyph, spoken, tag=move is Move.NEW)


@pytest.mark.parametrize(
    ("was", "kind", "spoken"),
    [
        (44, Move.UP, "up 41 places, from 44 to 3"),
        (4, Move.UP, "up 1 place, from 4 to 3"),
        (1, Move.DOWN, "down 2 places, from 1 to 3"),
        (3, Move.SAME, "unchanged at 3"),
        (None, Move.UNKNOWN, ""),
    ],
)
def test_a_movers_change_of_place(was: int | None, kind: Move, spoken: str) -> None:
    """Both ranks are said."""
    shift = wording.mover_shift(mover(was=was))
    assert (shift.kind, shift.spoken) == (kind, spoken)


def test_a_newcomer_has_no_multiple() -> None:
    """Its usual week is not known, whatever was computed."""
    assert wording.mover_facts(mover(new=True, multiple=9.0)) == ("first week on the chart",)
    assert wording.mover_facts(mover(multiple=9.0)) == ("9× its usual week",)
    assert wording.mover_facts(mover()) == ()


def test_a_piece_without_a_source_is_credited_by_its_length() -> None:
    """No dangling dot."""
    piece = Piece(story_id=1, section=Section.LEAD, headline="x", minutes=4)
    assert wording.credit(piece) == "4 min"
    assert wording.credit(piece.model_copy(update={"source": "The Ledger"})) == "The Ledger · 4 min"


def test_characters_that_nobody_prints() -> None:
    """Controls and noncharacters go; blanks, joiners and every script stay."""
    assert printable("a\x00b\x0bc\x1bd\x85e\ufffef\uffff") == "abcdef"
    assert printable("tab\tline\n日本 👩\u200d🔬 עברית é") == "tab\tline\n日本 👩\u200d🔬 עברית é"
    assert one_line(" a \u202eb\u202c\n c\u2028d ") == "a b c d"
