"""The mail of an edition: what is the same for every reader, encoded once.

What is one reader's own (To, Message-ID, Date, List-Unsubscribe) is added by sending, per delivery.
"""

import hashlib
from datetime import datetime
from typing import Any

from app.core.beside import beside
from app.core.db import Database
from app.core.mail import named_address
from app.core.mail.message import Message
from app.core.mail.named_address import mailbox
from app.core.mail.template import MailTemplate, Pieces, Slot
from app.core.publication import Publication
from app.models.content import EditionKind, Section
from app.models.editions import VariantForm
from app.models.states import MailForm
from app.stages.render import charts, marks, preview, printed, variants
from app.store import pictures

_SENDER_ID = 12


def edition_template(
    publication: Publication,
    *,
    subject: str,
    slug: str,
    kind: EditionKind = EditionKind.DAILY,
    html: str,
    text: str,
    sections: frozenset[Section] = variants.EVERYTHING,
    form: MailForm = MailForm.HTML,
) -> MailTemplate:
    """The template of an edition for readers of `sections`; the bodies have marks, which name their own slots.

    Raises ValueError for a body without marks. Sources of the headers: List-Id RFC 2919, List-Archive, List-Owner and
    List-Post RFC 2369; Feedback-ID as Gmail's feedback loop reads it; the last two keep absence notices away.
    """
    page = variants.cut(html, sections, VariantForm.HTML) if form is MailForm.HTML else None
    return MailTemplate(
        subject=subject,
        sender=publication.sender,
        reply_to=publication.reply_to,
        headers=(
            ("List-Id", mailbox(publication.name, publication.list_id)),
            ("List-Archive", f"<{publication.public_url}/editions>"),
            ("List-Owner", f"<mailto:{named_address.parse(publication.reply_to)[1] or publication.sender[1]}>"),
            ("List-Post", "NO"),
            ("Feedback-ID", feedback_id(publication, slug, kind)),
            ("Precedence", "bulk"),
            ("X-Auto-Response-Suppress", "OOF, AutoReply"),
        ),
        text=Pieces.cut(variants.cut(text, sections, VariantForm.TEXT), marks.mark_of(text)),
        html=Pieces.cut(page, marks.mark_of(html)) if page is not None else None,
    )


def feedback_id(publication: Publication, slug: str, kind: EditionKind) -> str:
    """`edition:kind:sender`: the sender's part is 5 to 15 characters and stays the same as long as the list's id."""
    sender = hashlib.sha256(publication.list_id.encode()).hexdigest()[:_SENDER_ID]
    return f"{slug}:{kind}:{sender}"


async def template_of(
    db: Database,
    edition_id: int,
    publication: Publication,
    sections: frozenset[Section] = variants.EVERYTHING,
    form: MailForm = MailForm.HTML,
) -> MailTemplate:
    """The template of a frozen edition for one set of sections. Raises NotFound, and Conflict before the freeze."""
    return await template_for(await printed.frozen(db, edition_id), publication, sections, form)


async def template_for(
    edition: printed.Printed,
    publication: Publication,
    sections: frozenset[Section] = variants.EVERYTHING,
    form: MailForm = MailForm.HTML,
) -> MailTemplate:
    """`template_of`, of an edition that was read before."""
    return await beside(
        _ready,
        publication,
        subject=edition.subject,
        slug=edition.slug,
        kind=edition.content.kind,
        html=edition.html,
        text=edition.text,
        sections=sections,
        form=form,
    )


def _ready(publication: Publication, **of_edition: Any) -> MailTemplate:
    template = edition_template(publication, **of_edition)
    template.prepare()
    return template


async def trial_of(db: Database, edition_id: int, publication: Publication, to: str, now: datetime) -> Message:
    """The edition as a mail to `to`, who need not be a reader: its links leave nobody off any list.

    Raises NotFound, and Conflict where nothing is composed yet.
    """
    edition = await printed.printed(db, edition_id, publication)
    async with db.write() as session:  # a mail of today may be opened in a year, also one that was never frozen
        await pictures.keep(session, charts.of_content(edition.content))
    template = edition_template(
        publication,
        subject=f"[Test] {edition.subject}",
        slug=edition.slug,
        kind=edition.content.kind,
        html=edition.html,
        text=edition.text,
    )
    sender = publication.sender[1]
    name = hashlib.sha256(f"{edition.slug}\0{to}\0{now.isoformat()}".encode()).hexdigest()[:32]
    return Message(
        key=0,
        attempt=0,
        recipient=to,
        message_id=f"<{name}@{sender.rpartition('@')[2]}>",
        date=now,
        return_path=sender,
        template=template,
        values={**preview.neutral(publication, edition.content), Slot.ADDRESS: to},
    )
