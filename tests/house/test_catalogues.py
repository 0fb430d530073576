"""The catalogues say what the code says: they hold every key, and each language a text for it with the same values."""

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.frontend import CommandLineInterface
from babel.messages.pofile import read_po

from app.core.languages import FOLDER

ROOT = Path(__file__).parents[2]
KEYWORDS = ["-k", "say:1", "-k", "plural:1,2", "-k", "dated:1", "-k", "key:1", "-k", "forms:1,2"]
FILES = sorted(FOLDER.glob("*/LC_MESSAGES/messages.po"))
each_language = pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.parent.name)

Key = str | tuple[str, ...]


def read(file: Path) -> Catalog:
    with file.open("rb") as stream:
        return read_po(stream)


def keys(catalogue: Catalog) -> set[Key]:
    return {tuple(one.id) if isinstance(one.id, (list, tuple)) else one.id for one in catalogue if one.id}


def forms(text: str | list[str] | tuple[str, ...] | None) -> list[str]:
    return [text or ""] if isinstance(text, str) or text is None else list(text)


def marks(text: str) -> set[str]:
    """Values to be filled in, and HTML tags."""
    return set(re.findall(r"%\(\w+\)s|\{\w+\}|</?\w+[^>]*>", text))


@pytest.fixture
def said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> set[Key]:
    """Every key in the code and the templates, read as `make strings` reads them."""
    monkeypatch.chdir(ROOT)
    found = tmp_path / "found.pot"
    words = ["pybabel", "--quiet", "extract", "-F", "babel.cfg", *KEYWORDS, "--omit-header", "-o", str(found), "."]
    CommandLineInterface().run(words)  # type: ignore[no-untyped-call]  # Babel does not say
    return keys(read(found))


def test_the_template_of_catalogues_is_in_step(said: set[Key]) -> None:
    """Where this fails, run `make strings` and translate what is new."""
    assert keys(read(FOLDER / "messages.pot")) == said


@each_language
def test_a_language_has_every_key_and_no_other(file: Path) -> None:
    """Where this fails, run `make strings`."""
    assert keys(read(file)) == keys(read(FOLDER / "messages.pot"))


@each_language
def test_a_language_has_a_text_for_every_key(file: Path) -> None:
    """None is empty, and none is a guess."""
    missing = [one.id for one in read(file) if one.id and (one.fuzzy or not all(forms(one.string)))]
    assert missing == [], f"write the msgstr of these into {file.relative_to(ROOT)}"


@each_language
def test_a_text_holds_the_values_and_tags_of_its_key(file: Path) -> None:
    """A singular may leave its number out."""

    def differ(one: Message) -> bool:
        wanted = set().union(*map(marks, forms(one.id)))
        optional = {"{number}", "%(words)s"} if not isinstance(one.id, str) else set()
        return any(not wanted - optional <= marks(text) <= wanted for text in forms(one.string) if text)

    assert [one.id for one in read(file) if one.id and differ(one)] == []


def test_the_makefile_reads_the_same_words() -> None:
    """The keywords are written in two places."""
    assert " ".join(KEYWORDS) in (ROOT / "Makefile").read_text(encoding="utf-8")
