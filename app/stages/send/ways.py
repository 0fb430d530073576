"""The ways out: which provider a hand-over goes by, and what becomes of the rest when it fails.

Providers stand in the operator's order. The first that works carries everything, and a hand-over stays with it for as
long as it works; one that failed rests, and is then tried with a few messages by one worker.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from app.core.db import Database, Session
from app.core.mail.provider import Provider
from app.core.mail.receipt import Accepted, Halt, NotSent, Receipt, Standstill
from app.models import ProviderState
from app.models.breaker import Breaker
from app.store import provider_states
from app.store.statements import ask_alone

log = structlog.get_logger(__name__)


@dataclass
class Way:
    """One provider for one hand-over. `others` are the names of those that stand beside it in the settings."""

    provider: Provider
    others: tuple[str, ...] = ()
    on_trial: bool = False
    """It failed before, and its rest is over."""

    _alone_until: datetime | None = None
    """As long as that the trial is ours; None where it is none, or something was asked of the provider."""

    @property
    def name(self) -> str:
        return self.provider.name

    async def enter(self, session: Session, now: datetime) -> bool:
        """May this worker use it? A provider on trial is one worker's at a time, until it works again."""
        if not self.on_trial:
            return True
        self._alone_until = await provider_states.probe(session, self.name, now)
        if self._alone_until is not None:
            return True
        known = await provider_states.every(session)
        return provider_states.breaker(known.get(self.name), now) is Breaker.CLOSED

    async def heard(self, session: Session, receipts: Iterable[Receipt]) -> None:
        """Closes the breaker where a provider on trial took a message. Hears the same again where a commit failed."""
        if not self.on_trial:
            return
        told = [receipt for receipt in receipts if not isinstance(receipt, NotSent)]
        if told:
            self._alone_until = None
        if any(isinstance(one, Accepted) for one in told):
            if await provider_states.mended(session, self.name):
                log.warning("the provider works again", provider=self.name)
            else:  # that is committed
                self.on_trial = False

    async def leave(self, session: Session, now: datetime) -> None:
        """At the end of a hand-over, when all that was given to the provider was heard of.

        A trial that found nothing to give it is anybody's again.
        """
        if self._alone_until is not None:
            await provider_states.leave(session, self.name, self._alone_until, now)

    async def failed(self, session: Session, fault: Standstill, now: datetime) -> str | None:
        """Opens the breaker; gives the name of a provider that can carry on, None where only waiting helps.

        One that rests counts too, unless it refuses us for a fault of ours: it comes back by itself.
        """
        ours = isinstance(fault, Halt)
        after = None if isinstance(fault, Halt) else fault.after
        await provider_states.failed(
            session,
            self.name,
            after=after,
            ours=ours,
            code=fault.code,
            why=fault.why,
            now=now,
            on_trial=self.on_trial,
        )
        known = await provider_states.every(session)
        left = [one for one in self.others if one not in known or not known[one].ours]
        log.warning("the provider fails", provider=self.name, why=fault.why, code=fault.code, instead=left[:1])
        return min(left, key=lambda one: (_free(known.get(one), now), self.others.index(one)), default=None)

    async def idle_until(
        self, session: Session, fault: Standstill | None, rest: timedelta | None, now: datetime
    ) -> datetime | None:
        """Until when nothing leaves by any provider, after a hand-over that ended so; None where one is free."""
        if not (fault or rest):
            return None
        until = min((await self.free(session, now, rest)).values())
        return until if until > now else None

    async def free(self, session: Session, now: datetime, rest: timedelta | None = None) -> dict[str, datetime]:
        """From when on each provider may be used; `rest` is asked for of this one beside what its breaker says."""
        known = await provider_states.every(session)
        found = {one: _free(known.get(one), now) for one in (self.name, *self.others)}
        if rest:
            found[self.name] = max(found[self.name], now + rest)
        return found


def _free(known: ProviderState | None, now: datetime) -> datetime:
    until = known.open_until if known else None
    return max(until, now) if until else now


async def usable(session: Session, providers: Sequence[Provider], now: datetime) -> list[Way]:
    """The providers that may be used now, in order: they work, or their rest is over."""
    return _usable(await provider_states.every(session), providers, now)


async def usable_now(db: Database, providers: Sequence[Provider], now: datetime) -> list[Way]:
    """`usable` in a transaction of its own, which is one round trip."""
    (known,) = await ask_alone(db, [provider_states.every_query()])
    return _usable(known, providers, now)


def _usable(known: Mapping[str, ProviderState], providers: Sequence[Provider], now: datetime) -> list[Way]:
    found = []
    for provider in providers:
        stands = provider_states.breaker(known.get(provider.name), now)
        if stands is not Breaker.OPEN:
            others = tuple(one.name for one in providers if one is not provider)
            found.append(Way(provider, others, on_trial=stands is Breaker.HALF_OPEN))
    return found


async def in_use(session: Session, providers: Sequence[Provider], now: datetime) -> Provider:
    """The provider that mail leaves by now; the first where none is usable."""
    found = await usable(session, providers, now)
    return found[0].provider if found else providers[0]
