"""Whether each provider works, as all workers know it: a circuit breaker in a row."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from app.core.db import Session
from app.models import ProviderState
from app.models.breaker import LONGEST, OF_PROVIDERS, Breaker, opened_until, state
from app.store.statements import Query
from app.store.upsert import insert

PROBE_LASTS = timedelta(minutes=1)
"""So long one worker alone tries a provider whose rest is over, unless it says sooner what came of it."""
_LONGEST_CODE, _LONGEST_WHY = 24, 400


_EVERY = "SELECT open_until, failed_at, provider, failures, ours, code, why FROM provider_states"


async def every(session: Session) -> Mapping[str, ProviderState]:
    """The providers that ever failed, by name."""
    rows = await session.scalars(select(ProviderState).execution_options(populate_existing=True))
    return {row.provider: row for row in rows}


def every_query() -> Query[Mapping[str, ProviderState]]:
    """`every`, for a transaction of its own; what it gives belongs to no session."""

    def read(rows: Sequence[Any]) -> Mapping[str, ProviderState]:
        return {
            provider: ProviderState(
                provider=provider,
                failures=failures,
                open_until=open_until and open_until.astimezone(UTC),
                ours=bool(ours),
                code=code,
                why=why,
                failed_at=failed_at.astimezone(UTC),
            )
            for open_until, failed_at, provider, failures, ours, code, why in rows
        }

    return Query(_EVERY, {}, read, ("open_until", "failed_at"))


def breaker(found: ProviderState | None, now: datetime) -> Breaker:
    """Where a provider's breaker stands."""
    return state(found.failures, found.open_until, now) if found else Breaker.CLOSED


async def failed(
    session: Session,
    provider: str,
    *,
    after: timedelta | None,
    ours: bool,
    code: str,
    why: str,
    now: datetime,
    on_trial: bool = False,
) -> None:
    """It takes nothing: it is left alone for longer with each failure in a row, and at least for `after`.

    Who meets the same while it rests, having begun before, says nothing new: that only makes a rest longer that is
    asked for. `on_trial`: the caller is the one that tried it again.
    """
    await session.execute(
        insert(session, ProviderState)
        .values(provider=provider, failures=0, open_until=None, ours=False, code="", why="", failed_at=now)
        .on_conflict_do_nothing(index_elements=[ProviderState.provider])
    )
    known = await session.scalar(
        select(ProviderState)
        .where(ProviderState.provider == provider)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    assert known is not None
    again = not on_trial and breaker(known, now) is Breaker.OPEN
    failures = known.failures + (not again)
    asked = after.total_seconds() if after else None
    until = opened_until(failures, asked, now, OF_PROVIDERS)
    if again and known.open_until is not None:
        until = max(known.open_until, now + min(after, LONGEST) if after else known.open_until)
    await _set(
        session,
        provider,
        failures=failures,
        open_until=until,
        ours=ours or (again and known.ours),
        code=code[:_LONGEST_CODE],
        why=why[:_LONGEST_WHY],
        failed_at=now,
    )


async def probe(session: Session, provider: str, now: datetime) -> datetime | None:
    """Its rest is over: may the caller be the one to try? Until when; None where another worker was quicker."""
    until = now + PROBE_LASTS
    tried = await session.scalar(
        update(ProviderState)
        .where(ProviderState.provider == provider, ProviderState.failures > 0, ProviderState.open_until <= now)
        .values(open_until=until)
        .returning(ProviderState.provider)
        .execution_options(synchronize_session=False)
    )
    return until if tried is not None else None


async def leave(session: Session, provider: str, until: datetime, now: datetime) -> None:
    """The caller's trial, which lasts until `until`, asked nothing of it: the next may try at once."""
    await session.execute(
        update(ProviderState)
        .where(ProviderState.provider == provider, ProviderState.failures > 0, ProviderState.open_until == until)
        .values(open_until=now)
        .execution_options(synchronize_session=False)
    )


async def mended(session: Session, provider: str) -> bool:
    """It took a message. What was wrong last stays to be read. False where it was known to work."""
    found = await session.scalar(
        update(ProviderState)
        .where(ProviderState.provider == provider, ProviderState.failures > 0)
        .values(failures=0, open_until=None, ours=False)
        .returning(ProviderState.provider)
        .execution_options(synchronize_session=False)
    )
    return found is not None


async def forgive(session: Session) -> None:
    """An operator says that faults of ours are mended: those providers are tried again at once."""
    await session.execute(
        update(ProviderState)
        .where(ProviderState.ours)
        .values(failures=0, open_until=None, ours=False)
        .execution_options(synchronize_session=False)
    )


async def _set(session: Session, provider: str, **values: object) -> None:
    await session.execute(
        update(ProviderState)
        .where(ProviderState.provider == provider)
        .values(**values)
        .execution_options(synchronize_session=False)
    )
