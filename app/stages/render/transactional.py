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


@lru_cache(maxsize=4)
def confirmation_template(publication: Publication) -> MailTemplate:
    """The mail that asks for consent; `Slot.CONFIRM` is the link. It holds nothing that the person typed.

    It is not sent to a list, so it has no List-Unsubscribe; Auto-Submitted says that no person wrote it (RFC 3834).
    """
    subject = f"Confirm your subscription to {publication.name}"
    mark = secrets.token_hex(8)
    html, text = Marker(mark, html=True), Marker(mark, html=False)
    values = {"paper": publication, "subject": subject, "days": LINK_WORKS_FOR}
    page = html_of(render("confirmation.mjml.j2", slot=html.slot, **values), publication)
    words = render("confirmation.txt.j2", slot=text.slot, **values)
    return MailTemplate(
        subject=subject,
        sender=publication.sender,
        reply_to=publication.reply_to,
        headers=(("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All")),
        text=Pieces.cut(words, mark),
        html=Pieces.cut(page, mark),
    )
