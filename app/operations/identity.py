"""Refuses to run on a database that another SUPPRESSION_KEY began: its hashes would match nobody any more."""

from app.core.db import Database
from app.core.errors import ConfigurationError
from app.core.signing import Suppressor
from app.store import suppressions


async def demand_same_key(db: Database, suppressor: Suppressor) -> None:
    """Remembers the first key's fingerprint. Raises ConfigurationError for a key that is not the first."""
    async with db.read() as session:
        known = await suppressions.key(session)
    if known is None:
        async with db.write() as session:
            known = await suppressions.begin_key(session, suppressor.fingerprint)
    if known != suppressor.fingerprint:
        raise ConfigurationError(
            "MORNINGPOST_SUPPRESSION_KEY is not the one this database was begun with; with another, people who must "
            "not be written to would no longer be recognised. Put the first one back"
        )
