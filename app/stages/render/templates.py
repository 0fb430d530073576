"""The Jinja2 environment of emails/.

Everything but plain text is escaped, a missing name is an error, and control characters vanish.
"""

from functools import cache
from typing import Any

import nh3
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from app.core.language import ENGLISH, Language
from app.core.resources import folder
from app.core.templating import teach
from app.models.content import TITLES, Piece
from app.stages.render import charts, wording
from app.stages.render.characters import printable

_TAGS = {
    "p", "br", "em", "strong", "a", "ul", "ol", "li", "blockquote", "code", "pre", "sup", "sub", "del",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip


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
    made.filters.update(body=body, breakable=breakable, tied=tied, sparkline=charts.of_mover)
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
    return Markup(printable(cleaned))  # noqa: S704  # nh3 let nothing through but the tags above


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
