"""Text against what it stands on, by day and by dark: 4.5 to 1 or more (WCAG 2.2, success criterion 1.4.3).

Colours come from style attributes and the sheets in the head, by the cascade's rules as far as mail needs them:
importance, then specificity, then order. Sheets for widths and for print are left out.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from cssselect import SelectorError, parse
from lxml import etree
from lxml.cssselect import CSSSelector

from app.stages.render.lint.problem import Problem, error
from app.stages.render.lint.proof import Proof, short
from app.stages.render.lint.sheet import Declaration, blocks, declarations

RULE = "contrast"
ENOUGH = 4.5
RGB = tuple[int, int, int]
WHITE: RGB = (255, 255, 255)
BLACK: RGB = (0, 0, 0)
LINK: RGB = (0, 0, 238)
"""What programs paint a link without a colour."""
_HEX = re.compile(r"#([0-9a-f]{6}|[0-9a-f]{3})\b")
_RGB = re.compile(r"rgb\(\s*(\d+)[\s,]+(\d+)[\s,]+(\d+)\s*\)")
_NAMES = {"white": WHITE, "black": BLACK, "red": (255, 0, 0), "gray": (128, 128, 128), "grey": (128, 128, 128)}
_DARK = re.compile(r"prefers-color-scheme\s*:\s*dark")
_OURS = ("color", "background", "background-color", "display")
_NOTHING = re.compile(r"[\s\u00a0\u034f\u200b-\u200f\u2009\ufeff]*")

Styles = Mapping[Any, Mapping[str, str]]
"""By element of the tree."""


class Spot(NamedTuple):
    """A piece of text, its colour and what is behind it."""

    words: str
    ink: RGB
    paper: RGB


def contrast(proof: Proof) -> Iterator[Problem]:
    """Each pair of colours once, with the first text that has it."""
    body = proof.tree.find("body")
    if body is None:
        return
    for scheme in ("light", "dark"):
        seen: set[tuple[RGB, RGB]] = set()
        for spot in _spots(body, BLACK, WHITE, _styles(proof, dark=scheme == "dark")):
            pair = (spot.ink, spot.paper)
            if pair not in seen and ratio(*pair) < ENOUGH:
                yield error(
                    RULE,
                    f"{scheme} scheme",
                    f"“{short(spot.words)}” is {_hex(spot.ink)} on {_hex(spot.paper)}, "
                    f"{ratio(*pair):.1f} to 1; it takes {ENOUGH}.",
                )
            seen.add(pair)


def ratio(one: RGB, other: RGB) -> float:
    """1 for the same colour, 21 for black on white."""
    dim, bright = sorted((_luminance(one), _luminance(other)))
    return (bright + 0.05) / (dim + 0.05)


def colour(value: str) -> RGB | None:
    """The colour in a value such as `#16181b` or `#fff no-repeat`; None where it names none that we read."""
    if found := _HEX.search(value):
        digits = found[1] if len(found[1]) == 6 else "".join(sign * 2 for sign in found[1])
        return (int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16))
    if found := _RGB.search(value):
        return (int(found[1]), int(found[2]), int(found[3]))
    return next((_NAMES[word] for word in value.split() if word in _NAMES), None)


def _spots(element: etree._Element, ink: RGB, paper: RGB, styles: Styles) -> Iterator[Spot]:
    own = styles.get(element, {})
    if own.get("display") == "none":
        return
    ink = colour(own.get("color", "")) or (LINK if element.tag == "a" and "color" not in own else ink)
    paper = colour(own.get("background", "")) or paper
    yield from _spot(element.text, ink, paper)
    for child in element:
        if isinstance(child.tag, str):
            yield from _spots(child, ink, paper, styles)
        yield from _spot(child.tail, ink, paper)


def _spot(words: str | None, ink: RGB, paper: RGB) -> Iterator[Spot]:
    if words and not _NOTHING.fullmatch(words):
        yield Spot(words, ink, paper)


def _styles(proof: Proof, *, dark: bool) -> Styles:
    """What each element is told in the end."""
    plain: dict[etree._Element, dict[str, str]] = {}
    strong: dict[etree._Element, dict[str, str]] = {}
    for element, declaration in _from_sheets(proof, dark=dark):
        (strong if declaration.important else plain).setdefault(element, {})[_key(declaration.name)] = declaration.value
    for element in proof.tree.iterfind(".//*[@bgcolor]"):
        plain.setdefault(element, {}).setdefault("background", element.get("bgcolor", "").lower())
    for element in proof.tree.iterfind(".//*[@style]"):
        for one in declarations(element.get("style", "")):
            if one.name in _OURS:
                plain.setdefault(element, {})[_key(one.name)] = one.value
    return {element: {**plain.get(element, {}), **strong.get(element, {})} for element in {**plain, **strong}}


def _from_sheets(proof: Proof, *, dark: bool) -> Iterator[tuple[etree._Element, Declaration]]:
    """What the sheets say to which element, the weakest first."""
    found = []
    for sheet in proof.sheets:
        for block in blocks(sheet):
            ours = [one for one in block.declarations if one.name in _OURS]
            applies = all(dark and _DARK.search(rule) for rule in block.at_rules)
            if ours and applies:
                found += [(_specificity(selector), selector, ours) for selector in block.selectors]
    for _, selector, ours in sorted(found, key=lambda one: one[0]):
        for element in _matched(proof.tree, selector):
            for declaration in ours:
                yield element, declaration


def _specificity(selector: str) -> tuple[int, int, int]:
    try:
        return parse(selector)[0].specificity()
    except SelectorError:
        return (0, 0, 0)


def _matched(tree: etree._Element, selector: str) -> list[etree._Element]:
    """A selector that this reader does not know, such as :focus-visible, is of a state that text is not in."""
    try:
        return list(CSSSelector(selector, translator="html")(tree))
    except SelectorError:
        return []


def _key(name: str) -> str:
    return "background" if name == "background-color" else name


def _luminance(one: RGB) -> float:
    red, green, blue = (
        part / 255 / 12.92 if part / 255 <= 0.04045 else ((part / 255 + 0.055) / 1.055) ** 2.4 for part in one
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _hex(one: RGB) -> str:
    return "#{:02X}{:02X}{:02X}".format(*one)
