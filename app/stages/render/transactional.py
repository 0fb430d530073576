"""Service mail: what a person must be told about their subscription. Compiled once, one slot a reader."""

import secrets
from functools import lru_cache

from app.core.language import ENGLISH, Language, Phrase, say
from app.core.mail.template import MailTemplate, Pieces
from app.core.publication import Publication
from app.stages.render.letters import linked
from app.stages.render.marks import Marker
from app.stages.render.mjml import html_of
from app.stages.render.templates import render

LINK_WORKS_FOR = 7
"""Days; the reader is told."""


@lru_cache(maxsize=64)
def confirmation_template(
    publication: Publication, language: Language = ENGLISH, *, reminder: bool = False
) -> MailTemplate:
    """The mail that asks for consent, or asks once more; `Slot.CONFIRM` is the link.

    It holds nothing that the person typed.
    """
    subject = say("Confirm your subscription to {paper}", paper=publication.name)
    if reminder:
        subject = say("Still to confirm: your subscription to {paper}", paper=publication.name)
    return _letter("confirmation", publication, language, subject, days=LINK_WORKS_FOR, reminder=reminder)


@lru_cache(maxsize=64)
def welcome_template(publication: Publication, language: Language = ENGLISH, *, with_edition: bool) -> MailTemplate:
    """The mail that says when the first paper comes (`Slot.NEXT_DELIVERY`) and how to leave (`Slot.UNSUBSCRIBE`).

    `with_edition` adds the latest one that is out already (`Slot.EDITION`, an address).
    """
    subject = say("You are in: {paper}", paper=publication.name)
    return _letter("welcome", publication, language, subject, with_edition=with_edition)


@lru_cache(maxsize=64)
def linked_template(publication: Publication, kind: str, language: Language = ENGLISH) -> MailTemplate:
    """A letter that says what was asked for, or what happened, with one link (`Slot.LINK`): `letters.linked`."""
    words = linked(kind, publication.name)
    return _letter("linked", publication, language, words.subject, words=words)


def _letter(name: str, publication: Publication, language: Language, subject: Phrase, **values: object) -> MailTemplate:
    """Not sent to a list, so it has no List-Unsubscribe; Auto-Submitted says that no person wrote it (RFC 3834).

    Content-Language (RFC 3282) names the language it is in.
    """
    mark = secrets.token_hex(8)
    html, text = Marker(mark, html=True), Marker(mark, html=False)
    known = {"paper": publication, "subject": subject, **values}
    page = html_of(render(f"{name}.mjml.j2", language, slot=html.slot, **known), publication)
    words = render(f"{name}.txt.j2", language, slot=text.slot, **known)
    return MailTemplate(
        subject=subject.in_(language),
        sender=publication.sender,
        reply_to=publication.reply_to,
        headers=(
            ("Auto-Submitted", "auto-generated"),
            ("X-Auto-Response-Suppress", "All"),
            ("Content-Language", language.tag),
        ),
        text=Pieces.cut(words, mark),
        html=Pieces.cut(page, mark),
    )
