"""What a rule found."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """An error keeps an edition from being frozen; a warning is listed."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """`rule` is a heading of docs/lint.md, `where` the place in words, `message` a sentence."""

    rule: str
    severity: Severity
    where: str
    message: str


def error(rule: str, where: str, message: str) -> Problem:
    return Problem(rule, Severity.ERROR, where, message)


def warning(rule: str, where: str, message: str) -> Problem:
    return Problem(rule, Severity.WARNING, where, message)


def errors(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    """Those that keep an edition from being frozen."""
    return tuple(one for one in problems if one.severity is Severity.ERROR)
