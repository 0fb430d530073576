"""Dates that cannot be: a wrong weekday, figures from tomorrow, a paper of another day."""

import re
from collections.abc import Iterator
from datetime import date, timedelta

from app.stages.render.lint.problem import Problem, error, warning
from app.stages.render.lint.proof import Proof

RULE = "date"
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
_MONTH = "|".join(MONTHS)
_WEEKDAY = rf"(?P<weekday>{'|'.join(DAYS)}),?\s+(?:the\s+)?"
_YEAR = r"(?:,?\s+(?P<year>\d{4}))?"
_BRITISH = rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\s+(?:of\s+)?(?P<month>{_MONTH})\b{_YEAR}"
_AMERICAN = rf"(?P<month>{_MONTH})\s+(?P<day>\d{{1,2}})\b(?:st|nd|rd|th)?{_YEAR}"
_WITH_WEEKDAY = tuple(re.compile(_WEEKDAY + form) for form in (_BRITISH, _AMERICAN))
_AS_OF = tuple(re.compile(rf"\b[Aa]s of\s+(?:{'|'.join(DAYS)},?\s+)?{form}") for form in (_BRITISH, _AMERICAN))
SLACK, OLD = timedelta(minutes=5), timedelta(days=3)


def dates(proof: Proof) -> Iterator[Problem]:
    """In the charts, in the stories, and on the paper itself."""
    content = proof.content
    today = proof.now.astimezone(proof.publication.zone).date()
    if abs((content.date - today).days) > 1:
        yield warning(RULE, "date of the paper", f"It is dated {_words(content.date)}, and today is {_words(today)}.")
    stamped = [(f"chart “{chart.title}”", chart.as_of) for chart in content.charts]
    if content.movers is not None:
        stamped.append(("Biggest Movers", content.movers.as_of))
    for where, at in stamped:
        if at > proof.now + SLACK:
            yield error(RULE, where, f"Its figures are stamped {at:%Y-%m-%d %H:%M} UTC, which is still to come.")
        elif at < proof.now - OLD:
            yield warning(RULE, where, f"Its figures are of {_words(at.date())}.")
    for field in proof.fields():
        yield from _written(field.where, field.words, content.date)


def _written(where: str, words: str, paper: date) -> Iterator[Problem]:
    for pattern in _WITH_WEEKDAY:
        for found in pattern.finditer(words):
            day = _day(found, paper)
            if day is None:
                yield warning(RULE, where, f"There is no {found[0]}.")
            elif DAYS[day.weekday()] != found["weekday"]:
                yield warning(RULE, where, f"“{found[0]}” is a {DAYS[day.weekday()]} ({day}).")
    for pattern in _AS_OF:
        for found in pattern.finditer(words):
            day = _day(found, paper)
            if day is not None and day > paper:
                yield warning(RULE, where, f"“{found[0]}” is still to come.")


def _day(found: re.Match[str], paper: date) -> date | None:
    """The day that is meant: without a year, the one nearest to the paper's own. None for 31 June."""
    month, number = MONTHS.index(found["month"]) + 1, int(found["day"])
    years = [int(found["year"])] if found["year"] else [paper.year - 1, paper.year, paper.year + 1]
    days = []
    for year in years:
        try:
            days.append(date(year, month, number))
        except ValueError:
            continue
    return min(days, key=lambda day: abs(day - paper), default=None)


def _words(day: date) -> str:
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
