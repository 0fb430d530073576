"""The templates are MJML, and the check that says so would notice."""

from collections.abc import Callable

import pytest
from markupsafe import Markup

from app.core.mail.template import Slot, slot
from app.models.content import EditionContent
from app.stages.render.lint.mjml import check_mjml
from app.stages.render.templates import render
from tests.stages.render import sample


def source(content: EditionContent) -> str:
    def mark(name: str) -> Markup:
        return Markup("<!--{}-->").format(name)

    return render(
        "edition.mjml.j2",
        content=content,
        paper=sample.PAPER,
        page="https://post.example.org/editions/2026-11-20",
        charts_url="https://post.example.org/charts",
        slot=lambda name: slot(sample.MARK, Slot(name)),
        open=mark,
        close=mark,
    )


@pytest.mark.parametrize("make", [sample.full, sample.bare, sample.first_day, sample.late, sample.awkward])
def test_the_edition_uses_only_what_mjml_knows(make: Callable[[], EditionContent]) -> None:
    """Also where a story speaks of tags."""
    assert check_mjml(source(make())) == []


def test_the_confirmation_uses_only_what_mjml_knows() -> None:
    """Its slots stand in an attribute and in the text."""
    made = render(
        "confirmation.mjml.j2",
        paper=sample.PAPER,
        subject="x",
        days=7,
        reminder=False,
        slot=lambda name: slot(sample.MARK, Slot(name)),
    )
    assert check_mjml(made) == []


@pytest.mark.parametrize(
    "inner",
    [
        "<mj-txt>x</mj-txt>",
        '<mj-text colour="red">x</mj-text>',
        "<mj-section></mj-section>",
        "<mj-text><mj-button>x</mj-button></mj-text>",
        "<mj-text>x",
    ],
)
def test_the_check_notices(inner: str) -> None:
    """A misspelt tag, a misspelt attribute, a section in a column, a component in a text, a tag left open."""
    whole = "<mjml><mj-body><mj-section><mj-column>{}</mj-column></mj-section></mj-body></mjml>"
    assert check_mjml(whole.format("<mj-text>x</mj-text>")) == []
    assert check_mjml(whole.format(inner))
