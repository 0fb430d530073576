"""Whom not to write to, by keyed hash; and which key the hashes were made with."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, select

from app.core.db import Session
from app.models import Instance, Suppression
from app.store.upsert import insert, insert_ignoring

_KEY = "suppression key"


async def add(session: Session, hashed: str, reason: str, now: datetime, *, instead_of: Collection[str] = ()) -> None:
    """Suppresses an address; where it is suppressed already the first reason stays, unless it is one of `instead_of`.

    The caller has locked the mailbox (`mailbox_lock.take`), as for `lift`.
    """
    values = {"hash": hashed, "reason": reason, "created_at": now}
    made = insert(session, Suppression).values(**values)
    graver = Suppression.reason.in_(instead_of)
    await session.execute(made.on_conflict_do_update(index_elements=[Suppression.hash], set_=values, where=graver))


async def reason(session: Session, hashed: str) -> str | None:
    """Why an address is suppressed; None where it is not."""
    return await session.scalar(select(Suppression.reason).where(Suppression.hash == hashed))


async def among(session: Session, hashes: Collection[str]) -> set[str]:
    """Those of `hashes` that are suppressed."""
    return set((await session.scalars(select(Suppression.hash).where(Suppression.hash.in_(hashes)))).all())


async def lift(session: Session, hashed: str, reasons: Collection[str]) -> None:
    """Ends a suppression, if there is one and it is for one of `reasons`."""
    await session.execute(
        delete(Suppression)
        .where(Suppression.hash == hashed, Suppression.reason.in_(reasons))
        .execution_options(synchronize_session=False)
    )


async def key(session: Session) -> str | None:
    """The fingerprint of the key that this database's hashes are made with; None where it has none yet."""
    return await session.scalar(select(Instance.value).where(Instance.name == _KEY))


async def begin_key(session: Session, fingerprint: str) -> str:
    """The fingerprint of the key that this database's hashes are made with; `fingerprint` where it had none yet."""
    await session.execute(insert_ignoring(session, Instance).values(name=_KEY, value=fingerprint))
    known = await key(session)
    assert known is not None
    return known
