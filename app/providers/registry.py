"""Which scheme is which provider. A new provider is a file and a line here."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from app.core.errors import ConfigurationError
from app.core.mail.provider import Provider
from app.core.mail.rates import DomainRates
from app.core.mail.tokens import Limits
from app.providers.outbox import OutboxProvider
from app.providers.resend import ResendProvider
from app.providers.smtp import SmtpProvider
from app.providers.urls import SETTING, ProviderUrl, parse

Builder = Callable[[ProviderUrl, Path], Provider]

SCHEMES: dict[str, Builder] = {
    "outbox": lambda url, var: OutboxProvider.from_url(url, var / "outbox"),
    "smtp": lambda url, _: SmtpProvider.from_url(url),
    "smtps": lambda url, _: SmtpProvider.from_url(url),
    "resend": lambda url, _: ResendProvider.from_url(url),
}

SMTP = ("smtp", "smtps")


def build(urls: Sequence[str], var: Path) -> tuple[Provider, ...]:
    """The providers of `urls`, in order; `var` is where local ones keep files. Opens nothing yet.

    Raises ConfigurationError: an unknown scheme, a missing or malformed part, a parameter that the provider does
    not have, a name used twice.
    """
    if not urls:
        raise ConfigurationError(f"{SETTING} names no provider; outbox: keeps mail on this machine")
    providers: list[Provider] = []
    for position, text in enumerate(urls, 1):
        url = parse(text, position)
        if url.scheme not in SCHEMES:
            raise url.wrong(f"there is no such provider; known are {', '.join(SCHEMES)}")
        if any(url.name == other.name for other in providers):
            raise url.wrong(f"another provider is called {url.name} already; give this one its own ?name=")
        providers.append(SCHEMES[url.scheme](url, var))
    return tuple(providers)


def limits(urls: Sequence[str], rates: DomainRates = DomainRates(defaults=False)) -> Mapping[str, Limits]:
    """How much may leave by each of `urls`, by name; `rates` is for domain groups. Raises ConfigurationError."""
    parsed = [parse(text, position) for position, text in enumerate(urls, 1)]
    return {url.name: replace(url.limits, groups=rates.of(smtp=url.scheme in SMTP)) for url in parsed}
