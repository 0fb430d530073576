"""The edition as HTML: every part, in order, escaped, small, readable without images, and from nowhere else."""

import dataclasses
import re
from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from lxml import html as lxml_html

from app.core.mail.template import Pieces
from app.models.content import CHOOSABLE, TITLES, Cooled, EditionContent, Section
from app.models.editions import VariantForm
from app.stages.render import charts, mjml, variants
from app.stages.render.characters import printable
from tests.stages.render import sample

MAKERS = [sample.full, sample.fullest, sample.bare, sample.first_day, sample.late, sample.awkward]


def body(content: EditionContent, form: VariantForm = VariantForm.HTML) -> str:
    whole = mjml.edition_html(content, sample.PAPER, sample.SLUG, sample.MARK)
    return variants.cut(whole, content.present, form)


def page(content: EditionContent, form: VariantForm = VariantForm.HTML) -> lxml_html.HtmlElement:
    text = Pieces.cut(body(content, form), sample.MARK).fill(sample.VALUES)
    return lxml_html.document_fromstring(text)


def words(element: lxml_html.HtmlElement) -> str:
    return " ".join("".join(element.itertext()).split())


@pytest.fixture(scope="module")
def mail() -> lxml_html.HtmlElement:
    return page(sample.full())


@pytest.fixture(scope="module")
def web() -> lxml_html.HtmlElement:
    return page(sample.full(), VariantForm.WEB)


def test_every_section_stands_in_its_order(mail: lxml_html.HtmlElement) -> None:
    """Lead to Weekend Reading, then Subscribe; one h1, sections are h2, stories h3."""
    assert [words(one) for one in mail.iter("h2")] == [*TITLES.values(), "Subscribe"]
    assert [words(one) for one in mail.iter("h1")] == ["The AI Morning Post"]
    headlines = [words(one) for one in mail.iter("h3")]
    assert headlines[:4] == [piece.headline for piece in sample.full().pieces[:4]]
    assert "Hugging Face models by likes" in headlines
    assert "New to the charts" in headlines


def test_the_masthead_says_which_paper_of_which_day(mail: lxml_html.HtmlElement) -> None:
    """Volume, number, tagline, date, reading time, and the way to the web edition."""
    text = words(mail)
    for said in ("Vol. I · No. 214", "Friday, 20 November 2026", "9 minutes to read", "Machine Learning · Future Tech"):
        assert said in text
    assert mail.xpath("string(//a[text()='View in browser']/@href)") == "https://post.example.org/editions/2026-11-20"
    assert words(mail.find(".//title")) == "A harbour lets its tide tables go · The AI Morning Post, No. 214"


def test_each_piece_is_whole_and_linked(mail: lxml_html.HtmlElement) -> None:
    """Headline, standfirst, words, source and link of every story."""
    text, links = words(mail), {one.get("href") for one in mail.iter("a")}
    for piece in sample.full().pieces:
        assert piece.headline in text
        assert piece.standfirst in text
        assert all(paragraph in text for paragraph in piece.body_text.split("\n\n"))
        assert piece.url in links
        if piece.section is not Section.TOOLS:
            assert f"{piece.source} · {piece.minutes} min" in text


def test_charts_are_tables_that_a_screen_reader_can_read(mail: lxml_html.HtmlElement) -> None:
    """A caption, column heads with a scope, a row for each entry; moves are said, not only drawn."""
    tables = [table for table in mail.iter("table") if table.find("caption") is not None]
    assert [words(table.find("caption")) for table in tables] == [
        "Hugging Face models by likes",
        "Hugging Face datasets by likes",
        "GitHub repositories by stars",
    ]
    for table, chart in zip(tables, sample.full().charts, strict=True):
        assert table.get("role") is None
        assert [one.get("scope") for one in table.iter("th")] == ["col"] * 4
        rows = table.findall("tr")[1:]
        assert len(rows) == len(chart.rows)
    assert [words(one) for one in tables[0].iter("th")] == ["Rank", "Move", "Model", "This week"]
    assert [one.get("aria-label") for one in tables[0].iter("span") if one.get("role")] == [
        "up 2", "down 1", "unchanged", "up 9",
    ]  # fmt: skip
    assert "52,300 total" in words(tables[2])


def test_layout_tables_say_that_they_are(mail: lxml_html.HtmlElement) -> None:
    """Every table but the charts has role=presentation, and no column heads."""
    for table in mail.iter("table"):
        if table.find("caption") is None:
            assert table.get("role") == "presentation"
            assert table.find("tr/th") is None


def test_movers_show_arrow_places_and_multiple(mail: lxml_html.HtmlElement) -> None:
    """The arrow's words name both ranks; a newcomer never has a multiple."""
    text = words(mail)
    assert mail.xpath("//span[@aria-label='up 41 places, from 44 to 3']")
    assert "treadle/treadle GitHub+10,400 this week · 8.5× its usual week" in text
    assert "blotter-vl-4b Hugging Face+790 this week · 3× its usual week" in text
    assert "NEWat 3evensong-tts Hugging Face+962 this week · first week on the chart" in text


def test_what_is_known_of_a_row_stands_under_it(mail: lxml_html.HtmlElement) -> None:
    """Its days on the chart, its earlier name, how often it was listed; RE where it came back; why, with its source."""
    text = words(mail)
    assert "openquay · speech recognition · +3 variants · 12 days on the chart" in text
    assert "Streaming SQL over queues · 9 days on the chart" in text  # no full stop before the dot
    assert "Batch inference on idle GPUs, politely." in text
    assert "formerly mudlark-voice" in text
    assert "listed 3 times since 3 November" in text
    back = mail.find_class("re")
    assert [(words(one), one.get("aria-label")) for one in back] == [("RE", "back on the chart")]
    why = mail.xpath("//a[text()='Released treadle 2.0 on 18 November']")
    assert [one.get("href") for one in why] == ["https://github.com/treadle/treadle/releases/tag/v2.0"]
    assert all(one.xpath("ancestor::a") == [] for one in why)


def test_a_reason_without_a_source_is_plain_words() -> None:
    """And a mover that came back says so where its arrow would be."""
    movers = sample.full().movers
    assert movers is not None
    changed = movers.rows[0].model_copy(update={"why_url": "", "was": None, "reentry": True})
    made = page(sample.full(movers=movers.model_copy(update={"rows": (changed,)})))
    assert made.xpath("//p[text()='Released treadle 2.0 on 18 November']")
    assert len(made.find_class("re")) == 2


def test_what_left_the_charts_is_a_line_of_links() -> None:
    """Left, not lost."""
    movers = sample.full().movers
    assert movers is not None
    gone = tuple(Cooled(name=f"old/oar-{n}", url=f"https://x.example/{n}", site="GitHub", was=n) for n in (4, 9))
    made = page(sample.full(movers=movers.model_copy(update={"cooled": gone})))
    assert "Left our charts: old/oar-4 (was 4), old/oar-9 (was 9)." in words(made)


def test_movers_show_their_days(mail: lxml_html.HtmlElement) -> None:
    """Each row's own picture, whose words carry its numbers; a lane without any has no empty column."""
    movers = sample.full().movers
    assert movers is not None
    shown = [(one.get("alt"), one.get("src").rpartition("/")[2]) for one in mail.find_class("spk")]
    made = [charts.of_mover(mover) for mover in (*movers.rows, *movers.new)]
    assert shown == [(one.alt, f"{one.name}.png") for one in made if one]
    assert [alt for alt, _ in shown][::5] == ["140 to 2,310 stars a day", "0 to 890 stars a day"]
    still = [mover.model_copy(update={"spark": None}) for mover in movers.rows]
    without = page(sample.full(movers=movers.model_copy(update={"rows": (*still[:1], *movers.rows[1:])})))
    assert len(without.find_class("sp")) == 6
    assert not page(sample.full(movers=movers.model_copy(update={"rows": still, "new": ()}))).find_class("sp")


def test_the_first_day_measures_without_arrows() -> None:
    """One snapshot only: the sources' own gains, marked as estimates; no arrow, no move column, no multiple."""
    made = page(sample.first_day())
    text = words(made)
    assert "Measuring since 20 November." in text
    assert "≈10,400" in text
    assert made.xpath("//span[@aria-label='about 14,200']")
    assert "▲" not in text
    assert "usual week" not in text
    assert "Move" not in {words(one) for one in made.iter("th")}
    assert "In all" in {words(one) for one in made.iter("th")}


def test_late_figures_carry_their_own_stamp() -> None:
    """The fresh stamp stands over the section, the late one beside its chart."""
    made = page(sample.late())
    captions = [words(table.find("caption")) for table in made.iter("table") if table.find("caption") is not None]
    assert captions[1] == "GitHub repositories by stars, as of Thursday 05:40 UTC"
    assert "Trendingas of 05:40 UTC" in [words(row) for row in made.iter("tr")]


def test_a_chart_that_is_left_out_is_named() -> None:
    """Beneath the others: a silent source is not a still one. A whole set of charts says nothing of the kind."""
    said = "Left out, for want of fresh figures: GitHub repositories."
    full = sample.full()
    thin = full.model_copy(update={"charts": tuple(one for one in full.charts if one.key != "github-repositories")})
    assert said in words(page(thin))
    assert "for want of fresh figures" not in words(page(full))


def test_what_is_empty_is_left_out_whole() -> None:
    """No heading, rule, link or placeholder of a section without content."""
    made = page(sample.bare())
    assert [words(one) for one in made.iter("h2")] == ["Lead story", "Tools of the Week", "Subscribe"]
    text = words(made)
    for missing in ("Read the full story", "NEW", "Rankings", "None", "1 minutes"):
        assert missing not in text
    assert "1 minute to read" in text


def test_a_story_without_html_is_printed_from_its_words() -> None:
    """Paragraphs of the plain text, escaped."""
    lead = sample.full().lead.model_copy(update={"body": "", "body_text": "One <b> & two.\n\nThree."})
    made = page(sample.full(lead=lead))
    assert [words(one) for one in made.xpath("//div[contains(@class,'drop')]/p")] == ["One <b> & two.", "Three."]


def test_three_opinions_stand_in_rows_of_two() -> None:
    """The third has a row of its own."""
    opinion = sample.full().opinion
    made = page(sample.full(opinion=(*opinion, opinion[0])))
    assert len(made.find_class("op1")) == len(made.find_class("op2")) == 1
    assert len(made.find_class("ops")) == 2


@pytest.mark.parametrize("make", MAKERS)
def test_nothing_is_fetched_from_another_site(make: Callable[[], EditionContent]) -> None:
    """The paper's own site serves its QR code and its sparklines; there is no font, sheet or script."""
    whole = mjml.edition_html(make(), sample.PAPER, sample.SLUG, sample.MARK)
    tree = lxml_html.document_fromstring(whole)
    drawn = [f"https://post.example.org/charts/{name}.png" for name in charts.of_content(make())]
    shown = [one.get("src") for one in tree.iter("img")]
    assert shown[-1] == "https://post.example.org/qr.png"
    assert set(shown[:-1]) <= set(drawn)
    assert all(one.get("alt") for one in tree.iter("img"))
    assert [one.get("rel") for one in tree.iter("link")] == ["canonical", "alternate", "alternate"]
    assert not list(tree.iter("script", "iframe", "object", "form"))
    assert "fonts.googleapis" not in whole
    assert "@import" not in whole


def test_a_foreign_image_is_refused() -> None:
    """Were one to slip into a template, no edition would leave with it."""
    for inner in ('<img src="https://spy.example.net/x.png" />', "<script>1</script>"):
        with pytest.raises(ValueError, match="another site"):
            mjml.html_of(f"<mjml><mj-body><mj-raw>{inner}</mj-raw></mj-body></mjml>", sample.PAPER)
    with pytest.raises(ValueError, match="style sheet"):
        mjml.html_of(
            "<mjml><mj-head><mj-raw><style>a{background:url(https://x.example/)}</style></mj-raw></mj-head>"
            "<mj-body></mj-body></mjml>",
            sample.PAPER,
        )


@pytest.mark.parametrize("url", ["javascript:alert(1)", " JavaScript:alert(1)", "data:text/html,x", "file:///etc"])
def test_a_link_that_is_neither_web_nor_mail_is_refused(url: str) -> None:
    """Stories are checked when they come in; this is the last door."""
    lead = sample.bare().lead.model_copy(update={"url": url})
    with pytest.raises(ValueError, match="neither the web nor a mailbox"):
        mjml.edition_html(sample.full(lead=lead), sample.PAPER, sample.SLUG, sample.MARK)


@settings(max_examples=25, deadline=None)
@given(st.text(max_size=60), st.sampled_from(["", "\x00", "\x0b", "\x85", "\ufffe", "\uffff", "\ufdd0", "]]>", "<!--"]))
def test_any_text_can_be_a_headline(words: str, odd: str) -> None:
    """Whatever a story or a repository is called, the paper is printed."""
    lead = sample.bare().lead.model_copy(update={"headline": f"H{words}{odd}", "standfirst": f"{odd}{words}"})
    content = sample.full(lead=lead, deep_dive=None, opinion=(), charts=(), movers=None, weekend=())
    whole = mjml.edition_html(content, sample.PAPER, sample.SLUG, sample.MARK)
    headline = lxml_html.document_fromstring(whole).find(".//h3")
    assert headline is not None
    assert "".join(headline.itertext()).split() == printable(f"H{words}{odd}").split()


@pytest.mark.parametrize("form", [VariantForm.HTML, VariantForm.WEB])
def test_a_full_edition_is_not_clipped(form: VariantForm) -> None:
    """Under 90 kB, where Gmail clips at 102, with room for longer stories than these."""
    assert len(body(sample.full(), form).encode()) < 80_000


def test_an_edition_with_everything_on_is_not_clipped() -> None:
    """Every row with its days, its names, its reason: still within the budget."""
    assert len(body(sample.fullest()).encode()) < 90_000


def test_style_sheets_are_small_and_apart() -> None:
    """Gmail ignores a sheet past 8,192 characters, and a whole sheet for one nested at-rule."""
    made = page(sample.full())
    sheets = [one.text or "" for one in made.iter("style")]
    assert max(map(len, sheets)) < 8_192
    assert [sheet.count("prefers-color-scheme") for sheet in sheets].count(1) == 1
    assert not any(nested(sheet) for sheet in sheets)
    assert nested("@media print{@page{margin:0}}")


def nested(sheet: str) -> bool:
    """Whether an at-rule stands inside another."""
    depth = 0
    for sign in sheet:
        depth += (sign == "{") - (sign == "}")
        if sign == "@" and depth:
            return True
    return False


def test_dark_colours_win_over_inlined_ones() -> None:
    """Every class that dark mode recolours is still on its elements, and its rules are important."""
    made = page(sample.full())
    dark = next(one.text for one in made.iter("style") if one.text and "prefers-color-scheme" in one.text)
    for name in ("p", "n", "i", "b", "m", "s", "r", "k", "kk", "tag", "re", "st", "btn"):
        assert f".{name}" in dark, name
        assert made.find_class(name), name
    assert re.findall(r"color:#[0-9A-F]{6}(?!!important)", dark.partition("a:focus-visible")[0]) == []
    for name in ("i", "b", "m", "s", "r", "k", "kk", "tag", "re", "btn a"):
        assert f"[data-ogsc] .{name}" in dark, name
    for name in ("p", "n", "btn td"):
        assert f"[data-ogsb] .{name}" in dark, name


def test_classes_that_carried_only_styles_are_gone() -> None:
    """What no style sheet names would be dead weight in every mail."""
    made = page(sample.full())
    sheets = "".join(one.text or "" for one in made.iter("style"))
    for element in made.iterfind(".//*[@class]"):
        for name in element.get("class").split():
            assert f".{name}" in sheets


def test_awkward_words_are_printed_as_they_are() -> None:
    """Markup, templates, marks and slots in a story are words; controls are dropped; what nh3 refused is gone."""
    text = body(sample.awkward())
    made = lxml_html.document_fromstring(text)
    said = words(made)
    assert "A & B <b>bold</b> \"quoted\" 'single' {{ x }} {% y %} [[000000000000:unsubscribe]]" in said
    assert "<mj-text>mj</mj-text> &amp; &#60; 🤗🚀 日本語" in said
    assert "kept plain" in said
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text)
    assert not list(made.iter("script"))
    assert made.xpath("//p[contains(., 'kept plain')]/@class") == []
    assert "position:fixed" not in text


def test_long_names_may_break() -> None:
    """After a slash, or anywhere; rankings never push a phone's page wide."""
    text = body(sample.awkward())
    assert "an-owner-with-a-very-long-name-of-its-own/<wbr>and-a" in text
    assert "</wbr>" not in text
    assert "overflow-wrap:anywhere" in text


def test_a_story_that_says_the_mark_is_refused() -> None:
    """The mark is random and never shown; whoever knew it could otherwise forge a section or a slot."""
    for said in (sample.MARK, f"[[{sample.MARK}:address]]", f"{sample.MARK[:5]}\x07{sample.MARK[5:]}"):
        lead = sample.full().lead.model_copy(update={"headline": f"Say {said}"})
        with pytest.raises(ValueError, match="its own mark"):
            mjml.edition_html(sample.full(lead=lead), sample.PAPER, sample.SLUG, sample.MARK)


@pytest.mark.parametrize("mark", ["", "short", "with space", "with-dash", "x" * 65])
def test_a_mark_is_a_word(mark: str) -> None:
    """Anything else could be mistaken for markup."""
    with pytest.raises(ValueError, match="a mark is a word"):
        mjml.edition_html(sample.bare(), sample.PAPER, sample.SLUG, mark)


def test_the_mail_opens_with_its_preheader(mail: lxml_html.HtmlElement, web: lxml_html.HtmlElement) -> None:
    """Hidden, and padded so that no inbox shows what follows; a page has none."""
    preheader = sample.full().preheader
    first = mail.body[0][0]
    assert first.text.startswith(preheader + "\u034f\u200c\u00a0")
    assert "display:none" in first.get("style")
    assert preheader not in words(web.body)
    assert web.xpath("string(//meta[@name='description']/@content)") == preheader


def test_the_mail_ends_with_the_readers_own_words(mail: lxml_html.HtmlElement) -> None:
    """Sign-off, why it came, the way out, the postal address."""
    text = words(mail)
    assert "That is the whole paper. The next one is on Saturday at 06:30." in text
    assert (
        "You get this because ada@example.org was confirmed on 4 March 2026. "
        "It comes every day at 06:30, London time." in text
    )
    assert mail.xpath("string(//a[text()='Unsubscribe']/@href)").startswith("https://post.example.org/unsubscribe/")
    assert "The AI Morning Post, 4 Galley Lane, Harwich CO12 0ZZ." in text
    assert "Back numbers" not in text


def test_the_web_edition_is_nobodys(web: lxml_html.HtmlElement) -> None:
    """No slot, no unsubscribe link, no view link; the sign-off and the footer are anybody's."""
    text = words(web)
    assert sample.MARK not in etree.tostring(web, encoding="unicode")
    for absent in ("[[", "Unsubscribe", "View in browser", "You get this because", "The next one is on"):
        assert absent not in text
    assert "That is the whole paper. There is another every morning." in text
    assert web.xpath("string(//link[@rel='canonical']/@href)") == "https://post.example.org/editions/2026-11-20"
    assert {"https://post.example.org/editions", "https://post.example.org"} <= {a.get("href") for a in web.iter("a")}


def test_the_web_edition_says_what_the_mail_says(mail: lxml_html.HtmlElement, web: lxml_html.HtmlElement) -> None:
    """Every heading, word, figure and picture, in the same order; only one reader's own and the foot differ."""
    for tag in ("h1", "h2", "h3", "th", "td"):
        theirs = [words(one) for one in web.iter(tag) if one.find(".//table") is None]
        ours = [words(one) for one in mail.iter(tag) if one.find(".//table") is None]
        differ = {one for pair in zip(ours, theirs, strict=True) for one in pair if pair[0] != pair[1]}
        assert {one for one in differ if "Story links go to" not in one} <= {"View in browser", "Back numbers"}, tag
    assert [one.get("src") for one in web.iter("img")] == [one.get("src") for one in mail.iter("img")]
    stories = "//div[contains(@class, 'st')]"
    assert [words(one) for one in web.xpath(stories)] == [words(one) for one in mail.xpath(stories)]


def test_the_qr_code_has_its_address_beside_it(mail: lxml_html.HtmlElement) -> None:
    """Phones do not scan themselves, so it is hidden there; the link is not."""
    tile = mail.find_class("q")[0]
    assert tile.find(".//img").get("alt") == "QR code: post.example.org"
    assert "Subscribe at post.example.org" in words(mail)
    assert re.search(r"max-width:480px\).*\.q\{display:none!important\}", body(sample.full()), re.DOTALL)


def test_the_address_of_a_paper_may_be_long_or_strange() -> None:
    """A path, a port, a name with an ampersand and no postal address."""
    paper = dataclasses.replace(
        sample.PAPER, name="Bits & <Bobs>", tagline="", postal_address="", public_url="http://localhost:8000/the/paper"
    )
    made = lxml_html.document_fromstring(mjml.edition_html(sample.bare(), paper, sample.SLUG, sample.MARK))
    assert words(made.find(".//h1")) == "Bits & <Bobs>"
    assert "Subscribe at localhost:8000/the/paper" in words(made)
    assert "Bits & <Bobs>. Story links" in words(made)


def test_rendering_twice_gives_the_same_bytes() -> None:
    """Nothing depends on the clock or on chance."""
    first, second = (mjml.edition_html(sample.full(), sample.PAPER, sample.SLUG, sample.MARK) for _ in range(2))
    assert first == second


def test_the_page_is_a_document_of_its_own(web: lxml_html.HtmlElement) -> None:
    """Language, direction, title, both colour schemes."""
    assert body(sample.full(), VariantForm.WEB).startswith("<!DOCTYPE html>\n<html")
    assert (web.get("lang"), web.get("dir")) == ("en", "ltr")
    assert web.xpath("string(//meta[@name='color-scheme']/@content)") == "light dark"


def test_the_sample_has_every_section() -> None:
    """So that the tests above look at all of them."""
    assert sample.full().present == frozenset(CHOOSABLE)
    assert date(2026, 11, 20) == sample.DAY
