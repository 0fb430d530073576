"""The form of a provider's URL: `scheme://user:password@host:port?name=…`, each part percent-encoded.

The sentences of errors never hold anything that stands before the host, nor a host or a port that could not be
read: a password with a character that was not encoded would slip into them.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from ipaddress import ip_address
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from app.core.errors import ConfigurationError
from app.core.mail.tokens import Limits
from app.core.text import is_clean

SETTING = "MORNINGPOST_PROVIDERS"
COMMON = ("name", "rate", "per_day", "warmup")
"""Parameters of every provider."""
_FASTEST, _MOST_A_DAY = 10_000, 100_000_000
_SCHEME = re.compile(r"([a-z]{2,12}):", re.IGNORECASE)
_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?")


@dataclass(frozen=True)
class ProviderUrl:
    """A provider's URL, taken apart and decoded. Every accessor raises ConfigurationError with a sentence."""

    place: str
    """How errors name this entry of the setting."""
    scheme: str
    host: str
    port: int | None
    user: str = field(repr=False)
    password: str = field(repr=False)
    params: Mapping[str, str] = field(repr=False)

    @property
    def name(self) -> str:
        """`?name=`, or the scheme."""
        name = self.params.get("name", self.scheme)
        if not _NAME.fullmatch(name):
            raise self.wrong("name must be small letters, digits and hyphens, at most 40, beginning with a letter")
        return name

    @property
    def loopback(self) -> bool:
        """Does mail to this host stay on this machine?"""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def wrong(self, why: str) -> ConfigurationError:
        """The error to raise: where, and why."""
        return ConfigurationError(f"{self.place}: {why}")

    def allow(self, *known: str) -> None:
        """Refuses every parameter but those of every provider and `known`."""
        for given in self.params:
            if given not in (*COMMON, *known):
                raise self.wrong(f"{given} is not a parameter; known are {', '.join((*COMMON, *known))}")

    def choice(self, param: str, default: str, options: tuple[str, ...]) -> str:
        """The value of `param`, one of `options`."""
        value = self.params.get(param, default)
        if value not in options:
            raise self.wrong(f"{param} must be one of {', '.join(options)}")
        return value

    @property
    def limits(self) -> Limits:
        """`?rate=` a second, `?per_day=` and `?warmup=`, the date on which a warm-up begins."""
        per_day = self.number("per_day", 0, _MOST_A_DAY) if "per_day" in self.params else None
        return Limits(self._rate(), per_day, self._warmup())

    def _rate(self) -> float | None:
        given = self.params.get("rate")
        if given is None:
            return None
        if not re.fullmatch(r"\d{1,5}(\.\d{1,4})?", given, re.ASCII) or not 0.001 <= float(given) <= _FASTEST:
            raise self.wrong(f"rate is messages a second, a number from 0.001 to {_FASTEST} such as 14 or 0.5")
        return float(given)

    def _warmup(self) -> date | None:
        given = self.params.get("warmup")
        try:
            return date.fromisoformat(given) if given is not None else None
        except ValueError:
            raise self.wrong("warmup is the date on which it begins, such as 2027-01-18") from None

    def number(self, param: str, default: int, most: int) -> int:
        """The value of `param`, a whole number from 1 to `most`."""
        value = self.params.get(param, str(default))
        if not (value.isascii() and value.isdecimal() and 1 <= int(value) <= most):
            raise self.wrong(f"{param} must be a whole number from 1 to {most}")
        return int(value)


def parse(url: str, position: int) -> ProviderUrl:
    """Takes `url` apart; `position` counts the entries of the setting from 1. Raises ConfigurationError."""
    place = f"{SETTING}, entry {position}"
    if not (scheme := _SCHEME.match(url)):
        raise ConfigurationError(f"{place}: a provider is written as a URL, such as outbox: or smtp://host:587")
    place += f" ({scheme[1].lower()})"
    parts = _split(url, place)
    return ProviderUrl(
        place=place,
        scheme=scheme[1].lower(),
        host=_host(parts, place),
        port=_port(parts, place),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        params=_params(parts.query, place),
    )


def _split(url: str, place: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise ConfigurationError(f"{place}: the address of the server is malformed") from None
    if parts.path not in ("", "/") or "#" in url:
        raise ConfigurationError(
            f"{place}: nothing may follow the host and port but ?parameters; "
            "in a user name or password write / as %2F, # as %23, ? as %3F and @ as %40"
        )
    if not is_clean(unquote(parts.netloc)):
        raise ConfigurationError(f"{place}: control characters are not allowed")
    return parts


def _host(parts: SplitResult, place: str) -> str:
    host = parts.hostname or ""
    if host and ":" not in host and not _HOST.fullmatch(host):
        raise ConfigurationError(f"{place}: the host is not a host name; write it in ASCII letters")
    return host


def _port(parts: SplitResult, place: str) -> int | None:
    try:
        port = parts.port
    except ValueError:
        port = 0
    if port == 0:
        raise ConfigurationError(
            f"{place}: the port must be a number from 1 to 65535 (a : or @ in a password is written %3A or %40)"
        )
    return port


def _params(query: str, place: str) -> dict[str, str]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True) if query else []
    except ValueError:
        raise ConfigurationError(f"{place}: write parameters as ?name=value&name=value") from None
    params = dict(pairs)
    if len(params) != len(pairs):
        raise ConfigurationError(f"{place}: a parameter is given twice")
    if not all(re.fullmatch(r"[a-z_]{1,20}", key) and is_clean(value) for key, value in pairs):
        raise ConfigurationError(f"{place}: a parameter is malformed")
    return params
