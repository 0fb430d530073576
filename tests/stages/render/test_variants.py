"""Cuts: exactly the sections asked for, well-formed, in each form."""

import re
import time
from html.parser import HTMLParser

import pytest
from lxml import html as lxml_html

from app.models.content import ALL_SECTIONS, CHOOSABLE, TITLES, Section, sections_of
from app.models.editions import VariantForm
from app.stages.render import mjml, plain, text, variants
from tests.stages.render import sample

VOID = {"img", "br", "wbr", "meta", "link", "hr", "input"}


@pytest.fixture(scope="module")
def whole() -> str:
    return mjml.edition_html(sample.full(), sample.PAPER, sample.SLUG, sample.MARK)


@pytest.fixture(scope="module")
def whole_text() -> str:
    return text.edition_text(sample.full(), sample.PAPER, sample.SLUG, sample.MARK)


class Nesting(HTMLParser):
    """Finds tags that do not pair, which a forgiving parser would repair in silence."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def unpaired(body: str) -> list[str]:
    nesting = Nesting()
    nesting.feed(body)
    nesting.close()
    return nesting.wrong + nesting.open


@pytest.mark.parametrize("form", [VariantForm.HTML, VariantForm.WEB])
def test_each_of_the_64_cuts_has_exactly_its_sections(whole: str, form: VariantForm) -> None:
    """In order, the lead always first, nothing left open, no mark left behind but the slots."""
    for bits in range(ALL_SECTIONS + 1):
        kept = sections_of(bits)
        body = variants.cut(whole, kept, form)
        heads = [" ".join("".join(one.itertext()).split()) for one in lxml_html.document_fromstring(body).iter("h2")]
        wanted = [TITLES[section] for section in Section if section is Section.LEAD or section in kept]
        assert heads == [*wanted, "Subscribe"]
        assert unpaired(body) == []
        assert f"<!--{sample.MARK}" not in body
        assert ("Rankings are ours" in body) == (Section.TRENDING in kept)


def test_each_of_the_64_text_cuts_has_exactly_its_sections(whole_text: str) -> None:
    """Headings are the lines after a double rule."""
    for bits in range(ALL_SECTIONS + 1):
        kept = sections_of(bits)
        lines = variants.cut(whole_text, kept, VariantForm.TEXT).split("\n")
        heads = [lines[at + 1] for at, line in enumerate(lines) if line == "=" * plain.WIDTH]
        wanted = [TITLES[section].upper() for section in Section if section is Section.LEAD or section in kept]
        assert heads[:-1] == [*wanted, "SUBSCRIBE"]
        assert not any(line.startswith(sample.MARK) for line in lines)


def test_the_links_of_a_text_cut_are_numbered_within_each_section(whole_text: str) -> None:
    """Whatever is cut out: each number that a section says stands in its own list, once, and none is missing."""
    for bits in range(ALL_SECTIONS + 1):
        cut = variants.cut(whole_text, sections_of(bits), VariantForm.TEXT)
        for part in cut.split("=" * plain.WIDTH)[1:]:
            listed = [int(number) for number in re.findall(r"^ *\[(\d+)\] \S+://\S+$", part, re.MULTILINE)]
            said = {int(number) for number in re.findall(r"\S \[(\d+)\]", part)}
            assert listed == list(range(1, len(listed) + 1))
            assert said == set(listed)


def test_64_cuts_are_string_work(whole: str) -> None:
    """Of the processor, whatever else it does: rendering each again would take a minute."""
    began = time.process_time()
    for bits in range(ALL_SECTIONS + 1):
        variants.cut(whole, sections_of(bits), VariantForm.HTML)
    assert time.process_time() - began < 5


def test_mail_keeps_its_slots_and_the_web_page_has_none(whole: str) -> None:
    """Personal slots stand in parts that only the mail shows."""
    mail = variants.cut(whole, frozenset(CHOOSABLE), VariantForm.HTML)
    page = variants.cut(whole, frozenset(CHOOSABLE), VariantForm.WEB)
    assert mail.count(f"[[{sample.MARK}:") == 6
    assert sample.MARK not in page


def test_a_section_that_is_not_there_cuts_nothing() -> None:
    """A reader's choice may name what the day does not have."""
    made = mjml.edition_html(sample.bare(), sample.PAPER, sample.SLUG, sample.MARK)
    everything = variants.cut(made, variants.EVERYTHING, VariantForm.HTML)
    assert variants.cut(made, sample.bare().present, VariantForm.HTML) == everything


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("<p>no mark</p>", "does not begin with its mark"),
        ("<!--abcdef123456-->\na<!--abcdef123456+lead-->b", "never closed"),
        ("<!--abcdef123456-->\na<!--abcdef123456-lead-->b", "closes nothing"),
        ("<!--abcdef123456-->\n<!--abcdef123456+lead--><!--abcdef123456-web-->", "closes nothing"),
    ],
)
def test_a_damaged_body_is_refused(body: str, why: str) -> None:
    """Better no mail than half a paper."""
    with pytest.raises(ValueError, match=why):
        variants.cut(body, frozenset(), VariantForm.HTML)


def test_parts_may_stand_inside_parts() -> None:
    """What is inside a dropped part is dropped with it."""
    body = "<!--abcdef-->\n1<!--abcdef+tools-->2<!--abcdef+web-->3<!--abcdef-web-->4<!--abcdef-tools-->5"
    tools = frozenset({Section.TOOLS})
    assert variants.cut(body, tools, VariantForm.HTML) == "1245"
    assert variants.cut(body, tools, VariantForm.WEB) == "12345"
    assert variants.cut(body, frozenset(), VariantForm.WEB) == "15"


def test_a_hash_names_a_cut(whole: str) -> None:
    """Other bytes, another name, fit for a column of 32 characters."""
    mail = variants.cut(whole, frozenset(CHOOSABLE), VariantForm.HTML)
    assert variants.hash_of(mail) == variants.hash_of(str(mail))
    assert variants.hash_of(mail) != variants.hash_of(mail + " ")
    assert len(variants.hash_of(mail)) == 32
