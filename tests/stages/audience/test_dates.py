"""Dates as products, spreadsheets and people write them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.stages.audience import dates
from app.stages.audience.dates import AmbiguousDate, Order

LAST = datetime(2023, 12, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "hour", "minute"),
    [
        ("2023-12-31", 0, 0),
        ("2023-12-31T14:05:00.000Z", 14, 5),
        ("2023-12-31 14:05:00 UTC", 14, 5),
        ("2023-12-31 15:05:00 +0100", 14, 5),
        ("2023/12/31", 0, 0),
        ("31.12.2023 14:05", 14, 5),
        ("31. 12. 2023", 0, 0),
        ("31.12.23", 0, 0),
        ("31/12/2023", 0, 0),
        ("31-12-2023 02:05 pm", 14, 5),
        ("12/31/2023 2:05 PM", 14, 5),
        ("12/31/23 12:05 a.m.", 0, 5),
        ("Dec 31, 2023", 0, 0),
        ("December 31st, 2023 at 2:05 PM", 14, 5),
        ("Sun, 31 Dec 2023 14:05:00 +0000", 14, 5),
        ("31. Dezember 2023 um 14:05 Uhr", 14, 5),
        ("31 décembre 2023 14h05", 14, 5),
        ("31 de diciembre de 2023", 0, 0),
        ("2023-12-31 02:05 PM EST", 14, 5),
        ("1703980800", 0, 0),
        ("1703980800000", 0, 0),
    ],
)
def test_every_common_way_is_read(text: str, hour: int, minute: int) -> None:
    assert dates.read(text) == LAST.replace(hour=hour, minute=minute)


def test_a_date_of_two_readings_needs_an_order() -> None:
    """With dots the day comes first everywhere; the same number twice is the same either way."""
    with pytest.raises(AmbiguousDate):
        dates.read("03/04/2024")
    assert dates.read("03/04/2024", Order.DAY_FIRST) == datetime(2024, 4, 3, tzinfo=UTC)
    assert dates.read("03/04/2024", Order.MONTH_FIRST) == datetime(2024, 3, 4, tzinfo=UTC)
    assert dates.read("03.04.2024", Order.MONTH_FIRST) == datetime(2024, 4, 3, tzinfo=UTC)
    assert dates.read("04/04/2024") == datetime(2024, 4, 4, tzinfo=UTC)
    assert dates.is_ambiguous("03-04-24 10:00")
    assert not dates.is_ambiguous("04/04/2024")
    assert not dates.is_ambiguous("2024-03-04")
    assert [dates.order_shown(text) for text in ("31/12/2023", "12/31/2023", "03/04/2024", "31.12.2023")] == [
        Order.DAY_FIRST,
        Order.MONTH_FIRST,
        None,
        None,
    ]


@pytest.mark.parametrize(
    "text", ["", "soon", "Texas", "10", "13/13/2023", "31/02/2023", "2023-12-31 25:00", "5 May", "9" * 99]
)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # nothing more is promised
        dates.read(text)
    assert not dates.is_date(text)


@given(
    st.text(max_size=70) | st.from_regex(r"[0-9]{1,4}[-/. ][0-9]{1,2}[-/. ][0-9]{1,4}( [0-9]{1,2}:[0-9]{2}( [ap]m)?)?")
)
def test_any_text_is_a_date_or_refused(text: str) -> None:
    for order in (None, *Order):
        try:
            assert dates.read(text, order).tzinfo is UTC
        except ValueError:
            continue


@pytest.mark.parametrize(("text", "minute"), [("07:15", 435), ("7:15:00", 435), ("7:15 PM", 1155), ("12:00 AM", 0)])
def test_a_time_of_day_is_read(text: str, minute: int) -> None:
    assert dates.read_minute(text) == minute


@pytest.mark.parametrize("text", ["", "24:00", "7", "13:00 PM", "seven"])
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # nothing more is promised
        dates.read_minute(text)
