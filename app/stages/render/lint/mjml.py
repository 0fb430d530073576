"""What MJML knows. The compiler drops an unknown tag or attribute without a word, so a slip of the pen is found here.

The tables are those of the MJML 4 documentation, for the components that the templates use.
"""

from collections.abc import Iterator
from html.parser import HTMLParser

from app.stages.render.lint.problem import Problem, error
from app.stages.render.lint.proof import Proof

_PADDING = {"padding", "padding-top", "padding-right", "padding-bottom", "padding-left"}
_BORDER = {"border", "border-top", "border-right", "border-bottom", "border-left", "border-radius"}
_FONT = {"color", "font-family", "font-size", "font-style", "font-weight", "letter-spacing", "line-height"}
_COMMON = {"css-class"}
_BACKGROUND = {"background-color", "background-url", "background-repeat", "background-size", "background-position"}

ATTRIBUTES: dict[str, set[str]] = {
    "mjml": {"lang", "dir", "owa"},
    "mj-head": set(),
    "mj-title": set(),
    "mj-breakpoint": {"width"},
    "mj-attributes": set(),
    "mj-raw": {"position"},
    "mj-body": _COMMON | {"width", "background-color"},
    "mj-section": _COMMON | _PADDING | _BORDER | _BACKGROUND | {"direction", "full-width", "text-align"},
    "mj-column": _COMMON | _PADDING | _BORDER | {"background-color", "width", "vertical-align", "direction"},
    "mj-text": _COMMON | _PADDING | _FONT | {"align", "height", "text-decoration", "text-transform"},
    "mj-table": _COMMON
    | _PADDING
    | _FONT
    | {"align", "border", "cellpadding", "cellspacing", "container-background-color", "table-layout", "width", "role"},
    "mj-button": _COMMON
    | _PADDING
    | _BORDER
    | _FONT
    | {"align", "background-color", "height", "href", "inner-padding", "name", "rel", "target", "text-align", "title"}
    | {"text-decoration", "text-transform", "vertical-align", "width", "container-background-color"},
}
PARENTS = {
    "mj-head": {"mjml"},
    "mj-body": {"mjml"},
    "mj-title": {"mj-head"},
    "mj-breakpoint": {"mj-head"},
    "mj-attributes": {"mj-head"},
    "mj-raw": {"mj-head", "mj-body", "mj-section", "mj-column"},
    "mj-section": {"mj-body"},
    "mj-column": {"mj-section"},
    "mj-text": {"mj-column"},
    "mj-table": {"mj-column"},
    "mj-button": {"mj-column"},
}


def mjml(proof: Proof) -> Iterator[Problem]:
    """Slips in the templates of emails/."""
    for slip in dict.fromkeys(check_mjml(proof.source)):
        yield error("mjml", "template", f"MJML drops it without a word: {slip}.")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.inside: list[str] = []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not tag.startswith("mj"):
            return
        known = set(ATTRIBUTES.get(tag, ()))
        defaults = "mj-attributes" in self.inside
        if tag not in ATTRIBUTES and not (defaults and tag == "mj-all"):
            self.found.append(f"unknown tag <{tag}>")
        elif not defaults and self.inside and self.inside[-1] not in PARENTS[tag]:
            self.found.append(f"<{tag}> inside <{self.inside[-1]}>")
        if tag == "mj-all":
            known = set().union(*ATTRIBUTES.values())
        self.found += [f"unknown attribute {name} of <{tag}>" for name, _ in attrs if name not in known]
        self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag.startswith("mj") and (not self.inside or self.inside.pop() != tag):
            self.found.append(f"</{tag}> closes nothing")


def check_mjml(source: str) -> list[str]:
    """Tags and attributes that MJML does not know, and components where they do not belong."""
    reader = _Reader()
    reader.feed(source)
    reader.close()
    return reader.found + [f"<{tag}> is never closed" for tag in reader.inside]
