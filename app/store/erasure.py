"""Taking a person out of every table, so that what is left is nobody's and the editions' figures stay true.

Mail of theirs may be under way meanwhile. Its outcome finds `REDACTED` in the row and leaves it there: store/outcomes.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from app.core.db import Session
from app.core.mail.mailboxes import OTHER
from app.models import Consent, Delivery, DeliveryNote, Instance, Subscriber, TransactionalEmail
from app.models.content import ALL_SECTIONS
from app.models.ledger import REDACTED
from app.models.states import Frequency, MailForm, SubscriberStatus
from app.store.moves import move
from app.store.upsert import insert

HOLDERS = frozenset({"consents", "deliveries", "delivery_notes", "transactional_emails"})
"""Every table that hangs on a reader; a test compares them with the schema."""
_OWED = "log holds erased rows"


async def erase(session: Session, subscriber_id: int, from_: SubscriberStatus, ref: str, now: datetime) -> bool:
    """Leaves of a reader a row without a name, under the new opaque `ref`; False where they are no longer in `from_`.

    The caller holds the reader (`subscribers.hold`).
    """
    moved = await move(
        session,
        Subscriber,
        [subscriber_id],
        from_,
        SubscriberStatus.ERASED,
        ref=ref,
        address="",
        address_key=f"erased:{ref}",
        domain_group=OTHER,
        zone="",
        minute=None,
        first_name="",
        sections=ALL_SECTIONS,
        frequency=Frequency.DAILY,
        form=MailForm.HTML,
        language="",
        paused_until=None,
        left_at=now,
    )
    if moved:
        await _blank(session, [subscriber_id])
        await owe_truncation(session, now)
    return bool(moved)


async def blank_again(session: Session, since: datetime) -> None:
    """What came in for readers erased after `since`, by transactions and hand-overs that were under way."""
    recent = select(Subscriber.id).where(Subscriber.status == SubscriberStatus.ERASED, Subscriber.left_at >= since)
    await _blank(session, recent)


async def _blank(session: Session, whose: Any) -> None:
    """Consents without their personal parts, deliveries without the provider's number, no service mail.

    Deliveries come before their notes: an outcome changes the delivery first, and then adds its note. So either it is
    committed before our update of the delivery ends, and our next statement finds the note, or it waits for us and
    finds `REDACTED`. All deliveries get it, since also those that ended may be tried again.
    """
    for statement in (
        update(Consent)
        .where(Consent.subscriber_id.in_(whose))
        .values(source="", utm={}, ip="", user_agent="", message_id=""),
        update(Delivery)
        .where(Delivery.subscriber_id.in_(whose), Delivery.provider_id.is_distinct_from(REDACTED))
        .values(provider_id=REDACTED),
        # A server's reason often repeats the address it refuses.
        update(DeliveryNote).where(DeliveryNote.subscriber_id.in_(whose)).values(why=""),
        delete(TransactionalEmail).where(TransactionalEmail.subscriber_id.in_(whose)),
    ):
        await session.execute(statement.execution_options(synchronize_session=False))


async def owe_truncation(session: Session, now: datetime) -> None:
    """Writes down that SQLite's write-ahead log holds what was just removed; PostgreSQL has none to empty."""
    if session.get_bind().dialect.name != "sqlite":
        return
    row = insert(session, Instance).values(name=_OWED, value=now.isoformat())
    await session.execute(row.on_conflict_do_update(index_elements=["name"], set_={"value": now.isoformat()}))


async def truncation_owed(session: Session) -> str | None:
    """A word that stands for the last removal; None where the log was emptied since."""
    return await session.scalar(select(Instance.value).where(Instance.name == _OWED))


async def truncated(session: Session, owed: str) -> None:
    """The log was emptied after the removal that `owed` stands for; a later one stays owed."""
    await session.execute(delete(Instance).where(Instance.name == _OWED, Instance.value == owed))
