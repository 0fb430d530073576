"""Words that somebody meant to replace."""

import re
from collections.abc import Iterator

from app.core.mail.template import Slot
from app.stages.render.lint.problem import Problem, error, warning
from app.stages.render.lint.proof import Field, Proof

RULE = "placeholder"
_FILLER = re.compile(r"lorem ipsum|dolor sit amet", re.IGNORECASE)
_TEMPLATE = re.compile(
    r"\{\{.{0,200}?\}\}|\{%.{0,200}?%\}|\[\[(?:\w{0,60}:)?\w{1,60}\]\]|\*\|\w+\|\*|%%\w+%%|<%.{0,200}?%>|\$\{\w+\}"
)
_NOTE = re.compile(r"\b(TODO|FIXME|TBD|TBC|TKTK|XXX)\b")
_NOTE_ALONE = re.compile(r"^\W*(TODO|FIXME|TBD|TBC|TK|TKTK|XXX)\W*$|\b(TODO|FIXME|TBD|TKTK):")
_MUST = (Slot.UNSUBSCRIBE, Slot.MANAGE, Slot.ADDRESS)


def placeholders(proof: Proof) -> Iterator[Problem]:
    """In what people wrote; and a slot that the finished mail lacks."""
    for field in proof.fields():
        yield from _written(field)
    for name, pieces in (("HTML", proof.html), ("text", proof.text)):
        for slot in _MUST:
            if slot not in pieces.slots:
                yield error(RULE, f"{name} part", f"The reader's own “{slot.value}” is missing from it.")


def _written(field: Field) -> Iterator[Problem]:
    """A story may be about templates: in its body braces are a warning, in a headline or an inbox an error."""
    where, words, display = field
    if found := _FILLER.search(words):
        yield error(RULE, where, f"“{found[0]}” is filler.")
    if found := _TEMPLATE.search(words):
        told = (RULE, where, f"“{found[0]}” looks like a field that was never filled in.")
        yield error(*told) if display else warning(*told)
    if found := _NOTE_ALONE.search(words):
        yield error(RULE, where, f"“{found[0].strip()}” is a note to oneself.")
    elif found := _NOTE.search(words):
        yield warning(RULE, where, f"“{found[0]}” may be a note to oneself.")
