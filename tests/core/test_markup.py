"""Angle brackets that are tags and those that are not; exponents and struck words without markup."""

import html

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.markup import lowered, raised, spelled, without_false_tags


@pytest.mark.parametrize(
    "text",
    [
        "Vec<T> and Option<String>",
        "Map<String, List<Integer>> in Java",
        "If a<b and c>d then",
        "x<y",
        "a <b",
        "i<n; i++) and j>0",
        "List<Object> and List<Link>",
        "the <head> element and the <div> tag",
        "Why </body> may be left out",
        "<3 Rust",
        "a<-b, a<=b, <>",
        "<?php still rules",
        "Mail <ada@kiln.example> today",
        "template<typename T> class",
        "<your-name-here>",
        "f<'a>(x: &'a str)",
        "x <b it's c> y",
        "<!-- never closed",
    ],
)
def test_what_is_no_tag_is_text_in_a_headline(text: str) -> None:
    """Every bracket stays."""
    assert html.unescape(without_false_tags(text, line=True)) == text
    assert "<" not in without_false_tags(text, line=True)


@pytest.mark.parametrize(
    "markup",
    [
        "<b>bold</b> news",
        '<a href="https://kiln.example/?a=1&b=>2" target=_blank>words</a>',
        "one<br>two<br/>three<hr />",
        '<img src="x.png" alt="a<b">',
        "<script>alert(1)</script>",
        "10<sup>12</sup>",
        "<SPAN CLASS='x'>y</SPAN>",
        "<o:p>x</o:p>",
        "<math><msup><mi>x</mi><mn>2</mn></msup></math>",
    ],
)
@pytest.mark.parametrize("line", [True, False])
def test_a_tag_is_a_tag(markup: str, *, line: bool) -> None:
    """In headlines and in stories."""
    assert without_false_tags(markup, line=line) == markup


@pytest.mark.parametrize(
    ("markup", "kept"),
    [
        ("<p>one<p>two<li>three", "<p>one<p>two<li>three"),
        ("List<T> and List<Object>, <b>so</b>", "List&lt;T> and List&lt;Object>, <b>so</b>"),
        ("If a<b then<div>x", "If a&lt;b then<div>x"),
        ("if a<b>c", "if a&lt;b>c"),
        ("<!-- hidden -->shown<!DOCTYPE html>", "shown"),
        ("<![if !mso]>x<![endif]><?xml version='1.0'?>", "x"),
    ],
)
def test_stories_may_leave_tags_open(markup: str, kept: str) -> None:
    """As HTML allows."""
    assert without_false_tags(markup) == kept


@given(st.text("<>ab/! -'\"=pT", max_size=60), st.booleans())
def test_no_word_is_lost_between_brackets_that_are_no_tags(text: str, line: bool) -> None:
    """Doing it twice is doing it once, and only "<" changes, but for comments."""
    once = without_false_tags(text, line=line)
    if "<!--" not in text:
        assert once.replace("&lt;", "<") == text


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("12", "¹²"), ("-3", "⁻³"), ("n", "ⁿ"), ("st", "st"), ("TM", "™"), ("k", "^k"), ("k+m", "^(k+m)"), ("e", "ᵉ"),
        ("er", "er"), (" ", ""), ("n+1", "^(n+1)"),
    ],
)  # fmt: skip
def test_what_is_raised_is_not_read_as_a_digit_more(words: str, shown: str) -> None:
    """10 to the 12th is not 1012."""
    assert raised(words) == shown


def test_what_is_lowered_is_told_apart() -> None:
    """An index is no factor."""
    assert [lowered(words) for words in ("2", "n", "max", "i,j", "")] == ["₂", "ₙ", "_max", "_(i,j)", ""]


def test_struck_and_quoted_words_have_signs() -> None:
    """The words before and after a correction are told apart."""
    assert spelled("<del>9</del>10, <q>so</q>, x<sup><a>1</a></sup>, <sup></sup>") == "~~9~~10, “so”, x^<a>1</a>, "
