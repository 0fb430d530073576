"""Bearer keys for the operator API: shown once, kept as SHA-256 of 256 random bits, with scopes."""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.core.db import Session
from app.core.errors import InvalidInput, NotAuthorized, NotFound
from app.models import ApiKey
from app.store import access

PREFIX = "mp_"
_NAME = re.compile(r"[\w][\w .:-]{0,79}")


class Scope(StrEnum):
    """What a key may do."""

    READ = "read"
    """See stories, editions and progress."""
    WRITE = "write"
    """Change stories, compose and approve."""
    SEND = "send"
    """Freeze, test, send, pause and resume."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who is calling: the key's id and name."""

    key_id: int
    name: str
    scopes: frozenset[Scope]


async def create_key(session: Session, name: str, scopes: Sequence[str], now: datetime) -> str:
    """Makes a key and gives it, the only time it can be read. Raises InvalidInput."""
    name = name.strip()
    if not _NAME.fullmatch(name):
        raise InvalidInput("A key's name is 1 to 80 letters, digits, spaces, dots, colons or dashes.", "name")
    wanted = [scope for scope in Scope if scope.value in scopes]
    unknown = sorted(set(scopes) - {scope.value for scope in wanted})
    if unknown or not wanted:
        known = ", ".join(Scope)
        raise InvalidInput(f"The scopes are {known}; {', '.join(unknown) or 'none'} was given.", "scopes")
    if await access.find_name(session, name):
        raise InvalidInput(f"There is a key named {name} already.", "name")
    key = PREFIX + secrets.token_urlsafe(32)
    await access.add_key(session, name=name, digest=_digest(key), scopes=[one.value for one in wanted], now=now)
    return key


async def revoke_key(session: Session, name: str, now: datetime) -> None:
    """Ends a key at once. Raises NotFound."""
    if not await access.revoke(session, name, now):
        raise NotFound(f"There is no key named {name} in force.")


async def identify(session: Session, key: str) -> Actor:
    """Who holds `key`. Raises NotAuthorized."""
    found: ApiKey | None = await access.find_digest(session, _digest(key)) if key.startswith(PREFIX) else None
    if found is None:
        raise NotAuthorized("This key is not known, or was revoked.")
    return Actor(found.id, found.name, frozenset(Scope(scope) for scope in found.scopes))


def demand(actor: Actor, scope: Scope) -> None:
    """Raises NotAuthorized where the actor's key lacks `scope`."""
    if scope not in actor.scopes:
        raise NotAuthorized(f"This key may not do that: it lacks the scope {scope.value}.", known=True)


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
