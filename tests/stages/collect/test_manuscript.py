"""Stories from Markdown files: what a file says, where it is wrong, and what coming again does."""

import contextlib
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.db import Database
from app.core.errors import InvalidInput
from app.models import Story
from app.models.content import Section
from app.stages.collect import manuscript
from app.stages.collect import stories as desk
from app.stages.collect.bring_in import Arrival, Fate, bring_in, files_in
from app.store import stories
from tests.conftest import NOON

GOOD = """---
section: lead
headline: "A harbour of small models: three ports share one"
standfirst: Three ports share one.
byline: Ada Marsh
url: https://harbour.example/?utm_source=x
publish_on: 2026-11-24
minutes: 4
---

The **body**, in Markdown.

---

And a rule in it.
"""


def test_a_file_is_a_head_and_a_body() -> None:
    """Dates and numbers by their kinds; a rule in the body is no fence."""
    made = manuscript.read(GOOD.encode(), "Harbour Models (2)")
    assert (made.slug, made.draft) == ("harbour-models-2", False)
    story = made.story
    assert story.section is Section.LEAD
    assert story.headline == "A harbour of small models: three ports share one"
    assert (story.publish_on, story.minutes) == (date(2026, 11, 24), 4)
    assert story.body.startswith("The **body**")
    assert story.body.endswith("And a rule in it.")


def test_other_tools_words_are_known() -> None:
    """title, date, link, author, summary; a draft waits; Windows' line ends and byte order mark do no harm."""
    text = "\ufeff---\r\ntitle: One\r\ndate: 2026-11-24\r\nlink: https://a.example/\r\nauthor: Ada\r\n"
    text += "summary: Short.\r\nsection: tools\r\ndraft: true\r\nslug: one-2\r\n---\r\nBody\r\n"
    made = manuscript.read(text.encode(), "x")
    assert (made.slug, made.draft) == ("one-2", True)
    assert (made.story.headline, made.story.byline, made.story.standfirst) == ("One", "Ada", "Short.")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "line 1: it must begin with a line ---"),
        ("# Only Markdown", "line 1: it must begin with a line ---"),
        ("---\nsection: lead\n", "line 1: the head that begins here is never closed"),
        ("---\n---\nBody", "line 2: its head must be fields"),
        ("---\n- a\n---\n", "line 2: its head must be fields"),
        ("---\nsection: lead\nheadline: a: b: c\n---\nx", "line 3: it is not YAML"),
        ("---\nsection: lead\n\theadline: a\n---\nx", "line 3: it is not YAML"),
        ("---\nsection: sport\nheadline: a\n---\nx", "line 2: section:"),
        ("---\nsection: movers\nheadline: a\n---\nx", "line 2: section: movers is filled from counts"),
        ("---\nheadline: a\n---\nx", "section: is required"),
        ("---\nsection: lead\nheadline: a\n---\n", "story: a story needs a standfirst or a body"),
        ("---\nsection: lead\nheadline: [2026]\n---\nx", "line 3: headline: must be text"),
        (
            "---\nsection: lead\nheadline: a\nstandfrist: b\n---\nx",
            "line 4: standfrist: is no field; did you mean standfirst?",
        ),
        (
            "---\nsection: lead\ntitle: A crane # of the harbour\n---\nx",
            "line 3: headline: all from its # on would be a comment; put it in quotes",
        ),
        ("---\nsection: lead\nheadline: a\ntitle: b\n---\nx", "line 4: headline is there twice"),
        ("---\nsection: lead\nheadline: a\ndate: soon\n---\nx", "line 4: publish_on:"),
        ("---\nsection: lead\nheadline: a\nurl: ftp://a/\nminutes: 0\n---\nx", "line 4: url:"),
        ("---\nsection: lead\nheadline: a\nurl: ftp://a/\nminutes: 0\n---\nx", "line 5: minutes:"),
        ("---\nsection: lead\nheadline: a\ndraft: perhaps\n---\nx", "line 4: draft: must be true or false"),
        ("---\nsection: lead\nheadline: a\nslug: Über uns\n---\nx", "slug: must be 1 to 120 letters"),
        ("---\nsection: lead\nheadline: !!python/object:os.system a\n---\nx", "line 3: it is not YAML"),
        ('---\nsection: lead\nheadline: "a\\u0007b"\n---\nx', "line 3: headline: must be one line"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(text: str, sentence: str) -> None:
    """A sentence for each fault, and no traceback."""
    with pytest.raises(InvalidInput) as caught:
        manuscript.read(text.encode(), "name")
    assert sentence in str(caught.value)


def test_bytes_that_are_no_text_and_files_that_are_too_large_are_said() -> None:
    """With the line where the text ends."""
    with pytest.raises(InvalidInput, match="line 2: it is not UTF-8"):
        manuscript.read(b"---\nsection: \xff\n---\n", "name")
    with pytest.raises(InvalidInput, match="larger than 200 kB"):
        manuscript.read(b"x" * 300_000, "name")


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda text: f"---\n{text}\n---\nx".encode()))
def test_no_file_breaks_the_reading(data: bytes) -> None:
    """Whatever is in it: a story, or a sentence."""
    with contextlib.suppress(InvalidInput):
        assert manuscript.read(data, "name").story.headline


def write(folder: Path, name: str, headline: str = "A tool", **fields: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    head = "".join(f"{key}: {value}\n" for key, value in {"section": "tools", "headline": headline, **fields}.items())
    path.write_text(f"---\n{head}---\nThe body.\n", encoding="utf-8")
    return path


async def bring(db: Database, *paths: Path, dry: bool = False, days: int = 0) -> Arrival:
    return await bring_in(db, files_in(paths), NOON + timedelta(days=days), dry=dry)


def fates(arrival: Arrival) -> list[Fate]:
    return [one.fate for one in arrival.files]


async def ready(db: Database) -> list[Story]:
    async with db.read() as session:
        return list(await stories.newest(session, 200, None, None))[::-1]


async def test_a_folder_is_brought_in_and_coming_again_updates(db: Database, tmp_path: Path) -> None:
    """By slug, so that a story is never there twice; a bad file costs itself only."""
    one, _, bad = write(tmp_path, "one.md"), write(tmp_path, "deep/two.markdown"), tmp_path / "bad.md"
    bad.write_text("---\nsection: tools\n", encoding="utf-8")
    write(tmp_path, "README.md")
    write(tmp_path, "_notes.md")
    (tmp_path / "picture.png").write_bytes(b"\x89PNG")
    first = await bring(db, tmp_path)
    assert fates(first) == [Fate.REFUSED, Fate.CREATED, Fate.CREATED]
    assert first.files[0].problem == f"{bad}: line 1: the head that begins here is never closed by a line ---"
    assert fates(await bring(db, one, one)) == [Fate.UNCHANGED]
    write(tmp_path, "one.md", "A better tool")
    assert fates(await bring(db, one, days=1)) == [Fate.UPDATED]
    stored = await ready(db)
    assert sorted((row.slug, row.headline) for row in stored) == [("one", "A better tool"), ("two", "A tool")]
    assert [row.updated_at for row in stored if row.slug == "one"] == [NOON + timedelta(days=1)]


async def test_a_dry_run_writes_nothing(db: Database, tmp_path: Path) -> None:
    """And tells what would become of each file."""
    write(tmp_path, "one.md")
    write(tmp_path, "two.md", draft="true")
    assert fates(await bring(db, tmp_path, dry=True)) == [Fate.CREATED, Fate.DRAFT]
    assert await ready(db) == []


async def test_what_was_printed_does_not_change(db: Database, tmp_path: Path) -> None:
    """The file may say what it likes."""
    path = write(tmp_path, "one.md")
    await bring(db, path)
    from app.stages.compose import draft

    made = await draft.compose(db, date(2026, 11, 23), NOON)
    async with db.write() as session:
        await stories.mark_printed(session, [1], made.edition_id)
    write(tmp_path, "one.md", "Another")
    assert fates(await bring(db, path)) == [Fate.PRINTED]
    assert (await ready(db))[0].headline == "A tool"


async def test_two_files_of_one_slug_are_said(db: Database, tmp_path: Path) -> None:
    """Else the second would undo the first, every time."""
    write(tmp_path, "a/one.md", "First")
    write(tmp_path, "b/one.md", "Second")
    arrival = await bring(db, tmp_path)
    assert fates(arrival) == [Fate.CREATED, Fate.REFUSED]
    assert "has the slug one too" in arrival.files[1].problem
    assert [row.headline for row in await ready(db)] == ["First"]


async def test_two_stories_about_one_thing_may_both_stand(db: Database, tmp_path: Path) -> None:
    """An editor may write of it twice; the first keeps its canonical address, and gives it up with its link."""
    write(tmp_path, "one.md", url="https://harbour.example/a")
    write(tmp_path, "two.md", url="https://www.harbour.example/a/#part")
    assert fates(await bring(db, tmp_path)) == [Fate.CREATED, Fate.CREATED]
    assert [row.canonical_url for row in await ready(db)] == ["https://harbour.example/a", ""]
    async with db.write() as session:
        await desk.change(session, 1, {"url": ""}, NOON)
        await desk.change(session, 2, {"headline": "Now the only one"}, NOON)
    assert [row.canonical_url for row in await ready(db)] == ["", "https://harbour.example/a"]


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    """Before anything is read."""
    with pytest.raises(InvalidInput, match="There is no file or folder"):
        files_in([tmp_path / "nowhere"])
    assert files_in([tmp_path]) == []


@pytest.mark.parametrize(
    ("written", "field", "value"),
    [
        ("title: Rust #1 again", "headline", "Rust #1 again"),
        ("title: #1 of the harbour", "headline", "#1 of the harbour"),
        ('title: "Rust # 1"', "headline", "Rust # 1"),
        ("title: 1984", "headline", "1984"),
        ("title: 007", "headline", "007"),
        ("title: 1.10", "headline", "1.10"),
        ("title: yes", "headline", "yes"),
        ("title: 2030-12-24", "headline", "2030-12-24"),
        ("title: a\ndate: 2030-12-24T23:00:00+01:00", "publish_on", date(2030, 12, 24)),
        ("title: a\ndate: 2030-12-24 23:00:00 +0100", "publish_on", date(2030, 12, 24)),
        ("title: a\ndate: 2030-12-24 23:00:00", "publish_on", date(2030, 12, 24)),
        ('title: a\ndate: "2030-12-24T23:00:00Z"', "publish_on", date(2030, 12, 24)),
        ("title: a\ndate: 2030-12-24 # Christmas", "publish_on", date(2030, 12, 24)),
        ("title: a\nauthor: [Ada, Ben]", "byline", "Ada, Ben"),
        ("title: a\nurl: /posts/a/", "url", ""),
        ("title: a\nlayout: post\ntags: [ai, ports]\nweight: 3\ncategories:\n  - x\nparams: {a: 1}", "headline", "a"),
    ],
)
def test_heads_of_other_tools_come_in(written: str, field: str, value: object) -> None:
    """Numbers are headlines, a date with a time is its day, fields of theirs do no harm, nothing is cut."""
    read_in = manuscript.read(f"---\nsection: tools\nsummary: A line.\n{written}\n---\nx".encode(), "a")
    assert getattr(read_in.story, field) == value


TOML = """+++
title = "C# is here: a note on #1"
date = 2026-11-24T07:30:00+02:00
author = ["Ada Marsh", "Ben"]
section = "tools"
link = "https://a.example/a page"
summary = 'Three "ports".'
tags = ["ports", "models"]
weight = 3
draft = false
[params]
hero = "harbour.png"
+++
The body.

+++ is no fence here
"""


def test_a_head_of_toml_is_read_as_one_of_yaml() -> None:
    """Dates with a time by their own day, several authors, tables and fields that are not ours."""
    made = manuscript.read(TOML.encode(), "harbour")
    story = made.story
    assert (made.slug, made.draft, story.section) == ("harbour", False, Section.TOOLS)
    assert story.headline == "C# is here: a note on #1"
    assert (story.publish_on, story.byline) == (date(2026, 11, 24), "Ada Marsh, Ben")
    assert (story.url, story.standfirst) == ("https://a.example/a%20page", 'Three "ports".')
    assert story.body == "The body.\n\n+++ is no fence here"


@pytest.mark.parametrize(
    ("line", "headline"),
    [("title = 2026", "2026"), ("title = 4.5", "4.5"), ("title = true", "true"), ("title = 2026-11-24", "2026-11-24")],
)
def test_text_that_toml_would_read_otherwise_stays_text(line: str, headline: str) -> None:
    made = manuscript.read(f"+++\n{line}\nsection = 'tools'\nsummary = 'x'\n+++\n".encode(), "x")
    assert made.story.headline == headline


def test_a_head_of_json_is_one_object() -> None:
    """As Hugo writes it; the body begins behind its last brace."""
    text = '{\n  "title": "One {of} two",\n  "date": "2026-11-24T07:00:00Z",\n  "section": "tools",\n'
    text += '  "tags": ["a", {"b": 1}],\n  "draft": true\n}\n\nBody {here}.\n'
    made = manuscript.read(text.encode(), "one")
    assert (made.draft, made.story.headline, made.story.body) == (True, "One {of} two", "Body {here}.")
    assert made.story.publish_on == date(2026, 11, 24)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("+++\ntitle = One\n+++\nx", "line 2: it is not TOML: Invalid value"),
        ("+++\ntitle = 'One'\n\ntitle = 'Two'\n+++\nx", "line 4: it is not TOML: Cannot overwrite a value"),
        ("+++\ntitle = 'One'\nheadline = 'Two'\n+++\nx", "line 3: headline is there twice"),
        ("+++\nheadlin = 'One'\n+++\nx", "line 2: headlin: is no field; did you mean headline?"),
        ("+++\ntitle = 'One'\nx", "line 1: the head that begins here is never closed by a line +++"),
        ("+++\ntitle = 'One'\n---\nx", "line 1: the head that begins here is never closed by a line +++"),
        ("+++\ntitle = 'One'\nsection = 'sport'\n+++\nx", "line 3: section:"),
        ("+++\ntitle = 'One'\ndraft = 'no'\n+++\nx", "line 3: draft: must be true or false"),
        ('{"title": "One"\n"section": 1}\nx', "line 2: it is not JSON: Expecting ',' delimiter"),
        ('{"title": "One",\n"title": "Two"}\nx', "line 1: title is there twice"),
        ('{"title": "One",\n"minutes": "long"}\nx', "line 2: minutes:"),
        ('{"title": "One"} body', "line 1: the head ends here; the body begins on a line of its own"),
        ("+++\na = " + "[" * 5000 + "\n+++\n", "it is"),
        ('{"a":' + "[" * 100_000, "line 1: its head cannot be read"),
        ("title: One\n", "line 1: it must begin with a line --- that opens its head"),
    ],
)
def test_heads_of_other_kinds_say_where_they_are_wrong(text: str, said: str) -> None:
    with pytest.raises(InvalidInput) as error:
        manuscript.read(text.encode(), "x")
    assert said in str(error.value)
