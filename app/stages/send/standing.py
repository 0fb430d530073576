"""How each way out stands: whether it works, its limits, and what is left of today's. For operators."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from app.core.db import Session
from app.core.mail.bars import pace
from app.core.mail.provider import Provider
from app.core.mail.tokens import KEPT_FOR_SERVICE, SECOND, WARM_DAYS, Level, Limits, day_of
from app.models import ProviderState
from app.models.breaker import Breaker
from app.stages.send.ways import in_use
from app.store import buckets, provider_states, shares


@dataclass(frozen=True, slots=True)
class Standing:
    """One provider. None where there is no such limit."""

    name: str
    real: bool
    """False for the outbox, which reaches nobody."""
    in_use: bool
    """Mail leaves through it."""
    breaker: Breaker
    """Open: it failed, and is left alone until `open_until`. Half open: then a few messages try it."""
    open_until: datetime | None
    failures: int
    """In a row."""
    last_fault: str
    """The last that was wrong with it, also where it works again; empty where nothing ever was."""
    last_fault_at: datetime | None
    rate: float | None
    per_day: int | None
    warmup_day: int | None
    """Today as a day of the warm-up, counted from 1; None also when it is over or has not begun."""
    today: date
    used_today: int | None
    """None where no limit asks for a count."""
    allowed_today: int | None
    left_for_papers: int | None
    left_for_service: int | None
    domain_rates: Mapping[str, float]
    """Messages a second to each large mailbox provider that has a limit."""
    barred: Mapping[str, datetime]
    """The mailbox providers that slow us down, and until when each is left alone."""
    coming_back: Mapping[str, float]
    """Those that did so lately, and how many messages a second each gets now: more with every quiet minute."""


async def standings(
    session: Session, providers: Sequence[Provider], limits: Mapping[str, Limits], zone: ZoneInfo, now: datetime
) -> list[Standing]:
    """The providers in their order; the first that works is in use."""
    known, states = await buckets.levels(session), await provider_states.every(session)
    instant = await buckets.instant(session)
    today = day_of(instant, zone)
    slowed = {one.name: await shares.slowed(session, one.name, instant) for one in providers}
    used = await in_use(session, providers, now)
    return [
        _standing(
            one,
            limits.get(one.name, Limits()),
            _used(known.get(one.name), today),
            today,
            states.get(one.name),
            now,
            {group: (until - instant) / SECOND for group, until in sorted(slowed[one.name].items())},
            in_use=one is used,
        )
        for one in providers
    ]


def _used(level: Level | None, today: date) -> int:
    return level.used if level and level.day >= today else 0


def _standing(
    provider: Provider,
    limits: Limits,
    used: int,
    today: date,
    state: ProviderState | None,
    now: datetime,
    slowed: Mapping[str, float],
    *,
    in_use: bool,
) -> Standing:
    """`slowed`: in how many seconds each group's bar ends; below zero where it has ended."""
    allowed = limits.allowance(today)
    kept = int(allowed * KEPT_FOR_SERVICE) if allowed is not None else 0
    return Standing(
        name=provider.name,
        real=provider.capabilities.real,
        in_use=in_use,
        breaker=provider_states.breaker(state, now),
        open_until=state.open_until if state else None,
        failures=state.failures if state else 0,
        last_fault=state.why if state else "",
        last_fault_at=state.failed_at if state else None,
        rate=limits.rate,
        per_day=limits.per_day,
        warmup_day=_warmup_day(limits, today),
        today=today,
        used_today=used if limits else None,
        allowed_today=allowed,
        left_for_papers=None if allowed is None else max(0, allowed - kept - used),
        left_for_service=None if allowed is None else max(0, allowed - used),
        domain_rates=dict(limits.groups),
        barred={group: now + timedelta(seconds=left) for group, left in slowed.items() if left > 0},
        coming_back=_coming_back(limits.groups, slowed),
    )


def _coming_back(rates: Mapping[str, float], slowed: Mapping[str, float]) -> dict[str, float]:
    paces = {group: pace(rates.get(group), int(-left * SECOND)) for group, left in slowed.items() if left <= 0}
    return {group: now for group, now in paces.items() if now is not None and now < rates.get(group, math.inf)}


def _warmup_day(limits: Limits, today: date) -> int | None:
    day = (today - limits.warmup).days if limits.warmup else -1
    return day + 1 if 0 <= day <= WARM_DAYS else None
