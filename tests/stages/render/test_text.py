"""The edition as plain text."""

import re

import pytest
from inline_snapshot import snapshot

from app.core.mail.template import Pieces
from app.models.content import Cooled, EditionContent, Section
from app.models.editions import VariantForm
from app.stages.render import plain, text, variants
from app.stages.render.lint.rules import lint
from app.stages.render.mjml import edition_html
from tests.stages.render import sample
from tests.stages.render.lint.proofs import proof, real


def mail(content: EditionContent, *sections: Section) -> str:
    whole = text.edition_text(content, sample.PAPER, sample.SLUG, sample.MARK)
    cut = variants.cut(whole, frozenset(sections) or content.present, VariantForm.TEXT)
    return Pieces.cut(cut, sample.MARK).fill(sample.VALUES)


def part(content: EditionContent, section: Section) -> str:
    """The lines under one section's heading."""
    return mail(content, section).split("=" * plain.WIDTH)[2]


def test_a_short_paper_reads_from_top_to_bottom() -> None:
    """Masthead, lead, subscribe, sign-off, why, the way out, the address."""
    assert mail(sample.bare(), Section.WEEKEND) == snapshot("""\
THE AI MORNING POST
Artificial Intelligence · Machine Learning · Future Tech
Vol. I · No. 214 · Friday, 20 November 2026 · 1 minute to read
View in browser: https://post.example.org/editions/2026-11-20

============================================================================
LEAD STORY

Nothing but a headline

1 min

============================================================================
SUBSCRIBE

Was this passed on to you? The paper is free, comes every morning, and takes
one click to leave.
https://post.example.org

============================================================================
That is the whole paper. The next one is on Saturday at 06:30.

You get this because ada@example.org
was confirmed on 4 March 2026.
It comes every day at 06:30, London time.

Manage preferences: https://post.example.org/preferences/AQAAAAAAAGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6
Unsubscribe: https://post.example.org/unsubscribe/AQAAAAAAAGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6

The AI Morning Post, 4 Galley Lane, Harwich CO12 0ZZ. Story links go to the
publishers named beside them.
""")


def test_charts_say_place_change_and_counts() -> None:
    """In words: a screen reader or a plain terminal has no arrows."""
    assert part(sample.full(), Section.TRENDING).split("\n\n")[1:4] == snapshot(
        [
            "Hugging Face models by likes, as of 05:40 UTC",
            """\
 1. breakwater-9b-chat, up 2, +1,284 this week [1]
    northmole · text generation · +6 variants\
""",
            """\
 2. curlew-asr-large, down 1, +1,107 this week [2]
    openquay · speech recognition · +3 variants · 12 days on the chart\
""",
        ]
    )


def test_movers_say_both_ranks() -> None:
    """And a newcomer says that it is one."""
    blocks = part(sample.full(), Section.MOVERS).split("\n\n")
    assert (blocks[1], blocks[2], blocks[-3]) == snapshot(
        (
            "Figures as of 05:40 UTC.",
            """\
treadle/treadle (GitHub): up 41 places, from 44 to 3 [1]
    +10,400 this week, 8.5× its usual week
    listed 3 times since 3 November
    Released treadle 2.0 on 18 November [2]\
""",
            """\
lullbench/lullbench (GitHub): at 5 [7]
    +5,120 this week, first week on the chart\
""",
        )
    )


def test_the_first_day_says_that_it_measures() -> None:
    """Estimates are called so; nothing is compared."""
    said = " ".join(part(sample.first_day(), Section.MOVERS).split())
    assert "Figures as of 05:40 UTC. Measuring since 20 November. Places are compared once" in said
    assert "treadle/treadle (GitHub): at 3 [1] about 10,400 this week" in said


def test_late_figures_carry_their_own_stamp() -> None:
    """The chart of a source that did not answer names its day."""
    assert "GitHub repositories by stars, as of Thursday 05:40 UTC" in part(sample.late(), Section.TRENDING)


def test_a_chart_that_is_left_out_is_named() -> None:
    """As in the HTML part."""
    full = sample.full()
    thin = full.model_copy(update={"charts": full.charts[-1:]})
    said = " ".join(part(thin, Section.TRENDING).split())
    assert "Left out, for want of fresh figures: Hugging Face models and Hugging Face datasets." in said
    assert "for want of" not in part(full, Section.TRENDING)


def test_every_word_of_every_story_is_there() -> None:
    """The same content as the HTML part, wrapped."""
    said = " ".join(re.sub(r" \[\d+\]$", "", mail(sample.full()), flags=re.MULTILINE).split())
    for piece in sample.full().pieces:
        assert piece.headline in said
        assert " ".join(f"{piece.standfirst} {piece.body_text}".split()) in said
        assert piece.url in said


@pytest.mark.parametrize("content", [sample.full(), sample.first_day(), sample.awkward()])
def test_lines_are_short_but_for_addresses(content: EditionContent) -> None:
    """76 columns; a word that is longer stands alone and is never broken."""
    for line in mail(content).split("\n"):
        assert len(line) <= plain.WIDTH or "://" in line or len(line.split()) == 1 or sample.LONG in line


def test_lists_keep_their_lines() -> None:
    """One item a line, its second line set in; also of a story that came without HTML."""
    told = {"body": "", "body_text": "Before.\n\n- one " + "word " * 20 + "\n- two"}
    lead = sample.full().lead.model_copy(update=told)
    assert "- two\n" in mail(sample.full(lead=lead))
    assert re.search(r"\n- one (word )+word\n  word", mail(sample.full(lead=lead)))


def test_links_inside_a_story_have_numbers_too() -> None:
    """In the order of reading; the address stands in the section's list."""
    body = '<p>Two <a href="https://a.example.org/x">papers</a> of <a href="https://b.example.org">one</a> desk.</p>'
    lead = sample.full().lead.model_copy(update={"body": body})
    said = mail(sample.full(lead=lead)).split("=" * plain.WIDTH)[1]
    assert "Two papers [1] of one [2] desk." in said
    assert said.endswith(
        "Read the full story [3]\n\n"
        "[1] https://a.example.org/x\n[2] https://b.example.org\n[3] https://stories.example.net/1\n\n"
    )


def test_what_left_the_charts_is_said_in_a_line() -> None:
    """Left, not lost: it may have gained and others more."""
    movers = sample.full().movers
    assert movers is not None
    gone = (Cooled(name="old/oar", url="https://github.com/old/oar", site="GitHub", was=4),)
    said = part(sample.full(movers=movers.model_copy(update={"cooled": gone})), Section.MOVERS)
    assert "Left our charts: old/oar (was 4) [8].\n" in said
    assert "[8] https://github.com/old/oar\n" in said


def test_controls_and_turns_of_direction_are_dropped() -> None:
    """A terminal would obey them."""
    said = mail(sample.awkward())
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", said)
    assert "עברית" in said


def test_a_story_that_says_the_mark_is_refused() -> None:
    """On a line of its own it would pass for the end of a section."""
    lead = sample.full().lead.model_copy(update={"body": "", "body_text": f"Words.\n\n{sample.MARK}-lead\n\nMore."})
    with pytest.raises(ValueError, match="its own mark"):
        text.edition_text(sample.full(lead=lead), sample.PAPER, sample.SLUG, sample.MARK)


def test_code_and_tables_keep_their_lines_in_both_parts() -> None:
    """A reader who copies the code runs it; and no mail program lacks anything that says what is meant."""
    code = "def load(path):\n    with open(path) as file:\n\n        return file.read()"
    body = (
        f"<p>So:</p><pre><code>{code}\n</code></pre>"
        "<p>10<sup>12</sup> at 20 °C, O(n^2), List&lt;T&gt;, <del>9</del></p>"
        "<table><tbody><tr><th>Model</th><th>Size</th></tr><tr><td>Kiln</td><td>7 B</td></tr></tbody></table>"
    )
    content = sample.full()
    content = content.model_copy(update={"lead": content.lead.model_copy(update={"body": body})})
    html = edition_html(content, sample.PAPER, "2026-11-20", "a1b2c3d4")
    plain_text = text.edition_text(content, sample.PAPER, "2026-11-20", "a1b2c3d4")
    assert f"\n\n{code}\n\n" in plain_text
    assert "10¹² at 20 °C, O(n^2), List<T>, ~~9~~" in plain_text
    assert "Model | Size\nKiln  | 7 B\n" in plain_text
    assert f"{code}\n</code></pre>" in html
    assert "white-space:pre-wrap" in html
    assert "20 °C, O(n^2), List&lt;T&gt;" in html
    assert lint(proof(real(content))) == ()
