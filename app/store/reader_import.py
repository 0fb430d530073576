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
from app.store.consents import Act


@dataclass(frozen=True, slots=True)
class PastAct:
    """One row of a consent record that was made somewhere else, or long ago."""

    at: datetime
    act: Act


class Choices(NamedTuple):
    """What a reader chose, as it is stored. None and empty mean the publication's own."""

    minute: int | None = None
    sections: int = ALL_SECTIONS
    frequency: Frequency = Frequency.DAILY
    form: MailForm = MailForm.HTML
    language: str = ""
    paused_until: date | None = None


NOTHING_CHOSEN = Choices()


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
    left_at: datetime | None
    choices: Choices
    mail_ref: str
    source: str
    """Where they first came from, for the consent record."""
    consents: tuple[PastAct, ...]
    """What the record of the instance they come from says, the oldest first."""


@dataclass(frozen=True, slots=True)
class Grounds:
    """What the consent record says of each newcomer, beside their own source."""

    act: str
    method: str
    wording: str


@dataclass(frozen=True, slots=True)
class Owed:
    """The mail that each newcomer who has yet to confirm gets."""

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


async def add(session: Session, people: Sequence[Newcomer], grounds: Grounds, owed: Owed, now: datetime) -> set[str]:
    """Writes newcomers, their consents and the mail they are owed; gives their keys. No other reader changes.

    On PostgreSQL at most `mailbox_lock.MOST` of them: their mailboxes are locked, so that whoever is being erased,
    moves or says "not mine" at this moment is suppressed when the statement looks.
    """
    await mailbox_lock.take(session, [p.key for p in people])
    instants = {at for p in people for at in (p.created_at, p.confirmed_at, p.left_at)}
    written = {at: _text(at) for at in instants}
    groups = await mail_domains.groups(session, [p.key for p in people])
    rows = [
        (*p[:7], written[p.created_at], written[p.confirmed_at], written[p.left_at], groups[p.key], *_chosen(p.choices))
        for p in people
    ]
    plain = all(p.choices is NOTHING_CHOSEN for p in people)
    inserted = await session.execute(
        text(
            "INSERT INTO subscribers (ref, address, address_key, first_name, zone, status, created_at, confirmed_at,"  # noqa: S608
            " left_at, domain_group, minute, sections, frequency, form, language, paused_until)"
            " SELECT value->>0, value->>1, value->>2, value->>3, value->>4, value->>5,"
            f" {_instant(session, 'value->>7')}, {_instant(session, 'value->>8')}, {_instant(session, 'value->>9')},"
            f" value->>10, {_choices(session, plain=plain)}"
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
    await _past(session, came)
    await _consents(session, json.dumps([(id_, p.source) for id_, p in came]), grounds, now)
    asked = [(id_, p.mail_ref) for id_, p in came if p.status is SubscriberStatus.PENDING]
    if asked:
        await _owe(session, json.dumps(asked), owed, now)
    return {p.key for _, p in came}


def _chosen(choices: Choices) -> tuple[str | int | None, ...]:
    """Choices as they travel; none for those who made none, who are most of every other product's readers."""
    if choices is NOTHING_CHOSEN:
        return ()
    return (*choices[:-1], None if choices.paused_until is None else choices.paused_until.isoformat())


def _choices(session: Session, *, plain: bool) -> str:
    """SQL for the choices of a row. `plain`: nobody made any. Each part of a row that is taken out costs its time."""
    minute, sections, frequency, form, language, paused = (f"value->>{number}" for number in range(11, 17))
    if plain:
        minute = sections = frequency = form = language = paused = "NULL"
    return (
        f"CAST({minute} AS integer), CAST(coalesce({sections}, '{ALL_SECTIONS}') AS integer),"
        f" coalesce({frequency}, '{Frequency.DAILY}'), coalesce({form}, '{MailForm.HTML}'), coalesce({language}, ''),"
        f" {_day(session, paused)}"
    )


async def _past(session: Session, came: list[tuple[int, Newcomer]]) -> None:
    """The record that people bring with them; its rows are older, so they get the smaller ids."""
    rows = [
        (id_, one.act.act, _text(one.at), one.act.method, one.act.wording, one.act.source, one.act.placement,
         json.dumps(dict(one.act.utm)), one.act.ip, one.act.user_agent, one.act.message_id)
        for id_, p in came
        for one in p.consents
    ]  # fmt: skip
    if not rows:
        return
    utm = "value->>7" if _sqlite(session) else "CAST(value->>7 AS jsonb)"
    await session.execute(
        text(
            "INSERT INTO consents (subscriber_id, act, at, method, wording, source, placement, utm, ip, user_agent,"  # noqa: S608
            " message_id)"
            f" SELECT CAST(value->>0 AS bigint), value->>1, {_instant(session, 'value->>2')}, value->>3, value->>4,"
            f" value->>5, value->>6, {utm}, value->>8, value->>9, value->>10"
            f" FROM {_each(session)}"
        ),
        {"rows": json.dumps(rows)},
    )


async def _consents(session: Session, sources: str, grounds: Grounds, now: datetime) -> None:
    await session.execute(
        text(
            "INSERT INTO consents (subscriber_id, act, at, method, wording, source, utm, ip, user_agent, message_id)"  # noqa: S608
            f" SELECT CAST(value->>0 AS bigint), CAST(:act AS text), {_instant(session, ':at')}, CAST(:method AS text),"
            f" CAST(:wording AS text), value->>1, {_empty(session)}, '', '', ''"
            f" FROM {_each(session)}"
        ),
        {
            "rows": sources,
            "at": _text(now),
            "act": grounds.act,
            "method": grounds.method,
            "wording": grounds.wording,
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


def _day(session: Session, sql: str) -> str:
    """SQL for a date that travels as ISO 8601 writes it."""
    return sql if _sqlite(session) else f"CAST({sql} AS date)"


def _empty(session: Session) -> str:
    return "'{}'" if _sqlite(session) else "CAST('{}' AS jsonb)"


def _text(at: datetime | None) -> str | None:
    """UTC without saying so: what SQLAlchemy stores on SQLite."""
    return None if at is None else at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")


@dataclass(frozen=True, slots=True)
class Exported:
    """A reader as an export has them: the columns of the table, and their consent record, the oldest act first."""

    id: int
    ref: str
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
    consents: tuple[PastAct, ...]


async def page(session: Session, after: int, most: int) -> list[Exported]:
    """Up to `most` readers with ids past `after`, in their order."""
    names = [one.name for one in fields(Exported) if one.name != "consents"]
    columns: list[Any] = [getattr(Subscriber, name) for name in names]
    rows = await session.execute(
        select(*columns)
        .where(Subscriber.id > after, Subscriber.status != SubscriberStatus.ERASED)
        .order_by(Subscriber.id)
        .limit(most)
    )
    readers: list[dict[str, Any]] = [dict(zip(names, row, strict=True)) for row in rows]
    if not readers:
        return []
    acts = await _acts(session, after, readers[-1]["id"])
    return [Exported(**one, consents=tuple(acts.get(one["id"], ()))) for one in readers]


async def _acts(session: Session, after: int, until: int) -> dict[int, list[PastAct]]:
    """The consent records of readers with ids past `after` up to `until`."""
    names = [one.name for one in fields(Act)]
    rows = await session.execute(
        select(Consent.subscriber_id, Consent.at, *(getattr(Consent, name) for name in names))
        .where(Consent.subscriber_id > after, Consent.subscriber_id <= until)
        .order_by(Consent.subscriber_id, Consent.id)
    )
    found: dict[int, list[PastAct]] = {}
    for row in rows:
        found.setdefault(row[0], []).append(PastAct(row[1], Act(**dict(zip(names, row[2:], strict=True)))))
    return found
