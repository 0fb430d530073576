"""Settings that belong to the publication, not to a process: all processes must have the same.

They are written down in the database when it is begun, and changed by `morningpost settings apply`. A process that was
started with others would promise other hours, sign links that others refuse, or mail people whom others do not: it does
not start.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from pydantic import SecretStr

from app.core.db import Database
from app.core.errors import ConfigurationError, Conflict
from app.core.settings import PREFIX, Settings
from app.store import access, shared_settings

SHARED = (
    "environment", "public_url",
    "publication_name", "tagline", "from_address", "reply_to", "postal_address", "list_id",
    "timezone", "compose_at", "freeze_at", "deliver_at", "approval", "max_late", "on_unknown", "keep_deliveries",
    "domain_rates", "allowed_recipients", "return_path_domain", "operator_emails",
    "refuse_disposable", "refused_domains", "allowed_domains",
)  # fmt: skip
"""Their values are written down as they are."""
SECRET = ("secret_keys", "suppression_key")
"""Of these a fingerprint is: the first 16 hexadecimal digits of a SHA-256."""
APPLY = "morningpost settings apply"


@dataclass(frozen=True, slots=True)
class Difference:
    """A setting that is one thing here and another in the database."""

    name: str
    """As in the environment, with its prefix."""
    here: str
    written: str


def values_of(settings: Settings) -> dict[str, Any]:
    """What is written down of a process's settings, by name, as JSON."""
    return {
        **{name: _plain(getattr(settings, name)) for name in SHARED},
        **{name: _fingerprint(getattr(settings, name)) for name in SECRET},
    }


def differences(settings: Settings, written: Mapping[str, Any]) -> list[Difference]:
    """The settings in which a process is not at one with what is written down. One that is new there differs not."""
    here = values_of(settings)
    return [
        Difference(PREFIX + name.upper(), _shown(value), _shown(written[name]))
        for name, value in here.items()
        if name in written and written[name] != value
    ]


async def demand_same(db: Database, settings: Settings, now: datetime, *, first: bool = True) -> None:
    """Raises ConfigurationError, which names the settings that differ from those that are written down.

    Where none are they are written, if `first`: by the first service that runs on a database. A command that is called
    before it, from a shell that lacks half of the settings, decides nothing for it.
    """
    version, found = await differing(db, settings)
    if version == 0 and first:
        async with db.write() as session:
            if await shared_settings.add(session, 1, values_of(settings), "the first start", now):
                return
        version, found = await differing(db, settings)  # another process was quicker
    if found:
        lines = [f"{one.name} is {one.here} here and {one.written} in the database" for one in found]
        raise ConfigurationError(
            "\n".join(lines) + f"\nEvery process must have the settings that are written down (version {version})."
            f" Start with those, or, if the change is meant, run: {APPLY}"
        )


async def differing(db: Database, settings: Settings) -> tuple[int, list[Difference]]:
    """The newest version that is written down, 0 for none, and in what this process differs from it."""
    async with db.read() as session:
        newest = await shared_settings.newest(session)
    return (newest.version, differences(settings, newest.settings)) if newest else (0, [])


async def demand_current(db: Database, settings: Settings) -> None:
    """Raises Conflict where the settings were changed since this process started: it is to be restarted."""
    version, found = await differing(db, settings)
    if found:
        names = ", ".join(one.name for one in found)
        raise Conflict(
            f"the settings were changed (version {version}: {names}); restart this process with the new ones"
        )


async def apply(db: Database, settings: Settings, actor: str, now: datetime) -> Sequence[Difference]:
    """Makes this process's settings those of all; gives what was changed. Nothing is written where nothing differs.

    Hours hold from the next window on. Raises Conflict where somebody else applied others at the same moment.
    """
    async with db.write() as session:
        newest = await shared_settings.newest(session)
        values = values_of(settings)
        if newest is not None and newest.settings == values:
            return []
        version = newest.version + 1 if newest else 1
        if not await shared_settings.add(session, version, values, actor, now):
            raise Conflict("Somebody else applied settings at the same moment; look at them, then apply yours again.")
        found = differences(settings, newest.settings) if newest else []
        await access.audit(
            session, actor=actor, action="apply", noun="settings", noun_id=version,
            detail={"names": [one.name for one in found]}, now=now,
        )  # fmt: skip
        return found


def _plain(value: Any) -> Any:
    match value:
        case time():
            return f"{value:%H:%M}"
        case timedelta():
            return int(value.total_seconds())
        case tuple() | list() | frozenset():
            return [str(one) for one in value]
        case bool() | int() | str():
            return value
        case other:
            return str(other)


def _fingerprint(value: SecretStr | Sequence[str]) -> str:
    text = value.get_secret_value() if isinstance(value, SecretStr) else "\n".join(value)
    return hashlib.sha256(b"shared setting\n" + text.encode()).hexdigest()[:16]


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value)) or "empty"
    return str(value) if value != "" else "empty"
