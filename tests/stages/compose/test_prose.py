"""Markdown in, mailable HTML and plain words out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.stages.compose.prose import minutes, to_html, to_text


@pytest.mark.parametrize(
    ("markdown", "html", "text"),
    [
        ("One *two*.\n\nThree.", "<p>One <em>two</em>.</p>\n<p>Three.</p>", "One two.\n\nThree."),
        (
            "See [the paper](https://example.org/a?b=1&c=2).",
            '<p>See <a href="https://example.org/a?b=1&amp;c=2">the paper</a>.</p>',
            "See the paper (https://example.org/a?b=1&c=2).",
        ),
        ("- one\n- two", "<ul>\n<li>one</li>\n<li>two</li>\n</ul>", "- one\n- two"),
        ("# Head\n\nBody", "<p><strong>Head</strong></p>\n<p>Body</p>", "Head\n\nBody"),
        ("<script>alert(1)</script>Words", "Words", "Words"),
        ("![a chart](https://example.org/x.png) after", "<p> after</p>", "after"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>", "[x](javascript:alert(1))"),
        ('<a href="javascript:alert(1)" onclick="x()">y</a>', "<p><a>y</a></p>", "y"),
        ("**never closed", "<p>**never closed</p>", "**never closed"),
        ("5 < 6 & 7 > 6", "<p>5 &lt; 6 &amp; 7 &gt; 6</p>", "5 < 6 & 7 > 6"),
    ],
)
def test_markdown_is_sanitised_and_has_a_plain_twin(markdown: str, html: str, text: str) -> None:
    """Nothing that runs, loads or posts survives; the words do."""
    assert to_html(markdown) == html
    assert to_text(html) == text


@given(st.text(max_size=400))
def test_no_markdown_makes_markup_we_did_not_allow(markdown: str) -> None:
    """Whatever is typed, sanitising its result again changes nothing."""
    made = to_html(markdown)
    assert "<script" not in made.lower()
    assert "<img" not in made.lower()
    assert "javascript:" not in made.lower() or "href" not in made.lower()
    to_text(made)


def test_reading_takes_at_least_a_minute() -> None:
    """220 words a minute, rounded."""
    assert minutes("") == 1
    assert minutes("word " * 660) == 3
