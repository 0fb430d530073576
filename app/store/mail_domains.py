"""Which group a domain is in by its MX records, and which readers that concerns."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import delete, select, update

from app.core.db import Session
from app.core.mail.mailboxes import OTHER, group_of
from app.models import MailDomain, Subscriber
from app.models.states import SubscriberStatus
from app.store.upsert import insert


class Reader(NamedTuple):
    """One reader's address, and the group they are in."""

    id: int
    address_key: str
    domain_group: str


async def page(session: Session, after: int, most: int) -> list[Reader]:
    """Active readers by id, `most` from the one after `after`."""
    rows = await session.execute(
        select(Subscriber.id, Subscriber.address_key, Subscriber.domain_group)
        .where(Subscriber.id > after, Subscriber.status == SubscriberStatus.ACTIVE)
        .order_by(Subscriber.id)
        .limit(most)
    )
    return [Reader(*row) for row in rows]


async def known(session: Session, domains: Collection[str], since: datetime) -> dict[str, str]:
    """The groups of those that were asked about since then."""
    rows = await session.execute(
        select(MailDomain.domain, MailDomain.domain_group).where(
            MailDomain.domain.in_(sorted(domains)), MailDomain.asked_at >= since
        )
    )
    return {str(domain): str(group) for domain, group in rows}


async def groups(session: Session, keys: Collection[str]) -> dict[str, str]:
    """The groups of addresses: by their domain where that says it, else by whoever was last found to keep its mail."""
    plain = {key: group_of(key) for key in keys}
    foreign = {domain_of(key) for key, group in plain.items() if group == OTHER}
    if not foreign:
        return plain
    rows = await session.execute(
        select(MailDomain.domain, MailDomain.domain_group).where(MailDomain.domain.in_(sorted(foreign)))
    )
    kept = {str(domain): str(group) for domain, group in rows}
    return {key: kept.get(domain_of(key), group) for key, group in plain.items()}


async def group(session: Session, key: str) -> str:
    """As `groups`, of one address."""
    return (await groups(session, [key]))[key]


def domain_of(key: str) -> str:
    """Of a case-folded address."""
    return key.rpartition("@")[2]


async def keep(session: Session, found: Mapping[str, str], now: datetime) -> None:
    """Writes down what was found out."""
    for domain, group in sorted(found.items()):
        values = {"domain": domain, "domain_group": group, "asked_at": now}
        statement = insert(session, MailDomain).values(**values)
        await session.execute(statement.on_conflict_do_update(index_elements=[MailDomain.domain], set_=values))


async def regroup(session: Session, readers: Collection[Reader], group: str) -> None:
    """Puts readers into a group; whose address has changed meanwhile stays where they are."""
    await session.execute(
        update(Subscriber)
        .where(
            Subscriber.id.in_([one.id for one in readers]),
            Subscriber.address_key.in_([one.address_key for one in readers]),
        )
        .values(domain_group=group)
        .execution_options(synchronize_session=False)
    )


async def prune(session: Session, before: datetime) -> None:
    """Forgets domains that were not asked about since: nobody reads there any more."""
    await session.execute(delete(MailDomain).where(MailDomain.asked_at < before))
