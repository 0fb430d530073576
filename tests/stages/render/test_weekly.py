"""A weekly as it is printed: it says that it is one, names the other leads, tells who led the charts."""

import datetime as dt

import pytest

from app.core.mail.template import Slot
from app.models.content import Chart, EditionContent, EditionKind, Leader, Piece, Section
from app.models.editions import VariantForm
from app.stages.render import card, feed, marks, message, mjml, preview, variants, wording
from app.stages.render.lint.problem import errors
from app.stages.render.lint.rules import lint
from app.stages.render.linting import proof_of
from app.stages.render.text import edition_text
from tests.stages.render import sample

SATURDAY = dt.date(2026, 11, 21)
SLUG = "2026-11-21-weekly"
NOW = dt.datetime(2026, 11, 21, 5, 30, tzinfo=dt.UTC)


def days(*back: int) -> tuple[dt.date, ...]:
    return tuple(SATURDAY - dt.timedelta(days=one) for one in back)


def weekly() -> EditionContent:
    """The full sample as the paper of its week."""
    made = sample.full()
    models, *others = made.charts
    leaders = (Leader(name="tide-1", days=days(5, 4, 3)), Leader(name="gull-7b", days=days(2, 1, 0)))
    return sample.full(
        kind=EditionKind.WEEKLY,
        date=SATURDAY,
        number=215,
        lead=made.lead.model_copy(update={"printed_on": days(3)[0]}),
        charts=(models.model_copy(update={"leaders": leaders}), *others),
        also=(
            _also(31, "A lighthouse is read by a model", "It reads fog.", 5, url=""),
            _also(32, "Two ports share one pilot", "By night.", 1),
        ),
    )


def _also(number: int, headline: str, said: str, back: int, **more: str) -> Piece:
    return sample.piece(number, Section.LEAD, headline, standfirst=said, printed_on=days(back)[0], **more)


def cut(form: VariantForm, sections: frozenset[Section] = variants.EVERYTHING) -> str:
    if form is VariantForm.TEXT:
        body = edition_text(weekly(), sample.PAPER, SLUG, sample.MARK)
    else:
        body = mjml.edition_html(weekly(), sample.PAPER, SLUG, sample.MARK)
    return variants.cut(body, sections, form)


@pytest.mark.parametrize("form", [VariantForm.HTML, VariantForm.TEXT, VariantForm.WEB])
def test_it_says_that_it_is_the_weekly(form: VariantForm) -> None:
    """In its masthead; whoever reads no other section still gets the other leads, with a place to read them."""
    page = cut(form, frozenset())
    assert "Weekly · Vol. I · No. 215" in page
    assert "also this week" in page.lower()
    assert "A lighthouse is read by a model" in page
    assert "https://post.example.org/editions/2026-11-16" in page
    assert "https://stories.example.net/32" in page
    assert "6 min · Monday" in page
    assert "Weekly" not in mjml.edition_html(sample.full(), sample.PAPER, sample.SLUG, sample.MARK)


def test_it_tells_who_led_the_charts() -> None:
    """Under the chart, in words; not under one of which nobody knows."""
    told = "First this week: tide-1, Monday to Wednesday; gull-7b, Thursday to Saturday."
    assert cut(VariantForm.HTML).count(told) == 1
    assert told in " ".join(cut(VariantForm.TEXT).split())


@pytest.mark.parametrize(
    ("back", "words"),
    [
        ((5,), "Monday"),
        ((5, 4), "Monday and Tuesday"),
        ((5, 4, 3), "Monday to Wednesday"),
        ((5, 3, 1), "Monday, Wednesday and Friday"),
        ((5, 4, 3, 0), "Monday to Wednesday and Saturday"),
    ],
)
def test_days_are_said_as_people_say_them(back: tuple[int, ...], words: str) -> None:
    """Three in a row are a run."""
    chart = Chart(key="x", title="X", unit="stars", as_of=NOW, rows=(), leaders=(Leader(name="a", days=days(*back)),))
    assert wording.led(chart) == f"First this week: a, {words}."


def test_lint_finds_nothing_wrong_with_it_and_it_keeps_to_the_budget() -> None:
    """The same rules, the same 90,000 bytes."""
    html = mjml.edition_html(weekly(), sample.PAPER, SLUG, sample.MARK)
    text = edition_text(weekly(), sample.PAPER, SLUG, sample.MARK)
    found = lint(proof_of(weekly(), sample.PAPER, SLUG, html, text, NOW))
    assert not errors(found)
    assert "size" not in {one.rule for one in found}
    assert marks.mark_of(html) == sample.MARK


def test_nobodys_values_and_headers_are_a_weeks() -> None:
    """The next one is in a week; Gmail's feedback loop tells the two apart."""
    values = preview.neutral(sample.PAPER, weekly())
    assert values[Slot.NEXT_DELIVERY] == "Saturday at 06:30"
    assert values[Slot.SCHEDULE] == "on Saturdays at 06:30, London time"
    assert message.feedback_id(sample.PAPER, SLUG, EditionKind.WEEKLY).startswith("2026-11-21-weekly:weekly:")


def test_the_feed_and_the_card_say_it_too() -> None:
    """With the other leads, and who led the charts."""
    told = feed.body(weekly(), sample.PAPER, SLUG)
    assert "Weekly · Vol. I · No. 215" in told
    assert '<a href="https://post.example.org/editions/2026-11-16">A lighthouse is read by a model</a>' in told
    assert "First this week: tide-1" in told
    assert card.card_of(weekly(), sample.PAPER).corner == "Weekly · Vol. I · No. 215"
