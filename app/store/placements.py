"""Places where the paper is offered, and how many came through each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, case, func, select, update

from app.core.db import Session
from app.models import Consent, Placement, Subscriber
from app.models.states import SubscriberStatus
from app.store.upsert import insert_ignoring

_READING = (SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED)


@dataclass(frozen=True, slots=True)
class Count:
    """A placement and its people: who asked through it, who confirmed, and who of them reads the paper by it today."""

    code: str
    label: str
    created_at: datetime
    asked: int
    confirmed: int
    reading: int


async def add(session: Session, code: str, label: str, now: datetime) -> bool:
    """Writes a placement down; False where there is one with this code."""
    made = await session.scalar(
        insert_ignoring(session, Placement)
        .values(code=code, label=label, created_at=now, gone_asked=0, gone_confirmed=0)
        .returning(Placement.code)
    )
    return made is not None


async def exists(session: Session, code: str) -> bool:
    """Is there a placement with this code?"""
    return await session.scalar(select(Placement.code).where(Placement.code == code)) is not None


async def counts(session: Session, limit: int, after: str = "", code: str | None = None) -> Sequence[Count]:
    """Placements by code, from past `after` on, each with its people; or only the one of `code`."""
    question = counting().where(Placement.code > after if code is None else Placement.code == code)
    return [Count(*row) for row in await session.execute(question.order_by(Placement.code).limit(limit))]


def counting() -> Select[str, str, datetime, int, int, int]:
    """One question for all placements; the index on `consents.placement` leads from each to its people.

    A person counts once in each column. They read by the placement whose confirmation made them active last: the
    subscriber row has the instant of that one, so an earlier placement's no longer fits.
    """
    asked = func.count(case((Consent.act == "asked", Consent.subscriber_id)).distinct())
    confirmed = func.count(case((Consent.act == "confirmed", Consent.subscriber_id)).distinct())
    here = and_(Consent.act == "confirmed", Subscriber.status.in_(_READING), Subscriber.confirmed_at == Consent.at)
    return (
        select(
            Placement.code,
            Placement.label,
            Placement.created_at,
            Placement.gone_asked + asked,
            Placement.gone_confirmed + confirmed,
            func.count(case((here, Consent.subscriber_id)).distinct()),
        )
        .outerjoin(Consent, Consent.placement == Placement.code)
        .outerjoin(Subscriber, Subscriber.id == Consent.subscriber_id)
        .group_by(Placement.code)
    )


async def of_asking(session: Session, subscriber_id: int, until: datetime) -> str | None:
    """The placement of a reader's last sign-up up to `until`; None where it came through none."""
    return await session.scalar(
        select(Consent.placement)
        .where(Consent.subscriber_id == subscriber_id, Consent.act == "asked", Consent.at <= until)
        .order_by(Consent.id.desc())
        .limit(1)
    )


async def keep_numbers(session: Session, subscriber_ids: Sequence[int]) -> None:
    """Adds readers who are about to be removed to the numbers of their placements, which name nobody."""
    gone = await session.execute(
        select(
            Consent.placement,
            func.count(case((Consent.act == "asked", Consent.subscriber_id)).distinct()),
            func.count(case((Consent.act == "confirmed", Consent.subscriber_id)).distinct()),
        )
        .where(Consent.subscriber_id.in_(subscriber_ids), Consent.placement.is_not(None))
        .group_by(Consent.placement)
        .order_by(Consent.placement)  # two such transactions take the rows' locks in one order
    )
    for code, asked, confirmed in gone.all():
        await session.execute(
            update(Placement)
            .where(Placement.code == code)
            .values(gone_asked=Placement.gone_asked + asked, gone_confirmed=Placement.gone_confirmed + confirmed)
            .execution_options(synchronize_session=False)
        )
