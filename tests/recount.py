"""The counts of an edition as its ledger has them, row by row: what `store.progress` must say at any moment."""

from collections import Counter

from sqlalchemy import select

from app.core.db import Session
from app.models import Delivery, DeliveryNote
from app.store import progress
from app.store.progress import Counts, Tallied, Tally, place


async def recount(session: Session, edition_id: int) -> list[Tallied]:
    """Every delivery looked at, and every note of a repeat."""
    found: Counter[tuple[str, str, Tally]] = Counter()
    rows = await session.scalars(select(Delivery).where(Delivery.edition_id == edition_id))
    for row in rows:
        at = place(row.status, attempt=row.attempt, provider=row.provider, fault=row.fault)
        found[at.provider, row.domain_group, at.tally] += 1
    repeated = await session.scalars(
        select(Delivery.domain_group)
        .join(
            DeliveryNote,
            (DeliveryNote.edition_id == Delivery.edition_id) & (DeliveryNote.subscriber_id == Delivery.subscriber_id),
        )
        .where(Delivery.edition_id == edition_id, DeliveryNote.outcome == "repeated")
    )
    for group in repeated:
        found["", group, Tally.REPEATED] += 1
    return [
        Tallied(provider, group, Counts(**{tally.value: found[provider, group, tally] for tally in Tally}))
        for provider, group in sorted({(provider, group) for provider, group, _ in found})
    ]


async def assert_counted(session: Session, edition_id: int) -> None:
    """The counts and the ledger say the same, to the last provider and domain group."""
    assert await progress.of_edition(session, edition_id) == await recount(session, edition_id)
