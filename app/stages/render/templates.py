"""The Jinja2 environment of emails/.

Everything but plain text is escaped, a missing name is an error, and control characters vanish.
"""

import re
from functools import cache
from typing import Any

import nh3
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from app.core.language import ENGLISH, Language
from app.core.resources import folder
from app.core.templating import teach
from app.core.text import is_right_to_left
from app.models.content import TITLES, Piece
from app.stages.render import charts, wording
from app.stages.render.characters import printable

_TAGS = {
    "p", "br", "em", "strong", "a", "ul", "ol", "li", "blockquote", "code", "pre", "sup", "sub", "del",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip


_BLOCK = re.compile(r"<(p|li|blockquote|pre|td|th)>")
_TAG = re.compile(r"<[^<>]{0,500}>")
_LOOK_AT = 400
"""Characters of a block in which its first letter is looked for."""


@cache
def environment(language: Language = ENGLISH) -> Environment:
    """The environment of a language. Its templates are the `.j2` files of emails/; the edition's know English alone."""
    made = Environment(
        loader=FileSystemLoader(folder("emails")),
        autoescape=select_autoescape(disabled_extensions=["txt.j2"], default=True),
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    teach(made, language)
    made.filters.update(body=body, way=way, breakable=breakable, tied=tied, sparkline=charts.of_mover)
    made.globals.update({name: value for name, value in vars(wording).items() if not name.startswith("_")})
    made.globals["titles"] = {section.value: title for section, title in TITLES.items()}
    return made


def render(name: str, language: Language = ENGLISH, **values: Any) -> str:
    """The template `name` with `values`. Raises jinja2.UndefinedError for a name that is missing."""
    return environment(language).get_template(name).render(**values)


def body(piece: Piece) -> Markup:
    """A story's HTML. It was sanitised when it was stored; it is again here, because here it becomes mail."""
    written = piece.body or "".join(f"<p>{escape(part)}</p>" for part in piece.body_text.split("\n\n") if part.strip())
    cleaned = nh3.clean(
        written,
        tags=_TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel=None,
        strip_comments=True,
    )
    return Markup(_BLOCK.sub(_directed, printable(cleaned)))  # noqa: S704  # nh3 let nothing through but the tags above


def _directed(block: re.Match[str]) -> str:
    """A block's opening tag, with its direction where it is not the paper's."""
    begins = _TAG.sub("", block.string[block.end() : block.end() + _LOOK_AT])
    return f'<{block[1]} dir="rtl">' if is_right_to_left(begins) else block[0]


def way(words: str) -> str:
    """A headline or a line that runs from right to left says so; every other is left as it is."""
    return Markup('<span dir="rtl">{}</span>').format(words) if is_right_to_left(words) else words


def breakable(words: str) -> Markup:
    """`owner/name` may break after its slash."""
    return Markup("/<wbr />").join(printable(words).split("/"))


def tied(words: str) -> Markup:
    """The last two words stay on one line, so that a tagline does not end in a widow."""
    head, space, last = printable(words).rpartition(" ")
    return Markup("{}&nbsp;{}").format(head, last) if space else escape(last)


def _printable(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    kept = printable(value)
    return Markup(kept) if isinstance(value, Markup) else kept  # noqa: S704  # a Markup without some characters
