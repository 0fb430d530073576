"""Proofs to lint: real ones, and real ones with one thing spoilt."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from app.core.mail.template import Pieces
from app.core.publication import Publication
from app.models.content import EditionContent
from app.stages.render import linting, mjml, text
from app.stages.render.lint.problem import Problem
from app.stages.render.lint.proof import Proof
from app.stages.render.lint.rules import Rule
from tests.stages.render import sample

NOW = datetime(2026, 11, 20, 6, 30, tzinfo=UTC)
PAPER = replace(sample.PAPER, production=True)


def real(content: EditionContent) -> EditionContent:
    """The sample with stories at addresses that could exist."""

    def moved(piece: Any) -> Any:
        return piece and piece.model_copy(update={"url": piece.url.replace(".example.net", ".quay.press")})

    changes = {name: moved(getattr(content, name)) for name in ("lead", "deep_dive")}
    changes |= {name: tuple(map(moved, getattr(content, name))) for name in ("opinion", "tools", "weekend")}
    return content.model_copy(update=changes)


@cache
def proof(content: EditionContent | None = None, paper: Publication = PAPER) -> Proof:
    """A proof as the press makes it."""
    content = real(sample.full()) if content is None else content
    html = mjml.edition_html(content, paper, sample.SLUG, sample.MARK)
    return linting.proof_of(
        content, paper, sample.SLUG, html, text.edition_text(content, paper, sample.SLUG, sample.MARK), NOW
    )


def saying(**fields: Any) -> Proof:
    """The proof of a paper that says something else; nothing is rendered for it."""
    return replace(proof(), content=real(sample.full()).model_copy(update=fields))


def spoilt(before: str, after: str) -> Proof:
    """The proof whose HTML has `after` where it had `before`."""
    good = proof()
    assert any(before in one for one in good.html.literals), before
    return replace(good, html=Pieces(tuple(one.replace(before, after) for one in good.html.literals), good.html.slots))


def found(rule: Rule, one: Proof) -> list[tuple[str, str]]:
    """(severity, where) of all that a rule finds."""
    return [(problem.severity.value, problem.where) for problem in rule(one)]


def told(problems: tuple[Problem, ...]) -> str:
    return "\n".join(f"{one.severity.value} {one.rule} {one.where}: {one.message}" for one in problems)
