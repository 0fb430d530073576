"""Cuts a variant out of the whole edition: some sections, in one form. Pure and fast: nothing is rendered again."""

import hashlib

from app.models.content import CHOOSABLE, Section
from app.models.editions import VariantForm
from app.stages.render import marks

EVERYTHING = frozenset(CHOOSABLE)


def cut(body: str, sections: frozenset[Section], form: VariantForm) -> str:
    """`body` with the lead and `sections` only, in `form`; its marks are gone, its slots stay.

    The web form loses what only the mail shows, and with it every personal slot; the others lose what only the web
    shows. Raises ValueError for a body whose marks do not pair.
    """
    mark = marks.mark_of(body)
    kept = {Section.LEAD.value, *(section.value for section in sections)}
    kept.add((marks.Part.WEB if form is VariantForm.WEB else marks.Part.MAIL).value)
    parts = marks.tokens(mark, html=form is not VariantForm.TEXT).split(body.partition("\n")[2])
    out = [parts[0]]
    inside: list[str] = []
    for sign, name, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
        if sign == "+":
            inside.append(name)
        elif not inside or inside.pop() != name:
            raise ValueError(f"the mark of {name} closes nothing")
        if kept.issuperset(inside):
            out.append(text)
    if inside:
        raise ValueError(f"the mark of {inside[-1]} is never closed")
    return "".join(out)


def hash_of(body: str) -> str:
    """Names a cut by its bytes: 32 hexadecimal digits, fit for an address."""
    return hashlib.sha256(body.encode()).hexdigest()[:32]
