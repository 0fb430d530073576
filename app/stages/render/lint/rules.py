"""Every rule over one proof."""

from collections.abc import Callable, Iterable

from app.stages.render.lint.answers import answers
from app.stages.render.lint.clients import clients
from app.stages.render.lint.contrast import contrast
from app.stages.render.lint.dates import dates
from app.stages.render.lint.links import links
from app.stages.render.lint.mjml import mjml
from app.stages.render.lint.page import images, imprint, size
from app.stages.render.lint.placeholders import placeholders
from app.stages.render.lint.problem import Problem, errors
from app.stages.render.lint.proof import Proof
from app.stages.render.lint.subject import subject

Rule = Callable[[Proof], Iterable[Problem]]
RULES: tuple[Rule, ...] = (size, images, imprint, subject, placeholders, dates, links, answers, contrast, clients, mjml)
LONGEST = 380


def lint(proof: Proof) -> tuple[Problem, ...]:
    """What every rule found, errors first."""
    return ordered(problem for rule in RULES for problem in rule(proof))


def ordered(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Errors first, else as they came."""
    found = tuple(problems)
    return errors(found) + tuple(one for one in found if one not in errors(found))


def reason(problems: Iterable[Problem]) -> str:
    """Why an edition is held, in at most 380 characters: as many errors as there is room for."""
    found = errors(problems)
    told = f"Lint found {len(found)} error{'' if len(found) == 1 else 's'}."
    for one in found:
        line = f" {one.where[:1].upper()}{one.where[1:]}: {one.message}"
        if len(told) + len(line) > LONGEST:
            return told + " …" if len(found) > 1 else told + line[: LONGEST - len(told)] + "…"
        told += line
    return told
