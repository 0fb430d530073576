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
        (
            "A `List<T>` and List<T>.",
            "<p>A <code>List&lt;T&gt;</code> and List&lt;T&gt;.</p>",
            "A List<T> and List<T>.",
        ),
        ("If a<b and c>d", "<p>If a&lt;b and c&gt;d</p>", "If a<b and c>d"),
        (
            "```python\ndef f(x):\n    if x:\n\n        return 1\n```",
            "<pre><code>def f(x):\n    if x:\n\n        return 1\n</code></pre>",
            "def f(x):\n    if x:\n\n        return 1",
        ),
        ("10<sup>12</sup> H<sub>2</sub>O", "<p>10<sup>12</sup> H<sub>2</sub>O</p>", "10¹² H₂O"),
        ("~~9~~10 <s>a</s>b", "<p><del>9</del>10 <del>a</del>b</p>", "~~9~~10 ~~a~~b"),
        (
            "| a |\n|---|\n| 1 |",
            "<table>\n<thead>\n<tr>\n<th>a</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>1</td>\n</tr>\n</tbody>\n</table>",
            "a\n1",
        ),
        ("<div>one</div><div>two</div>", "<p>one</p><p>two</p>", "one\n\ntwo"),
        ("<dl><dt>a</dt><dd>b</dd></dl>", "<p><strong>a</strong></p><p>b</p>", "a\n\nb"),
        ("<q>So</q> <b>it</b> <i>is</i>", "<p>“So” <strong>it</strong> <em>is</em></p>", "“So” it is"),
        ("One\n\n---\n\nTwo", "<p>One</p>\n<p>* * *</p>\n<p>Two</p>", "One\n\n* * *\n\nTwo"),
        ("3. three\n4. four", '<ol start="3">\n<li>three</li>\n<li>four</li>\n</ol>', "- three\n- four"),
        ("<ruby>漢<rp>(</rp><rt>kan</rt><rp>)</rp></ruby>", "<p>漢 (kan)</p>", "漢 (kan)"),
        (
            "20 °C, n^2, № 5, می\u200cخواهم",
            "<p>20 °C, n^2, № 5, می\u200cخواهم</p>",
            "20 °C, n^2, № 5, می\u200cخواهم",
        ),
        ("5 < 6 & 7 > 6", "<p>5 &lt; 6 &amp; 7 &gt; 6</p>", "5 < 6 & 7 > 6"),
    ],
)
def test_markdown_is_sanitised_and_has_a_plain_twin(markdown: str, html: str, text: str) -> None:
    """Nothing that runs, loads or posts survives; the words do."""
    assert to_html(markdown) == html
    assert to_text(html) == text


def test_cells_of_a_row_are_told_apart() -> None:
    """And rows are lines."""
    assert to_text(to_html("| a | b |\n|---|---|\n| 1 | 2 |\n\nAfter.")) == "a | b\n1 | 2\n\nAfter."


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
