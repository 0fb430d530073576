"""What Gmail, Outlook and Apple Mail can do, from the tables of caniemail.com that travel with the code.

`caniemail/features.json` maps the slug of a feature to its title and, client by client, to "y", "a" (partly), "n" or
"u" (not known); VERSION says where it is from.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

_HERE = Path(__file__).parent / "caniemail"
_SEVERAL = {
    "html-lists": ("ul", "ol", "li", "dl", "dt", "dd"),
    "html-h1-h6": ("h1", "h2", "h3", "h4", "h5", "h6"),
    "html-address": ("address",),
    "html-image-maps": ("map",),
    "html-svg": ("svg",),
    "html-semantics": (
        "article", "aside", "details", "figcaption", "figure", "footer", "header", "main", "mark", "nav", "section",
        "summary", "time",
    ),
    "css-left-right-top-bottom": ("left", "right", "top", "bottom"),
    "css-gap": ("gap", "column-gap", "row-gap"),
    "css-grid-template": ("grid-template",),
    "css-column-layout-properties": ("columns", "column-fill", "column-rule", "column-span", "column-width"),
    "css-color-scheme": ("color-scheme",),
    "css-block-inline-size": ("block-size", "inline-size"),
}  # fmt: skip
"""Features whose title names more than one thing, or another way of writing it."""


@dataclass(frozen=True, slots=True)
class Tables:
    """From what stands in a mail to the slug of the feature it takes."""

    titles: Mapping[str, str]
    lacking: Mapping[str, tuple[str, ...]]
    """By slug: the clients without it."""
    elements: Mapping[str, str]
    attributes: Mapping[str, str]
    properties: Mapping[str, str]
    pairs: Mapping[str, str]
    """By `display:flex`."""
    at_rules: Mapping[str, str]
    """By `@media`, or by a condition such as `prefers-color-scheme`."""
    pseudo: Mapping[str, str]
    functions: Mapping[str, str]
    units: Mapping[str, str]

    def property(self, name: str) -> str | None:
        """The feature of a property, or of the shorthand that it is a part of: `padding-left` is of `padding`."""
        parts = name.split("-")
        return next(
            (
                self.properties["-".join(parts[:length])]
                for length in range(len(parts), 0, -1)
                if "-".join(parts[:length]) in self.properties
            ),
            None,
        )


@cache
def tables() -> Tables:
    """Read once."""
    features = json.loads((_HERE / "features.json").read_text(encoding="utf-8"))
    titles = {slug: feature["title"].strip() for slug, feature in features.items()}
    return Tables(
        titles=titles,
        lacking={
            slug: tuple(client for client, can in feature["support"].items() if can == "n")
            for slug, feature in features.items()
        },
        elements=_named(titles, "html-", r"<(\w+)>(?: element)?"),
        attributes=_named(titles, "html-", r"([a-z-]+) attribute"),
        properties=_named(titles, "css-", r"([a-z-]+)(?: property| shorthand| CSS property)?"),
        pairs={key.replace(" ", ""): slug for key, slug in _named(titles, "css-", r"([a-z-]+: ?[a-z-]+)").items()},
        at_rules=_named(titles, "css-at-", r"@media \(([a-z-]+)\).*|(@[a-z-]+)"),
        pseudo=_named(titles, "css-pseudo-", r"(::?[a-z-]+)(?:\(\))?"),
        functions=_named(titles, "css-", r"(?:CSS )?([a-z-]+)\(\).*"),
        units=_named(titles, "css-unit-", r"([a-z]+|%) unit"),
    )


def _named(titles: Mapping[str, str], kind: str, pattern: str) -> dict[str, str]:
    """By the name that `pattern` finds in a title of a kind, and by the names of `_SEVERAL` that look alike."""
    found = dict(_matches(titles, kind, pattern))
    if (kind == "html-" and "element" in pattern) or (kind == "css-" and "shorthand" in pattern):
        found |= {name: slug for slug, names in _SEVERAL.items() if slug.startswith(kind) for name in names}
    return found


def _matches(titles: Mapping[str, str], kind: str, pattern: str) -> Iterator[tuple[str, str]]:
    for slug, title in titles.items():
        found = re.fullmatch(pattern, title)
        if slug.startswith(kind) and found:
            yield next(group for group in found.groups() if group), slug
