"""The refusal of a change to an edition that somebody else changed first, which says what they changed."""

from app.core.db import Session
from app.core.errors import Stale
from app.models import Edition
from app.models.operations import AuditEntry
from app.store import access, editions

Seen = frozenset[int] | None
"""Versions of an edition, one of which somebody saw that changes it; None where it does not matter which."""

LOOKED_BACK = 100
"""Lines of the audit log that are searched for what was changed, the newest."""


async def demand(session: Session, edition: Edition, seen: Seen) -> None:
    """Raises Stale where `edition` is at none of the versions `seen`."""
    if seen is None or edition.version in seen:
        return
    if not seen:
        state = f"it is {edition.status.value} at version {edition.version} now"
        raise Stale(f"If-Match names no version of the edition of {edition.date}: {state}.")
    raise await stale(session, edition, max(seen))


async def stale(session: Session, edition: Edition, version: int | None = None) -> Stale:
    """What was done to `edition` after `version`, or after the version that it was read at, as an exception to raise.

    The audit log says who edited, held or approved it; what the timetable did is told by the state that it is in.
    """
    seen = edition.version if version is None else version
    now = await editions.get(session, edition.id)
    lines = await access.trail(session, LOOKED_BACK)
    later = [one for one in reversed(lines) if one.noun == "edition" and one.noun_id == edition.id]
    done = [_line(one) for one in later if one.detail.get("version", 0) > seen]
    state = f"it is {now.status.value} at version {now.version} now" if now else "it is gone"
    told = "; ".join([*done, state])
    return Stale(f"The edition of {edition.date} was changed since you looked at version {seen}: {told}.")


def _line(entry: AuditEntry) -> str:
    fields = entry.detail.get("fields")
    return f"{entry.action} by {entry.actor}" + (f" ({', '.join(map(str, fields))})" if fields else "")
