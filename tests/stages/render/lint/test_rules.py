"""Each rule lets the paper pass as it is printed, and notices what it is there for."""

import colorsys
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from app.core.mail.template import Pieces, Slot
from app.models.content import EditionContent, Section
from app.stages.render.lint.contrast import colour, contrast, ratio
from app.stages.render.lint.dates import dates
from app.stages.render.lint.links import links, outgoing
from app.stages.render.lint.mjml import mjml
from app.stages.render.lint.page import images, imprint, size
from app.stages.render.lint.placeholders import placeholders
from app.stages.render.lint.problem import error, errors, warning
from app.stages.render.lint.rules import lint, ordered, reason
from app.stages.render.lint.sheet import Block, Declaration, blocks, declarations
from app.stages.render.lint.subject import subject
from tests.stages.render import sample
from tests.stages.render.lint.proofs import NOW, PAPER, found, proof, real, saying, spoilt, told


@pytest.mark.parametrize("make", [sample.full, sample.bare, sample.late])
def test_the_paper_as_it_is_printed_passes(make: Callable[[], EditionContent]) -> None:
    """Nothing at all to say, in production."""
    problems = lint(proof(real(make())))
    assert problems == (), told(problems)


def test_errors_come_first_and_are_told_in_so_many_words() -> None:
    """The reason fits the row; where there is no room for all it says so."""
    mild, grave = warning("a", "subject", "Mild."), error("b", "HTML part", "Grave.")
    assert ordered([mild, grave]) == (grave, mild)
    assert errors([mild, grave]) == (grave,)
    assert reason([mild, grave]) == "Lint found 1 error. HTML part: Grave."
    assert reason([grave] * 100).startswith("Lint found 100 errors. HTML part: Grave.")
    assert len(reason([grave] * 100)) < 400
    assert len(reason([error("b", "x" * 300, "y" * 300)])) < 400
    assert reason([error("b", "x" * 300, "y" * 300)]).endswith("…")


# --- subject --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "severities"),
    [
        ("A harbour lets its tide tables go", []),
        ("GPT, LLM and NASA: what the letters hide", []),
        ("Reports from the regatta", []),
        ("RE: your question", ["error"]),
        ("Fwd: a note", ["error"]),
        ("AW: Ihre Frage", ["error"]),
        ("re[2]: hello", ["error"]),
        ("THE WHOLE HARBOUR IS SHOUTING", ["warning"]),
        ("A model that wins!", ["warning"]),
        ("Chips for $5 apiece", ["warning"]),
        ("A rocket 🚀 of a model", ["warning"]),
        ("Act now: a limited time offer", ["warning"]),
        ("Weights for free", ["warning"]),
        ("Freedom of the press, and carefree tides", []),
        ("word " * 30, ["warning"]),
    ],
)
def test_subjects(words: str, severities: list[str]) -> None:
    """Spam-prone ones are warnings, false answers errors, news is neither."""
    assert [severity for severity, _ in found(subject, saying(subject=words))] == severities


def test_what_stands_beside_the_subject() -> None:
    """It is cut where it is long, and it does not say the subject again."""
    assert found(subject, saying(preheader="A clause. " * 10)) == []
    assert found(subject, saying(preheader="A clause. " * 12)) == [("warning", "preheader")]
    said = saying(subject="A harbour lets its tide tables go", preheader="Why? A harbour lets its tide tables go.")
    assert found(subject, said) == [("warning", "preheader")]


# --- placeholders ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "in_headline", "in_body"),
    [
        ("A headline", None, None),
        ("Hello {{ name }}", "error", "warning"),
        ("Hello {% if x %}", "error", "warning"),
        ("See [[7f3a9c:unsubscribe]]", "error", "warning"),
        ("Dear *|FNAME|*", "error", "warning"),
        ("Hello ${name}", "error", "warning"),
        ("Lorem ipsum dolor", "error", "error"),
        ("TODO", "error", "error"),
        ("Ends with TODO: ask", "error", "error"),
        ("How TODO apps grew up", "warning", "warning"),
        ("A todo list, and Lorem the poet", None, None),
        ("f(x) = {x} and [[1, 2], [3, 4]]", None, None),
    ],
)
def test_placeholders(words: str, in_headline: str | None, in_body: str | None) -> None:
    """In a headline they are errors; a body may be about them."""
    lead = real(sample.full()).lead
    where = f"headline of story {lead.story_id}"
    expected = [] if in_headline is None else [(in_headline, where)]
    assert found(placeholders, saying(lead=lead.model_copy(update={"headline": words}))) == expected
    expected = [] if in_body is None else [(in_body, where.replace("headline", "body"))]
    assert found(placeholders, saying(lead=lead.model_copy(update={"body_text": words}))) == expected


@pytest.mark.parametrize("part", ["html", "text"])
@pytest.mark.parametrize("slot", [Slot.UNSUBSCRIBE, Slot.MANAGE, Slot.ADDRESS])
def test_a_template_that_lost_the_way_out_is_noticed(part: str, slot: Slot) -> None:
    """In either part."""
    pieces: Pieces = getattr(proof(), part)
    pairs = [(name, text) for name, text in zip(pieces.slots, pieces.literals[1:], strict=True) if name is not slot]
    lost = Pieces((pieces.literals[0], *(text for _, text in pairs)), tuple(name for name, _ in pairs))
    one = replace(proof(), html=lost) if part == "html" else replace(proof(), text=lost)
    assert found(placeholders, one) == [("error", f"{'HTML' if part == 'html' else 'text'} part")]


# --- dates ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("On Friday, 20 November it rained.", None),
        ("On Saturday 20 November it rained.", "is a Friday"),
        ("On Monday, November 23rd, 2026 they meet.", None),
        ("On Tuesday the 23rd of November 2026 they meet.", "is a Monday"),
        ("On Thursday, 31 December they rest, on Friday, 1 January too.", None),
        ("On Monday, 31 June it rained.", "There is no"),
        ("As of 20 November there were nine.", None),
        ("As of 21 November 2026 there were nine.", "still to come"),
        ("as of December 1 there were nine.", "still to come"),
        ("As of 3 June 2025 there were nine.", None),
    ],
)
def test_dates_in_words(words: str, message: str | None) -> None:
    """Weekdays that do not fit, days that do not exist, figures of tomorrow; without a year the nearest is meant."""
    lead = real(sample.full()).lead.model_copy(update={"body_text": words})
    problems = list(dates(saying(lead=lead)))
    assert [one.severity.value for one in problems] == ([] if message is None else ["warning"])
    assert message is None or message in problems[0].message


def test_dates_of_the_paper_and_its_charts() -> None:
    """A paper of another day is a warning, figures from the future are an error, old ones a warning."""
    assert found(dates, proof()) == []
    assert found(dates, replace(proof(), now=NOW + timedelta(days=2)))[0] == ("warning", "date of the paper")
    assert ("error", "chart “GitHub repositories”") in found(dates, replace(proof(), now=NOW - timedelta(hours=1)))
    assert ("error", "Biggest Movers") in found(dates, replace(proof(), now=NOW - timedelta(hours=1)))
    assert ("warning", "Biggest Movers") in found(dates, replace(proof(), now=NOW + timedelta(days=4)))


# --- links ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "severity"),
    [
        ("https://stories.quay.press/1", None),
        ("http://stories.quay.press:8080/1?a=b#c", None),
        ("https://8.8.8.8/x", None),
        ("https://post.example.org/editions", None),
        ("mailto:desk@quay.press", None),
        ("https://post.example.org.quay.press/", None),
        ("http://localhost:8000/x", "error"),
        ("http://127.0.0.1/x", "error"),
        ("http://10.0.0.7/x", "error"),
        ("http://[::1]/x", "error"),
        ("http://[fd00::7]/x", "error"),
        ("http://169.254.169.254/latest", "error"),
        ("http://2130706433/x", "error"),
        ("http://127.1/x", "error"),
        ("http://wiki/x", "error"),
        ("http://build.internal/x", "error"),
        ("http://nas.local/x", "error"),
        ("https://user:secret@quay.press/x", "error"),
        ("https://post.example.org.evil.example/", "error"),
        ("https://example.com/x", "error"),
        ("/relative", "error"),
        ("https://[::1", "error"),
        ("#", "error"),
        (" ", "error"),
    ],
)
def test_links(url: str, severity: str | None) -> None:
    """A story's own link leads a reader somewhere."""
    lead = real(sample.full()).lead
    one = spoilt(f'{lead.url}"', f'{url}"')
    one = replace(one, content=one.content.model_copy(update={"lead": lead.model_copy(update={"url": url})}))
    assert {found_one for found_one, _ in found(links, one)} == ({severity} if severity else set())


def test_an_example_is_an_error_only_as_a_storys_own_link_in_production() -> None:
    """In a body, or while one tries things out, it is a warning."""
    body = spoilt("https://stories.quay.press/2", "https://example.org/2")
    assert {severity for severity, _ in found(links, body)} == {"warning"}
    assert {severity for severity, _ in found(links, proof(sample.full(), sample.PAPER))} == {"warning"}
    assert {severity for severity, _ in found(links, proof(sample.full()))} == {"error"}


def test_what_is_to_be_looked_up_is_named_once() -> None:
    """Stories, charts, movers; neither the paper's own pages nor mailboxes."""
    urls = outgoing(proof())
    assert len(urls) == len(set(urls))
    assert "https://stories.quay.press/1" in urls
    assert "https://github.com/treadle/treadle" in urls
    assert not [url for url in urls if "post.example.org" in url]


# --- the page -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("weight", "severity"), [(0, None), (95_000, "warning"), (103_000, "error")])
def test_size(weight: int, severity: str | None) -> None:
    """Ninety thousand bytes are the budget; past 102,000 Gmail cuts the way out off."""
    padding = "x" * max(0, weight - len(proof().page.encode()))
    assert found(size, spoilt("</body>", padding + "</body>")) == ([(severity, "HTML part")] if severity else [])


def test_a_sheet_that_gmail_would_ignore_is_noticed() -> None:
    """More than 8,192 characters."""
    assert found(size, spoilt("<title>", f"<style>{'a' * 8_193}</style><title>")) == [("error", "style sheet 1")]


@pytest.mark.parametrize(
    ("image", "severity"),
    [
        ('<img src="https://post.example.org/a.png" alt="A tide gauge">', None),
        ('<img src="https://post.example.org/a.png" alt="">', None),
        ('<img src="https://post.example.org/a.png">', "error"),
        ('<a href="/"><img src="https://post.example.org/a.png" alt=" "></a>', "error"),
        ('<a href="/"><img src="https://post.example.org/a.png" alt="">The tide</a>', None),
    ],
)
def test_alt_texts(image: str, severity: str | None) -> None:
    """Missing is an error, empty only where a link would then say nothing."""
    assert [one for one, _ in found(images, spoilt("</body>", image + "</body>"))] == ([severity] if severity else [])


def test_the_postal_address() -> None:
    """Demanded in production, in both parts."""
    assert found(imprint, proof()) == []
    assert found(imprint, spoilt("4 Galley Lane", "Galley Lane")) == [("error", "HTML part")]
    short = Pieces(tuple(one.replace("Galley", "") for one in proof().text.literals), proof().text.slots)
    assert found(imprint, replace(proof(), text=short)) == [("error", "text part")]
    for production, severity in ((True, "error"), (False, "warning")):
        paper = replace(PAPER, postal_address="", production=production)
        assert found(imprint, replace(proof(), publication=paper)) == [(severity, "foot")]


# --- contrast -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after", "scheme"),
    [
        ("color:#5A5F66", "color:#8A8F96", "light scheme"),
        (".m,.m a{color:#A3A6AB", ".m,.m a{color:#5A5F66", "dark scheme"),
        (".i,.i a,.name a{color:#F0EEE8!important}", "", "dark scheme"),
        (".n{background:#1E2125!important}", "", "dark scheme"),
        ("body,.p{background:#15171A!important}", "body,.p{background:#15171A}", "dark scheme"),
    ],
)
def test_a_colour_that_cannot_be_read_is_noticed(before: str, after: str, scheme: str) -> None:
    """By day, by dark, where a dark rule is lost, and where one does not win over what is written inline."""
    assert scheme in {where for _, where in found(contrast, spoilt(before, after))}


@pytest.mark.parametrize(
    ("inner", "schemes"),
    [
        ('<p style="color:#777;background:#fff">x</p>', ["light scheme", "dark scheme"]),
        ('<p style="color:#767676;background:#fff">x</p>', []),
        ('<table bgcolor="#333333"><tr><td style="color:#000">x</td></tr></table>', ["light scheme", "dark scheme"]),
        ('<div style="display:none;color:#777;background:#777">x</div>', []),
        ('<p style="color:#777;background:#777">\u00a0\u200c</p>', []),
        ('<p style="color:#FFF;background:#000"><a href="/x">x</a></p>', ["light scheme", "dark scheme"]),
        ('<p style="color:rgb(250,250,250);background:white">x</p>', ["light scheme", "dark scheme"]),
    ],
)
def test_contrast_of_a_piece(inner: str, schemes: list[str]) -> None:
    """WCAG's own example: #767676 on white is the lightest grey that passes. A link without a colour is blue."""
    assert [where for _, where in found(contrast, spoilt("</body>", inner + "</body>"))] == schemes


def complement(red: int, green: int, blue: int) -> tuple[int, int, int]:
    """Each channel turned round, as a telephone's own switch does it."""
    return 255 - red, 255 - green, 255 - blue


def lightness(red: int, green: int, blue: int) -> tuple[int, int, int]:
    """Dark made light and light dark with the hue kept, as mail programs do it that know no dark mode of ours."""
    hue, light, saturation = colorsys.rgb_to_hls(red / 255, green / 255, blue / 255)
    turned = colorsys.hls_to_rgb(hue, 1 - light, saturation)
    return round(turned[0] * 255), round(turned[1] * 255), round(turned[2] * 255)


@pytest.mark.parametrize("turn", [complement, lightness])
def test_it_can_be_read_where_a_program_turns_the_colours_itself(
    turn: Callable[[int, int, int], tuple[int, int, int]],
) -> None:
    """It knows no dark mode of ours and turns the light page: every text, the code's own words too, keeps 4.5 to 1."""

    def turned(found: re.Match[str]) -> str:
        digits = found[1]
        return "#{:02x}{:02x}{:02x}".format(*turn(int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)))

    good = proof()
    literals = tuple(re.sub(r"#([0-9A-Fa-f]{6})\b", turned, one) for one in good.html.literals)
    inverted = replace(good, html=Pieces(literals, good.html.slots))
    assert literals != good.html.literals
    assert ("error", "light scheme") not in found(contrast, inverted)


def test_ratios() -> None:
    """The ends of the scale, and how colours are written."""
    assert ratio((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert ratio((9, 9, 9), (9, 9, 9)) == 1
    assert colour("#fff url(x)") == colour("#FFFFFF".lower()) == colour("white") == (255, 255, 255)
    assert colour("none") is None


def test_sheets_are_taken_apart() -> None:
    """Nested at-rules, several selectors, importance, comments, rules without a block."""
    sheet = "@import 'x';/* a{} */@media print{a , .b>c{Color:RED!important;font:1px x}@page{margin:0}}d{color:#fff}"
    assert list(blocks(sheet)) == [
        Block(("@import 'x'",), (), ()),
        Block(
            ("@media print",),
            ("a", ".b>c"),
            (Declaration("color", "red", important=True), Declaration("font", "1px x", important=False)),
        ),
        Block(("@media print", "@page"), (), (Declaration("margin", "0", important=False),)),
        Block((), ("d",), (Declaration("color", "#fff", important=False),)),
    ]
    assert [one.name for one in declarations("color:red;background:url(data:a;b);x")] == ["color", "background"]


def test_a_slip_in_a_template_is_an_error() -> None:
    """MJML itself would say nothing."""
    slip = proof().source.replace("<mj-text", "<mj-txt", 1)
    assert ("error", "template") in found(mjml, replace(proof(), source=slip))
    assert found(mjml, proof()) == []


def test_a_story_cannot_bring_its_own_markup_into_the_rules() -> None:
    """Whatever a story says, every rule comes to an end, and finds what the story says of fields."""
    problems = lint(proof(sample.awkward()))
    assert {one.rule for one in problems} == {"subject", "placeholder", "link"}
    assert Section.LEAD in {piece.section for piece in sample.awkward().pieces}
