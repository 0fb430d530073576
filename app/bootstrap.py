"""The only place that names concrete classes: settings in, one frozen container out."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial

from app.core.clock import Clock, GuardedClock
from app.core.db import Database
from app.core.errors import ConfigurationError
from app.core.mail import rates
from app.core.mail.provider import DEMANDED, Provider, lacking
from app.core.mail.tokens import Limits
from app.core.net.guard import networks
from app.core.settings import VAR, Settings
from app.core.signing import Signer, Suppressor
from app.models.content import EditionContent, Section
from app.operations.clock_watch import ClockWatch
from app.providers import registry
from app.stages.audience.domains import DomainRules
from app.stages.audience.proof import Proofs
from app.stages.collect import snapshot
from app.stages.collect.fetch import Fetcher
from app.stages.collect.gather import Gatherer
from app.stages.collect.harvest import Source
from app.stages.render import weight
from app.stages.render.link_check import LinkChecker
from app.stages.send import exchangers
from app.stages.send.exchangers import Exchangers


@dataclass(frozen=True)
class Container:
    """What the doors (web, jobs, command line) hand to the rooms."""

    settings: Settings
    db: Database
    clock: Clock
    """The one that decides. `watch.start` gives it its first reading."""
    watch: ClockWatch
    signer: Signer
    suppressor: Suppressor
    domains: DomainRules
    proofs: Proofs | None
    """None where sign-ups need no proof of work."""
    exchangers: Exchangers | None
    """None where DNS is not asked whether a domain takes mail."""
    links: LinkChecker | None
    """None where links are not looked up."""
    providers: tuple[Provider, ...]
    """In the operator's order: the first that works carries the mail."""
    limits: Mapping[str, Limits]
    """How much may leave by each provider, by its name."""
    sources: tuple[Source, ...]
    gatherer: Gatherer

    @property
    def weigh(self) -> Callable[[EditionContent], Awaitable[tuple[int, Mapping[Section, int]] | None]]:
        """How many bytes an edition has as a mail: composing asks, rendering knows."""
        return partial(weight.weigh, publication=self.settings.publication)

    async def close(self) -> None:
        for provider in self.providers:
            await provider.close()
        await self.db.close()


def build(settings: Settings, clock: Clock | None = None) -> Container:
    """Wires the service. Raises ConfigurationError; opens no connection yet."""
    signer = Signer(settings.secret_keys)
    providers = registry.build(settings.providers, VAR)
    for one in providers:
        for lack in lacking(one.capabilities, DEMANDED):
            raise ConfigurationError(f"the provider {one.name} {lack}: take it out of MORNINGPOST_PROVIDERS")
    db, clock = Database(settings.database_url), clock or GuardedClock()
    return Container(
        settings=settings,
        db=db,
        clock=clock,
        watch=ClockWatch(db, clock, settings.operator_emails),
        signer=signer,
        suppressor=Suppressor(settings.suppression_key.get_secret_value()),
        domains=DomainRules(
            refused=frozenset(settings.refused_domains),
            allowed=frozenset(settings.allowed_domains),
            refuse_disposable=settings.refuse_disposable,
        ),
        proofs=Proofs(signer, settings.altcha_cost) if settings.altcha == "on" else None,
        exchangers=exchangers.build(settings.resolver) if settings.check_mx == "on" else None,
        links=LinkChecker(settings.public_url) if settings.check_links == "on" else None,
        providers=providers,
        limits=registry.limits(settings.providers, rates.parse(settings.domain_rates)),
        sources=snapshot.sources(
            huggingface_url=settings.huggingface_url,
            github_url=settings.github_url,
            contact=settings.public_url,
            huggingface_token=settings.huggingface_token.get_secret_value(),
            github_token=settings.github_token.get_secret_value(),
        ),
        gatherer=Gatherer(Fetcher(settings.public_url, networks(settings.private_sources))),
    )
