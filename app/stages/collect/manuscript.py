"""One story in a Markdown file: a head of YAML between two lines `---`, then the body. Pure.

---
section: lead
headline: A harbour of small models
standfirst: Three ports share one.
---
The body, in Markdown.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from app.core.errors import InvalidInput
from app.stages.collect.stories import StoryFields, parse

LARGEST = 200_000
"""Bytes of one file; a story is at most 20,000 characters."""
_FENCE = re.compile(r"-{3,}[ \t]*")
_SLUG = re.compile(r"[a-z0-9]+(?:[-_.][a-z0-9]+)*")
_SAME = {"title": "headline", "date": "publish_on", "link": "url", "author": "byline", "summary": "standfirst"}
"""What other tools call our fields."""


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
    head, body = _split(text)
    fields, lines = _fields(head)
    slug = _slug(fields.pop("slug", None), name)
    draft = fields.pop("draft", False)
    if not isinstance(draft, bool):
        raise InvalidInput(f"{_at(lines, 'draft')}draft: must be true or false")
    try:
        return Manuscript(slug, parse({**fields, "body": body}), draft)
    except InvalidInput as error:
        said = "; ".join(f"{_at(lines, one.field)}{one.field}: {one.message}" for one in error.errors)
        raise InvalidInput(said or str(error)) from None


def _split(text: str) -> tuple[str, str]:
    """Head and body; the head keeps its place, so that its lines are those of the file."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not _FENCE.fullmatch(lines[0]):
        raise InvalidInput("line 1: it must begin with a line --- that opens its head")
    for number in range(1, len(lines)):
        if _FENCE.fullmatch(lines[number]):
            return "\n".join(["", *lines[1:number]]), "\n".join(lines[number + 1 :])
    raise InvalidInput("line 1: the head that begins here is never closed by a line ---")


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
    for key, _ in node.value:
        name = _SAME.get(str(key.value), str(key.value))
        if name in lines:
            raise InvalidInput(f"line {key.start_mark.line + 1}: {name} is there twice")
        lines[name] = key.start_mark.line + 1
    return {_SAME.get(str(name), str(name)): value for name, value in values.items() if value is not None}, lines


def _slug(given: Any, name: str) -> str:
    slug = str(given) if given is not None else re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-._")
    if not _SLUG.fullmatch(slug) or len(slug) > 120:
        raise InvalidInput("slug: must be 1 to 120 letters a-z, digits, dashes and dots, such as small-models")
    return slug


def _at(lines: Mapping[str, int], field: str) -> str:
    line = lines.get(field.partition(".")[0])
    return f"line {line}: " if line else ""
