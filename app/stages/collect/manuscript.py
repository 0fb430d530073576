"""One story in a Markdown file: a head, then the body. Pure.

The head is YAML between two lines `---`; or, as Hugo and Zola also write it, TOML between two lines `+++`, or one
object of JSON (gohugo.io/content-management/front-matter).

---
section: lead
headline: A harbour of small models
standfirst: Three ports share one.
---
The body, in Markdown.
"""

import json
import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from difflib import get_close_matches
from typing import Any

import yaml

from app.core.errors import InvalidInput
from app.stages.collect.stories import StoryFields, parse

LARGEST = 200_000
"""Bytes of one file; a story is at most 20,000 characters."""
_FENCES = {"---": re.compile(r"-{3,}[ \t]*"), "+++": re.compile(r"\+{3,}[ \t]*")}
_AT = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")
"""Where tomllib found a fault; at the end of what it says."""
_TOML_KEY = re.compile(r"""(?:"([^"]{1,100})"|'([^']{1,100})'|([A-Za-z0-9_-]{1,100}))[ \t]{0,20}=""")
_JSON_KEY = re.compile(r'"([^"]{1,100})"[ \t]{0,20}:')
_SLUG = re.compile(r"[a-z0-9]+(?:[-_.][a-z0-9]+)*")
_SAME = {"title": "headline", "date": "publish_on", "link": "url", "author": "byline", "summary": "standfirst"}
"""What other tools call our fields."""


_OURS = frozenset({*StoryFields.model_fields, "slug", "draft"} - {"body"})
_TEXT = frozenset({"headline", "standfirst", "byline", "source", "url", "slug"})
_THEIRS = frozenset(
    {"authors", "drafts", "dates", "links", "titles", "subtitle", "linktitle", "sections", "urls", "slugs"}
)
"""Fields of other tools whose names are nearly ours."""


@dataclass(frozen=True, slots=True)
class Manuscript:
    """A story as a file holds it. `slug` is what it is known by when it comes again; `draft` means: not yet."""

    slug: str
    story: StoryFields
    draft: bool = False


def read(data: bytes, name: str) -> Manuscript:
    """The story in a file called `name`. Raises InvalidInput, whose sentence begins with the line where it can."""
    if len(data) > LARGEST:
        raise InvalidInput(f"it is larger than {LARGEST // 1000} kB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise InvalidInput(f"line {line}: it is not UTF-8") from None
    fields, lines, body = _parts(text)
    slug = _slug(fields.pop("slug", None), name)
    draft = fields.pop("draft", False)
    if not isinstance(draft, bool):
        raise InvalidInput(f"{_at(lines, 'draft')}draft: must be true or false")
    try:
        return Manuscript(slug, parse({**fields, "body": body}), draft)
    except InvalidInput as error:
        said = "; ".join(f"{_at(lines, one.field)}{one.field}: {one.message}" for one in error.errors)
        raise InvalidInput(said or str(error)) from None


def _parts(text: str) -> tuple[dict[str, Any], Mapping[str, int], str]:
    """The head's fields by our names, the line of each, and the body."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.startswith("{"):
        return _json(text)
    lines = text.split("\n")
    kind = lines[0][:3]
    if kind not in _FENCES or not _FENCES[kind].fullmatch(lines[0]):
        raise InvalidInput("line 1: it must begin with a line --- that opens its head")
    for number in range(1, len(lines)):
        if _FENCES[kind].fullmatch(lines[number]):
            # The head keeps its place, so that its lines are those of the file.
            fields, where = (_toml if kind == "+++" else _fields)("\n".join(["", *lines[1:number]]))
            return fields, where, "\n".join(lines[number + 1 :])
    raise InvalidInput(f"line 1: the head that begins here is never closed by a line {kind}")


def _toml(head: str) -> tuple[dict[str, Any], Mapping[str, int]]:
    try:
        values = tomllib.loads(head)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        said = "it is nested too deeply" if isinstance(error, RecursionError) else str(error).splitlines()[0][:120]
        at = _AT.search(said)
        line = int(at[1]) if at and at[1] else head.count("\n") + 1 if at else 1
        raise InvalidInput(f"line {line}: it is not TOML: {_AT.sub('', said)}") from None
    return _ours(values, _lines_of(_TOML_KEY, head.split("\n")))


def _json(text: str) -> tuple[dict[str, Any], Mapping[str, int], str]:
    twice: list[str] = []

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        count = Counter(name for name, _ in pairs)
        twice[:] = [name for name, times in count.items() if times > 1]  # of the outermost object, which comes last
        return dict(pairs)

    try:
        values, end = json.JSONDecoder(object_pairs_hook=once).raw_decode(text)
    except json.JSONDecodeError as error:
        raise InvalidInput(f"line {error.lineno}: it is not JSON: {error.msg}") from None
    except (ValueError, RecursionError):
        raise InvalidInput("line 1: its head cannot be read") from None
    where = _lines_of(_JSON_KEY, text[:end].split("\n"))
    if twice:
        raise InvalidInput(f"{_at(where, twice[0])}{twice[0]} is there twice")
    rest, _, body = text[end:].partition("\n")
    if rest.strip():
        line = text.count("\n", 0, end) + 1
        raise InvalidInput(f"line {line}: the head ends here; the body begins on a line of its own")
    fields, lines = _ours(values, where)
    return fields, lines, body


def _lines_of(key: re.Pattern[str], lines: Sequence[str]) -> dict[str, int]:
    """On which line each field stands, the first of a name."""
    found: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if match := key.match(line.lstrip(" \t{,")):
            found.setdefault(next(filter(None, match.groups())), number)
    return found


def _ours(values: Mapping[str, Any], where: Mapping[str, int]) -> tuple[dict[str, Any], Mapping[str, int]]:
    """Fields by our names, as TOML or JSON has their values; and the line of each."""
    fields: dict[str, Any] = {}
    lines: dict[str, int] = {}
    for given, value in values.items():
        name, line = _SAME.get(given, given), where.get(given, 1)
        if name in lines:
            raise InvalidInput(f"line {line}: {name} is there twice")
        lines[name] = line
        if name not in _OURS:
            _refuse_misspelt(given, line)
            continue
        made = _plain(name, value)
        if made is not None and not (name == "url" and str(made).startswith("/")):
            fields[name] = made
    return fields, lines


def _plain(name: str, value: Any) -> Any:
    if name == "byline" and isinstance(value, list):
        return ", ".join(str(one) for one in value if isinstance(one, str | int))
    if name == "publish_on":
        if isinstance(value, datetime):
            return value.date()
        return value[:10] if isinstance(value, str) and value[10:11] in ("T", "t", " ") else value
    if name in _TEXT and isinstance(value, bool):
        return str(value).lower()
    return str(value) if name in _TEXT and isinstance(value, int | float | date | time) else value


def _fields(head: str) -> tuple[dict[str, Any], Mapping[str, int]]:
    """The head's fields by our names, and the line of each."""
    try:
        # Composed first, for the lines: a value is then read from its own node.
        node = yaml.compose(head, Loader=yaml.SafeLoader)
        values = yaml.safe_load(head)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise InvalidInput(f"line {mark.line + 1 if mark else 1}: it is not YAML: {error.problem}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidInput(f"line 1: its head cannot be read: {' '.join(str(error).split())[:120]}") from None
    if not isinstance(node, yaml.MappingNode) or not isinstance(values, dict):
        raise InvalidInput("line 2: its head must be fields such as section: lead")
    lines: dict[str, int] = {}
    fields: dict[str, Any] = {}
    written = head.split("\n")
    for key, value in node.value:
        given = str(key.value)
        name = _SAME.get(given, given)
        number = key.start_mark.line + 1
        if name in lines:
            raise InvalidInput(f"line {number}: {name} is there twice")
        lines[name] = number
        if name not in _OURS:
            _refuse_misspelt(given, number)
            continue
        read = _value(name, value, written, number, values.get(key.value))
        if read is not None and not (name == "url" and str(read).startswith("/")):
            fields[name] = read
    return fields, lines


def _value(name: str, node: yaml.Node, written: Sequence[str], number: int, read: Any) -> Any:
    """A field's value: text as it is written, though YAML would read a number, a truth value or a date out of it."""
    if name == "byline" and isinstance(read, list):
        return ", ".join(str(one) for one in read if isinstance(one, str | int))
    if not isinstance(node, yaml.ScalarNode):
        return read
    if name == "publish_on":
        said = node.value.strip()
        # A day with a time is that day, as it is written: its own zone's.
        return said[:10] if said[10:11] in ("T", "t", " ") else read.date() if isinstance(read, datetime) else read
    if name not in _TEXT:
        return read
    after = _after(node, written)
    if after.startswith("#"):
        if not after[1:2].strip():
            raise InvalidInput(f"line {number}: {name}: all from its # on would be a comment; put it in quotes")
        return " ".join(filter(None, (node.value, after)))
    return None if read is None else node.value


def _after(node: yaml.ScalarNode, written: Sequence[str]) -> str:
    """What stands behind a value without quotes on its line."""
    if node.style is not None or node.end_mark is None:
        return ""
    return written[node.end_mark.line][node.end_mark.column :].strip() if node.end_mark.line < len(written) else ""


def _refuse_misspelt(given: str, number: int) -> None:
    """Fields of other tools do no harm; one that is nearly ours was meant to be it."""
    meant = get_close_matches(given[:40].lower(), (*_OURS, *_SAME), n=1, cutoff=0.82)
    if meant and given.lower() not in _THEIRS:
        raise InvalidInput(f"line {number}: {given}: is no field; did you mean {meant[0]}?")


def _slug(given: Any, name: str) -> str:
    slug = str(given) if given is not None else re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._")
    if not _SLUG.fullmatch(slug) or len(slug) > 120:
        raise InvalidInput("slug: must be 1 to 120 letters a-z, digits, dashes and dots, such as small-models")
    return slug


def _at(lines: Mapping[str, int], field: str) -> str:
    line = lines.get(field.partition(".")[0])
    return f"line {line}: " if line else ""
