"""What a mail uses and Gmail, Outlook or Apple Mail lacks, but for what was thought over."""

import re
from collections.abc import Iterator

from app.stages.render.lint.accepted import ACCEPTED
from app.stages.render.lint.problem import Problem, warning
from app.stages.render.lint.proof import Proof
from app.stages.render.lint.sheet import Declaration, blocks, declarations
from app.stages.render.lint.support import Tables, tables

RULE = "client"
_FUNCTION = re.compile(r"([a-z-]+)\(")
_UNIT = re.compile(r"(?<![#\w])-?\d*\.?\d+([a-z]+|%)")
_PSEUDO = re.compile(r"::?[a-z-]+")
_CONDITION = re.compile(r"\(\s*([a-z-]+)")
_COMBINATORS = (
    ("css-selector-attribute", re.compile(r"\[")),
    ("css-selector-child", re.compile(r">")),
    ("css-selector-adjacent-sibling", re.compile(r"\+")),
    ("css-selector-general-sibling", re.compile(r"~")),
    ("css-selector-universal", re.compile(r"\*")),
)


def clients(proof: Proof) -> Iterator[Problem]:
    """One warning a feature, with the clients that lack it."""
    known = tables()
    for slug in sorted(used(proof, known) - ACCEPTED.keys()):
        if lacking := known.lacking[slug]:
            yield warning(RULE, f"feature {known.titles[slug]}", f"It is missing in {', '.join(lacking)} ({slug}).")


def used(proof: Proof, known: Tables) -> set[str]:
    """The slugs of all that the finished HTML uses."""
    return {slug for slug in (*_markup(proof, known), *_styles(proof, known)) if slug in known.titles}


def _markup(proof: Proof, known: Tables) -> Iterator[str]:
    for element in proof.tree.iter():
        if isinstance(element.tag, str):
            yield known.elements.get(element.tag, "")
            yield from (known.attributes.get(name, "") for name in element.attrib)


def _styles(proof: Proof, known: Tables) -> Iterator[str]:
    for style in {element.get("style", "") for element in proof.tree.iterfind(".//*[@style]")}:
        for one in declarations(style):
            yield from _declared(one, known)
    for sheet in proof.sheets:
        for block in blocks(sheet):
            for rule in block.at_rules:
                yield known.at_rules.get(rule.split()[0].partition("(")[0], "")
                yield from (known.at_rules.get(name, "") for name in _CONDITION.findall(rule))
            for selector in block.selectors:
                yield from (known.pseudo.get(name, "") for name in _PSEUDO.findall(selector))
                yield from (slug for slug, sign in _COMBINATORS if sign.search(selector))
            for one in block.declarations:
                yield from _declared(one, known)


def _declared(one: Declaration, known: Tables) -> Iterator[str]:
    if one.name.startswith("--") or "var(" in one.value:
        yield "css-variables"
    yield known.property(one.name) or ""
    yield known.pairs.get(f"{one.name}:{one.value}", "")
    yield from (known.functions.get(name, "") for name in _FUNCTION.findall(one.value))
    yield from (known.units.get(name, "") for name in _UNIT.findall(one.value))
    if one.important:
        yield "css-important"
