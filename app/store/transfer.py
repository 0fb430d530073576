"""Readers by the thousand, in and out: one statement a table, whatever the number of rows.

Rows travel as one JSON text, which both engines take apart themselves: a bound parameter a cell costs
several times what the row itself does.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from sqlalchemy import select, text

from app.core.db import Session
from app.models import Consent, Subscriber
from app.models.content import ALL_SECTIONS
from app.models.states import DeliveryStatus, Frequency, MailForm, SubscriberStatus
from app.store import mail_domains, mailbox_lock


class Newcomer(NamedTuple):
    """A reader to write down; `ref` and `mail_ref` are new opaque references."""

    ref: str
    address: str
    key: str
    first_name: str
    zone: str
    status: SubscriberStatus
    hash: str
    """Of the key, as the suppression list has it."""
    created_at: datetime
    confirmed_at: datetime | None
    mail_ref: str


@dataclass(frozen=True, slots=True)
class Grounds:
    """What the consent record says of each newcomer."""

    act: str
    method: str
    wording: str
    source: str


@dataclass(frozen=True, slots=True)
class Owed:
    """The mail that each newcomer gets."""

    kind: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Known:
    """Which of the keys are readers here, in whatever state; which of the hashes are suppressed."""

    keys: frozenset[str]
    hashes: frozenset[str]


async def known(session: Session, keys: Collection[str], hashes: Collection[str]) -> Known:
    """Both questions of an import, asked of all its rows at once."""
    each = _each(session)
    found = await session.execute(
        text(f"SELECT address_key FROM subscribers WHERE address_key IN (SELECT value->>0 FROM {each})"),  # noqa: S608
        {"rows": json.dumps([[key] for key in keys])},
    )
    barred = await session.execute(
        text(f"SELECT hash FROM suppressions WHERE hash IN (SELECT value->>0 FROM {each})"),  # noqa: S608
        {"rows": json.dumps([[one] for one in hashes])},
    )
    return Known(frozenset(found.scalars()), frozenset(barred.scalars()))


async def begin(session: Session) -> None:
    """Waits for its turn and opens the transaction, so that what follows can be timed without the wait."""
    await session.connection()


async def add(
    session: Session, people: Sequence[Newcomer], grounds: Grounds, owed: Owed | None, now: datetime
) -> set[str]:
    """Writes newcomers, their consents and the mail they are owed; gives their keys. No other reader changes.

    On PostgreSQL at most `mailbox_lock.MOST` of them: their mailboxes are locked, so that whoever is being erased,
    moves or says "not mine" at this moment is suppressed when the statement looks.
    """
    await mailbox_lock.take(session, [p.key for p in people])
    written = {at: _text(at) for at in {p.created_at for p in people} | {p.confirmed_at for p in people}}
    groups = await mail_domains.groups(session, [p.key for p in people])
    rows = [(*p[:7], written[p.created_at], written[p.confirmed_at], groups[p.key]) for p in people]
    inserted = await session.execute(
        text(
            "INSERT INTO subscribers (ref, address, address_key, first_name, zone, status, created_at, confirmed_at,"  # noqa: S608
            " sections, frequency, form, language, domain_group)"
            " SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5,"
            f" {_instant(session, 'value->>7')}, {_instant(session, 'value->>8')},"
            f" {ALL_SECTIONS}, '{Frequency.DAILY}', '{MailForm.HTML}', '', value->>9"
            f" FROM {_each(session)}"
            " WHERE NOT EXISTS (SELECT 1 FROM suppressions WHERE hash = value->>6)"
            " ON CONFLICT DO NOTHING RETURNING id, ref"
        ),
        {"rows": json.dumps(rows)},
    )
    by_ref = {p.ref: p for p in people}
    came = [(id_, by_ref[ref]) for id_, ref in inserted.all()]
    if not came:
        return set()
    ids = json.dumps([(id_, p.mail_ref) for id_, p in came])
    await _consents(session, ids, grounds, now)
    if owed is not None:
        await _owe(session, ids, owed, now)
    return {p.key for _, p in came}


async def _consents(session: Session, ids: str, grounds: Grounds, now: datetime) -> None:
    await session.execute(
        text(
            "INSERT INTO consents (subscriber_id, act, at, method, wording, source, utm, ip, user_agent, message_id)"  # noqa: S608
            f" SELECT CAST(value->>0 AS bigint), CAST(:act AS text), {_instant(session, ':at')}, CAST(:method AS text),"
            f" CAST(:wording AS text), CAST(:source AS text), {_empty(session)}, '', '', ''"
            f" FROM {_each(session)}"
        ),
        {
            "rows": ids,
            "at": _text(now),
            "act": grounds.act,
            "method": grounds.method,
            "wording": grounds.wording,
            "source": grounds.source,
        },
    )


async def _owe(session: Session, ids: str, owed: Owed, now: datetime) -> None:
    await session.execute(
        text(
            "INSERT INTO transactional_emails (kind, subscriber_id, parameters, ref, status, attempt, epoch, why,"  # noqa: S608
            " created_at, due_at, expires_at)"
            f" SELECT CAST(:kind AS text), CAST(value->>0 AS bigint), {_empty(session)}, value->>1,"
            f" '{DeliveryStatus.QUEUED}', 0, 0, '',"
            f" {_instant(session, ':at')}, {_instant(session, ':at')}, {_instant(session, ':until')}"
            f" FROM {_each(session)}"
        ),
        {"rows": ids, "kind": owed.kind, "at": _text(now), "until": _text(owed.until)},
    )


def _sqlite(session: Session) -> bool:
    return session.get_bind().dialect.name == "sqlite"


def _each(session: Session) -> str:
    """SQL for the rows of the parameter `rows`, a JSON array of arrays, as `value`."""
    if _sqlite(session):
        return "json_each(:rows)"
    return "jsonb_array_elements(CAST(:rows AS jsonb)) AS each_row(value)"


def _instant(session: Session, sql: str) -> str:
    """SQL for an instant that travels as `_text` writes it."""
    return sql if _sqlite(session) else f"CAST(CAST({sql} AS text) || '+00' AS timestamptz)"


def _empty(session: Session) -> str:
    return "'{}'" if _sqlite(session) else "CAST('{}' AS jsonb)"


def _text(at: datetime | None) -> str | None:
    """UTC without saying so: what SQLAlchemy stores on SQLite."""
    return None if at is None else at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


@dataclass(frozen=True, slots=True)
class Standing:
    """A reader as an export shows them; `source` is where the oldest consent came from."""

    id: int
    address: str
    status: SubscriberStatus
    first_name: str
    zone: str
    minute: int | None
    sections: int
    frequency: Frequency
    form: MailForm
    language: str
    paused_until: date | None
    created_at: datetime
    confirmed_at: datetime | None
    left_at: datetime | None
    source: str | None


async def page(session: Session, after: int, most: int) -> list[Standing]:
    """Up to `most` readers with ids past `after`, in their order."""
    source = (
        select(Consent.source)
        .where(Consent.subscriber_id == Subscriber.id)
        .order_by(Consent.id)
        .limit(1)
        .scalar_subquery()
    )
    named: list[Any] = [getattr(Subscriber, one.name) for one in fields(Standing) if one.name != "source"]
    rows = await session.execute(
        select(*named, source)
        .where(Subscriber.id > after, Subscriber.status != SubscriberStatus.ERASED)
        .order_by(Subscriber.id)
        .limit(most)
    )
    return [Standing(*values) for values in map(tuple, rows)]
