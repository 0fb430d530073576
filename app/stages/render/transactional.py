"""Service mail: what a person must be told about their subscription. Compiled once, one slot a reader."""

import secrets
from functools import lru_cache

from app.core.mail.template import MailTemplate, Pieces
from app.core.settings import Publication
from app.stages.render.marks import Marker
from app.stages.render.mjml import html_of
from app.stages.render.templates import render

LINK_WORKS_FOR = 7
"""Days; the reader is told."""


@lru_cache(maxsize=8)
def confirmation_template(publication: Publication, *, reminder: bool = False) -> MailTemplate:
    """The mail that asks for consent, or asks once more; `Slot.CONFIRM` is the link.

    It holds nothing that the person typed.
    """
    subject = f"Confirm your subscription to {publication.name}"
    if reminder:
        subject = f"Still to confirm: your subscription to {publication.name}"
    return _letter("confirmation", publication, subject, days=LINK_WORKS_FOR, reminder=reminder)


@lru_cache(maxsize=8)
def welcome_template(publication: Publication, *, with_edition: bool) -> MailTemplate:
    """The mail that says when the first paper comes (`Slot.NEXT_DELIVERY`) and how to leave (`Slot.UNSUBSCRIBE`).

    `with_edition` adds the latest one that is out already (`Slot.EDITION`, an address).
    """
    return _letter("welcome", publication, f"You are in: {publication.name}", with_edition=with_edition)


def _letter(name: str, publication: Publication, subject: str, **values: object) -> MailTemplate:
    """Not sent to a list, so it has no List-Unsubscribe; Auto-Submitted says that no person wrote it (RFC 3834)."""
    mark = secrets.token_hex(8)
    html, text = Marker(mark, html=True), Marker(mark, html=False)
    known = {"paper": publication, "subject": subject, **values}
    page = html_of(render(f"{name}.mjml.j2", slot=html.slot, **known), publication)
    words = render(f"{name}.txt.j2", slot=text.slot, **known)
    return MailTemplate(
        subject=subject,
        sender=publication.sender,
        reply_to=publication.reply_to,
        headers=(("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All")),
        text=Pieces.cut(words, mark),
        html=Pieces.cut(page, mark),
    )
