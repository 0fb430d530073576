"""Settings: environment variables with the prefix MORNINGPOST_, or the same lines in a file `.env`.

Lists are separated by spaces. In production the service refuses to start on a default secret or a
placeholder; in development missing secrets are made once and kept under `var/`.
"""

import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time, timedelta
from email.utils import parseaddr
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.core.calendar import zone_named
from app.core.errors import ConfigurationError
from app.core.mail import rates
from app.core.signing import SHORTEST_KEY

PREFIX = "MORNINGPOST_"
VAR = Path("var")
_DURATION = re.compile(r"(\d{1,6})\s*([hm])", re.IGNORECASE)
_HOST = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")

Words = Annotated[tuple[str, ...], NoDecode]


@dataclass(frozen=True, slots=True)
class Publication:
    """What the paper calls itself: all that a printed page or a mail may know of the settings."""

    name: str
    tagline: str
    public_url: str
    """Without a slash at its end."""
    sender: tuple[str, str]
    """(display name, address) of the From header."""
    reply_to: str
    postal_address: str
    list_id: str
    zone: ZoneInfo
    deliver_minute: int
    """The default delivery time as a minute of the local day."""
    production: bool = False
    """Mailed in earnest: what may pass while one tries things out may not now."""


def host_and_port(server: str, default: int = 53) -> tuple[str, int]:
    """The address and port of `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:5353`.

    Raises ValueError.
    """
    host, colon, port = server.rpartition(":")
    if not colon or (":" in host and not host.endswith("]")):
        host, port = server, str(default)
    if not 1 <= int(port) <= 65_535:
        raise ValueError(f"{port} is no port")
    return str(ip_address(host.removeprefix("[").removesuffix("]"))), int(port)


class Settings(BaseSettings):
    """Every setting, typed. The names in the environment are these in capitals, after MORNINGPOST_."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    environment: Literal["development", "production"] = "development"
    database_url: str = Field("sqlite:///var/morningpost.db", repr=False)
    public_url: str = "http://localhost:8000"
    secret_keys: Words = Field((), repr=False)
    suppression_key: SecretStr = SecretStr("")

    publication_name: str = Field("The AI Morning Post", min_length=1, max_length=80)
    tagline: str = Field("Artificial Intelligence · Machine Learning · Future Tech", max_length=120)
    from_address: str = "The AI Morning Post <post@example.org>"
    reply_to: str = ""
    postal_address: str = Field("", max_length=200)
    list_id: str = ""

    timezone: str = "UTC"
    compose_at: time = time(5, 0)
    freeze_at: time = time(5, 30)
    deliver_at: time = time(6, 30)
    approval: Literal["auto", "manual"] = "auto"
    max_late: timedelta = timedelta(hours=12)
    on_unknown: Literal["resend", "hold"] = "resend"

    providers: Words = Field(("outbox:",), repr=False)
    domain_rates: Words = ()
    allowed_recipients: Words = ()
    return_path_domain: str = ""
    operator_emails: Words = ()

    huggingface_url: str = "https://huggingface.co"
    huggingface_token: SecretStr = SecretStr("")
    github_url: str = "https://api.github.com"
    github_token: SecretStr = SecretStr("")
    private_sources: Words = ()

    trusted_proxies: Words = ()
    metrics_token: SecretStr = SecretStr("")
    keep_deliveries: int = Field(90, ge=14, le=3650)
    signups_per_client: int = Field(30, ge=1, le=1_000_000)
    signups_per_minute: int = Field(120, ge=1, le=1_000_000)
    altcha: Literal["off", "on"] = "off"
    altcha_cost: int = Field(5_000, ge=1_000, le=100_000)
    check_mx: Literal["off", "on"] = "off"
    check_links: Literal["off", "on"] = "on"
    resolver: str = ""
    refuse_disposable: bool = True
    refused_domains: Words = ()
    allowed_domains: Words = ()

    log_format: Literal["auto", "json", "console"] = "auto"
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65_535)

    @field_validator(
        "secret_keys",
        "providers",
        "domain_rates",
        "allowed_recipients",
        "operator_emails",
        "trusted_proxies",
        "private_sources",
        "refused_domains",
        "allowed_domains",
        mode="before",
    )
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(value.split()) if isinstance(value, str) else value

    @field_validator("max_late", mode="before")
    @classmethod
    def _duration(cls, value: Any) -> Any:
        if isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
            return timedelta(**{"hours" if match[2].lower() == "h" else "minutes": int(match[1])})
        if isinstance(value, str):
            raise ValueError("write a duration as 12h or 90m")
        return value

    @field_validator("max_late")
    @classmethod
    def _sane_duration(cls, value: timedelta) -> timedelta:
        if not timedelta(minutes=1) <= value <= timedelta(hours=24):
            raise ValueError("must lie between 1m and 24h")
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if zone_named(value) is None:
            raise ValueError(f"{value!r} is not an IANA time zone such as Europe/London")
        return value

    @field_validator("compose_at", "freeze_at", "deliver_at")
    @classmethod
    def _whole_minute(cls, value: time) -> time:
        if value.second or value.microsecond or value.tzinfo:
            raise ValueError("write a time of day as HH:MM; the zone is TIMEZONE")
        return value

    @field_validator("public_url", "huggingface_url", "github_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", value):
            raise ValueError("must be a web address such as https://post.example.org, without query or fragment")
        return value.rstrip("/")

    @field_validator("from_address", "reply_to")
    @classmethod
    def _mailbox(cls, value: str) -> str:
        if value and not re.fullmatch(r"[^@\s]+@" + _HOST.pattern, parseaddr(value)[1]):
            raise ValueError("must be a mailbox such as The AI Morning Post <post@example.org>")
        if not value.isprintable():
            raise ValueError("must not contain control characters")
        return value

    @field_validator("publication_name", "tagline", "postal_address")
    @classmethod
    def _printable(cls, value: str) -> str:
        if not value.isprintable():
            raise ValueError("must be one line without control characters")
        return value

    @field_validator("trusted_proxies", "private_sources")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            try:
                ip_network(text)
            except ValueError:
                raise ValueError(f"{text!r} is neither an address nor a network such as 10.0.0.0/8") from None
        return value

    @field_validator("domain_rates")
    @classmethod
    def _rates(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        rates.parse(value)
        return value

    @field_validator("resolver")
    @classmethod
    def _server(cls, value: str) -> str:
        if value:
            try:
                host_and_port(value)
            except ValueError:
                raise ValueError("must be an IP address, or one with a port, such as 192.0.2.1:5353") from None
        return value

    @field_validator("operator_emails")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            if len(text) > 254 or not text.isascii() or not re.fullmatch(r"[^@\s]+@" + _HOST.pattern, text):
                raise ValueError(f"{text!r} is not an address such as editor@example.org")
        return value

    @field_validator("refused_domains", "allowed_domains")
    @classmethod
    def _domains(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            if not _HOST.fullmatch(text):
                raise ValueError(f"{text!r} is not a domain such as example.org; write others than a-z as xn--")
        return tuple(text.lower() for text in value)

    @field_validator("return_path_domain")
    @classmethod
    def _return_path_domain(cls, value: str) -> str:
        if value and not (len(value) <= 190 and re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", value)):
            raise ValueError("must be a domain such as bounces.example.org, at most 190 characters")
        return value.lower()

    @field_validator("list_id")
    @classmethod
    def _list_id(cls, value: str) -> str:
        if value and not re.fullmatch(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", value):
            raise ValueError("must look like a host name, such as daily.post.example.org (RFC 2919)")
        return value

    @model_validator(mode="after")
    def _times_in_order(self) -> "Settings":
        if not self.compose_at <= self.freeze_at:
            raise ValueError("COMPOSE_AT must not be later than FREEZE_AT")
        return self

    @property
    def production(self) -> bool:
        return self.environment == "production"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def publication(self) -> Publication:
        name, address = parseaddr(self.from_address)
        return Publication(
            name=self.publication_name,
            tagline=self.tagline,
            public_url=self.public_url,
            sender=(name or self.publication_name, address),
            reply_to=self.reply_to,
            postal_address=self.postal_address,
            list_id=self.list_id or f"daily.{address.rpartition('@')[2]}",
            zone=self.zone,
            deliver_minute=self.deliver_at.hour * 60 + self.deliver_at.minute,
            production=self.production,
        )


def load_settings(**overrides: Any) -> Settings:
    """Reads the environment. Raises ConfigurationError with one sentence per wrong setting."""
    try:
        settings = Settings(**overrides)
    except ValidationError as error:
        raise ConfigurationError("\n".join(_sentences(error))) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"the file .env cannot be read: {error}") from None
    if settings.production:
        _refuse_unready(settings)
        return settings
    made: dict[str, Any] = {}
    if not settings.secret_keys:
        made["secret_keys"] = (_kept_secret("secret_key"),)
    if not settings.suppression_key.get_secret_value():
        made["suppression_key"] = SecretStr(_kept_secret("suppression_key"))
    return settings.model_copy(update=made)


def _sentences(error: ValidationError) -> Sequence[str]:
    lines = []
    for item in error.errors(include_url=False):
        name = "_".join(str(part) for part in item["loc"]).upper()
        text = item["msg"].removeprefix("Value error, ")
        lines.append(f"{PREFIX}{name}: {text}" if name else text)
    return lines


def _refuse_unready(settings: Settings) -> None:
    missing = []
    if not settings.secret_keys:
        missing.append(f"{PREFIX}SECRET_KEYS needs a random key of {SHORTEST_KEY} characters or more")
    if not settings.suppression_key.get_secret_value():
        missing.append(
            f"{PREFIX}SUPPRESSION_KEY needs a random key of {SHORTEST_KEY} characters or more, kept for ever"
        )
    if not settings.public_url.startswith("https://"):
        missing.append(f"{PREFIX}PUBLIC_URL must begin with https:// in production")
    if settings.publication.sender[1].endswith("@example.org"):
        missing.append(f"{PREFIX}FROM_ADDRESS must be your own address in production")
    if not settings.postal_address:
        missing.append(f"{PREFIX}POSTAL_ADDRESS is demanded in commercial mail (CAN-SPAM 16 CFR 316) and is empty")
    if missing:
        raise ConfigurationError("\n".join(missing))


def _kept_secret(name: str) -> str:
    """A secret for development, made once and kept in `var/`, readable by its owner only."""
    path = VAR / name
    try:
        if not path.exists():
            VAR.mkdir(parents=True, exist_ok=True)
            _write_once(path, secrets.token_urlsafe(48) + "\n")
        return path.read_text().strip()
    except OSError as error:
        raise ConfigurationError(
            f"{path} can neither be read nor made ({error.strerror}); set {PREFIX}SECRET_KEYS"
        ) from None


def _write_once(path: Path, text: str) -> None:
    """Makes `path` with all of `text` at once; where another process was first, its file stays."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
