"""What Gmail, Outlook and Apple Mail lack: the paper uses nothing of it unthought, and something new is noticed."""

from pathlib import Path

import pytest

from app.stages.render.lint import support
from app.stages.render.lint.accepted import ACCEPTED
from app.stages.render.lint.clients import clients, used
from app.stages.render.lint.support import tables
from tests.stages.render import sample
from tests.stages.render.lint.proofs import proof, real, spoilt

KNOWN = tables()


def named(sheet: str = "", inner: str = "") -> set[str]:
    """The features that are warned of when these stand in the mail."""
    one = spoilt("<title>", f"<style>{sheet}</style><title>")
    if inner:
        one = spoilt("</body>", inner + "</body>")
    return {problem.where.removeprefix("feature ") for problem in clients(one)}


@pytest.mark.parametrize("make", [sample.full, sample.bare, sample.first_day, sample.late, sample.awkward])
def test_the_paper_uses_nothing_that_nobody_thought_over(make: object) -> None:
    """Also with lists, quotations and code in its stories."""
    assert callable(make)
    assert list(clients(proof(real(make())))) == []


@pytest.mark.parametrize(
    ("sheet", "inner", "feature"),
    [
        ("a{clip-path:circle(1px)}", "", "clip-path"),
        ("a{display:grid}", "", "display:grid"),
        ("a{--x:1px}", "", "CSS Variables (Custom Properties)"),
        ("a{width:calc(1px + 2px)}", "", "CSS calc() function"),
        ("a{width:3vw}", "", "vw unit"),
        ("a{padding:1rem}", "", "rem unit"),
        ("@supports (display:grid){a{color:red}}", "", "@supports"),
        ("@media (hover){a{color:red}}", "", "@media (hover), @media (any-hover)"),
        ("a::before{content:''}", "", "::before"),
        ("a:nth-child(2){color:red}", "", ":nth-child"),
        ("a~b{color:red}", "", "General sibling combinator"),
        ("", '<p style="box-shadow:0 0 1px #000">x</p>', "box-shadow"),
        ("", "<svg></svg>", "Embedded <svg> image"),
        ("", "<details>x</details>", "HTML5 semantics"),
        ("", '<p hidden="hidden">x</p>', "hidden attribute"),
        ("", "<dialog>x</dialog>", "<dialog> element"),
    ],
)
def test_something_new_is_noticed(sheet: str, inner: str, feature: str) -> None:
    """In a sheet, in a style attribute, in the markup."""
    assert feature in named(sheet, inner)


def test_a_warning_names_who_lacks_it() -> None:
    """Client by client."""
    (problem,) = clients(spoilt("<title>", "<style>a{clip-path:circle(1px)}</style><title>"))
    assert problem.severity.value == "warning"
    assert "Gmail (Android)" in problem.message
    assert "Outlook (Windows)" in problem.message


def test_what_is_accepted_exists_and_is_lacking_somewhere() -> None:
    """No entry outlives its reason; a part of a property counts as its shorthand."""
    assert ACCEPTED.keys() <= KNOWN.titles.keys()
    assert [slug for slug in ACCEPTED if not KNOWN.lacking[slug] or not ACCEPTED[slug]] == []
    assert KNOWN.property("padding-left") == "css-padding"
    assert KNOWN.property("background-color") == "css-background-color"
    assert KNOWN.property("nonsense") is None
    assert "css-padding" in used(proof(), KNOWN)


def test_the_tables_say_where_they_are_from() -> None:
    """Version and licence lie beside them; all twelve clients are in them."""
    folder = Path(support.__file__).parent / "caniemail"
    assert "caniemail 2.0.2" in (folder / "VERSION").read_text()
    assert "MIT License" in (folder / "LICENSE").read_text()
    assert len({client for lacking in KNOWN.lacking.values() for client in lacking}) == 12
    assert len(KNOWN.titles) > 280
