"""Settings: environment variables with the prefix MORNINGPOST_, or the same lines in a file `.env`.

Lists are separated by spaces. In production the service refuses to start on a default secret or a
placeholder; in development missing secrets are made once and kept under `var/`.
"""

import os
from collections.abc import Sequence
from datetime import time, timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.core import malformed
from app.core.calendar import Hours, minute_of
from app.core.errors import ConfigurationError
from app.core.kept_secrets import kept_secret
from app.core.mail import named_address
from app.core.publication import Publication
from app.core.setting_types import (
    Addresses,
    Domains,
    Duration,
    Line,
    ListId,
    Mailbox,
    MinuteOfDay,
    Networks,
    Rates,
    ReturnPathDomain,
    ServerAddress,
    WebAddress,
    Words,
    ZoneName,
)
from app.core.signing import SHORTEST_KEY

PREFIX = "MORNINGPOST_"
VAR = Path("var")


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
    public_url: WebAddress = "http://localhost:8000"
    secret_keys: Words = Field((), repr=False)
    suppression_key: SecretStr = SecretStr("")

    publication_name: Line = Field("The AI Morning Post", min_length=1, max_length=80)
    tagline: Line = Field("Artificial Intelligence · Machine Learning · Future Tech", max_length=120)
    from_address: Mailbox = "The AI Morning Post <post@example.org>"
    reply_to: Mailbox = ""
    postal_address: Line = Field("", max_length=200)
    list_id: ListId = ""

    timezone: ZoneName = "UTC"
    compose_at: MinuteOfDay = time(5, 0)
    freeze_at: MinuteOfDay = time(5, 30)
    deliver_at: MinuteOfDay = time(6, 30)
    approval: Literal["auto", "manual"] = "auto"
    max_late: Duration = timedelta(hours=12)
    on_unknown: Literal["resend", "hold"] = "resend"

    providers: Words = Field(("outbox:",), repr=False)
    domain_rates: Rates = ()
    allowed_recipients: Words = ()
    return_path_domain: ReturnPathDomain = ""
    operator_emails: Addresses = ()

    huggingface_url: WebAddress = "https://huggingface.co"
    huggingface_token: SecretStr = SecretStr("")
    github_url: WebAddress = "https://api.github.com"
    github_token: SecretStr = SecretStr("")
    private_sources: Networks = ()

    trusted_proxies: Networks = ()
    metrics_token: SecretStr = SecretStr("")
    metrics_open: Literal["off", "loopback"] = "off"
    keep_deliveries: int = Field(90, ge=14, le=3650)
    signups_per_client: int = Field(30, ge=1, le=1_000_000)
    signups_per_minute: int = Field(120, ge=1, le=1_000_000)
    altcha: Literal["off", "on"] = "off"
    altcha_cost: int = Field(5_000, ge=1_000, le=100_000)
    check_mx: Literal["off", "on"] = "off"
    check_links: Literal["off", "on"] = "on"
    resolver: ServerAddress = ""
    refuse_disposable: bool = True
    refused_domains: Domains = ()
    allowed_domains: Domains = ()

    log_format: Literal["auto", "json", "console"] = "auto"
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=0, le=65_535)

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
    def hours(self) -> Hours:
        return Hours(self.zone, self.compose_at, self.freeze_at, minute_of(self.deliver_at), self.max_late)

    @property
    def publication(self) -> Publication:
        name, address = named_address.parse(self.from_address)
        return Publication(
            name=self.publication_name,
            tagline=self.tagline,
            public_url=self.public_url,
            sender=(name or self.publication_name, address),
            reply_to=named_address.mailbox(*named_address.parse(self.reply_to)) if self.reply_to else "",
            postal_address=self.postal_address,
            list_id=self.list_id or f"daily.{address.rpartition('@')[2]}",
            zone=self.zone,
            deliver_minute=minute_of(self.deliver_at),
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
        if unknown := unknown_settings():
            raise ConfigurationError("\n".join(unknown))
        _refuse_unready(settings)
        return settings
    made: dict[str, Any] = {}
    if not settings.secret_keys:
        made["secret_keys"] = (_kept_secret("secret_key"),)
    if not settings.suppression_key.get_secret_value():
        made["suppression_key"] = SecretStr(_kept_secret("suppression_key"))
    return settings.model_copy(update=made)


def unknown_settings(file: Path = Path(".env")) -> list[str]:
    """A sentence for each MORNINGPOST_ name, in the environment or in `.env`, that is no setting. Never its value."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    given = {name.upper() for name in os.environ} | {name.upper() for name in _names_in(file)}
    sentences = []
    for name in sorted(one for one in given if one.startswith(PREFIX) and one not in known):
        (near, *_) = [*get_close_matches(name, known, n=1, cutoff=0.7), ""]
        sentences.append(f"{name} is no setting" + (f"; did you mean {near}?" if near else ""))
    return sentences


def _names_in(file: Path) -> list[str]:
    try:
        return list(dotenv_values(file, interpolate=False))
    except (OSError, UnicodeDecodeError):  # whether it can be read is another question's
        return []


def _kept_secret(name: str) -> str:
    path = VAR / name
    try:
        return kept_secret(path)
    except OSError as error:
        raise ConfigurationError(
            f"{path} can neither be read nor made ({error.strerror}); set {PREFIX}SECRET_KEYS"
        ) from None


def _sentences(error: ValidationError) -> Sequence[str]:
    lines = []
    for item in error.errors(include_url=False):
        name = "_".join(str(part) for part in item["loc"]).upper()
        text = malformed.sentence(item)
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
