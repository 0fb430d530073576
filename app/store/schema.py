"""Questions about the schema itself."""

from sqlalchemy import inspect, text

from app.core.db import Session


async def revision(session: Session) -> str | None:
    """The Alembic revision the database is at; None where it was never migrated."""
    connection = await session.connection()
    if not await connection.run_sync(lambda sync: inspect(sync).has_table("alembic_version")):
        return None
    return (await session.execute(text("SELECT version_num FROM alembic_version"))).scalar_one_or_none()


async def touch(session: Session) -> None:
    """Writes the revision down as it is: a write that changes nothing."""
    await session.execute(text("UPDATE alembic_version SET version_num = version_num"))
