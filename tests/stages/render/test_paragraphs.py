"""A story's HTML on a plain screen."""

import pytest

from app.stages.render.paragraphs import written
from app.stages.render.plain import WIDTH, Links

HOME = "https://a.example.org"


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ("<p>One.</p><p>Two.</p>", "One.\n\nTwo.\n"),
        ("<p>One<br>two</p>", "One\ntwo\n"),
        ("<p>A <em>fine</em> <strong>day</strong>, <code>x &lt; y</code></p>", "A fine day, x < y\n"),
        ("<ul><li>one</li><li>two</li></ul>", "- one\n- two\n"),
        ("<ul>\n<li>\n<p>one</p>\n<p>more</p>\n</li>\n<li>\n<p>two</p></li></ul>", "- one\n  more\n- two\n"),
        ("<ol><li>one</li><li>two</li></ol><p>After.</p>", "1. one\n2. two\n\nAfter.\n"),
        ("<ul><li>one<ol><li>a</li></ol></li><li>two</li></ul>", "- one\n  1. a\n- two\n"),
        ("<p>She said:</p><blockquote><p>So.</p><p>There.</p></blockquote>", "She said:\n\n> So.\n\n> There.\n"),
        (
            "<p>So:</p><pre><code>def f(x):\n    return x\n\n  y\n</code></pre><p>Done.</p>",
            "So:\n\ndef f(x):\n    return x\n\n  y\n\nDone.\n",
        ),
        ("<ul><li>a<pre>x\n  y</pre></li></ul>", "- a\n\n  x\n    y\n"),
        ("<blockquote><pre>x\n\n  y</pre></blockquote>", "> x\n>\n>   y\n"),
        ("<p>10<sup>12</sup>, H<sub>2</sub>O, <del>9</del>10</p>", "10¹², H₂O, ~~9~~10\n"),
        (
            "<table><tr><th>Model</th><th>B</th></tr><tr><td>Kiln</td></tr><tr><td><p>A</p><p>b</p></td><td>7</td></tr></table>x",
            "Model | B\nKiln\nA b   | 7\n\nx\n",
        ),
        (f"<table><tr><td>{'word ' * 15}</td><td>two</td></tr></table>", f"{'word ' * 14}word |\ntwo\n"),
        ('<ol start="3"><li>c</li><li>d</li></ol>', "3. c\n4. d\n"),
        ("words alone", "words alone\n"),
        ("<p> </p><ul></ul>", ""),
        ("</a></li></ul><p>Still.</p>", "Still.\n"),
    ],
)
def test_each_kind_of_paragraph_is_written_as_people_write_it(html: str, said: str) -> None:
    """Signs for items, a bracket for quotes, one blank line between paragraphs."""
    assert written(html, Links()) == said


def test_links_are_numbered_and_listed() -> None:
    """One address has one number; an address that is written out needs none."""
    links = Links()
    html = (
        f'<p><a href="{HOME}">One</a>, <a href="{HOME}/2">two</a>, <a href="{HOME}">one again</a>, '
        f'<a href="{HOME}/3">{HOME}/3</a>, <a href="mailto:desk@example.org">desk@example.org</a>, <a>none</a>.</p>'
    )
    said = " ".join(written(html, links).split())
    assert said == f"One [1], two [2], one again [1], {HOME}/3, desk@example.org, none."
    assert links.listed() == f"[1] {HOME}\n[2] {HOME}/2\n"


def test_a_number_keeps_to_its_word() -> None:
    """No line begins with one, and no line is longer than the screen for it."""
    links = Links()
    for length in range(60, 90):
        said = written(f'<p>{"x" * length} <a href="{HOME}">word</a> and on.</p>', links)
        assert not any(line.startswith("[") for line in said.split("\n"))
        assert all(len(line) <= WIDTH or " " not in line for line in said.split("\n"))


def test_a_long_list_of_links_is_set_in_a_column() -> None:
    """The addresses begin under each other."""
    links = Links()
    for number in range(12):
        links.ref(f"{HOME}/{number}")
    lines = links.listed().splitlines()
    assert (lines[0], lines[11]) == (f" [1] {HOME}/0", f"[12] {HOME}/11")


def test_a_long_line_of_code_is_not_broken() -> None:
    """A reader who copies it runs it."""
    line = "x = [" + ", ".join(map(str, range(100))) + "]"
    assert written(f"<pre>{line}</pre>", Links()) == line + "\n"
