"""Pictures that mails show, by the hash of their bytes. They stay as long as mails do: nobody prunes them."""

from collections.abc import Mapping

from sqlalchemy import select

from app.core.db import Session
from app.models import Picture
from app.store.upsert import insert_ignoring


async def keep(session: Session, pictures: Mapping[str, bytes]) -> None:
    """Writes pictures down by their names; one that is kept already is the same, and stays."""
    if pictures:
        rows = [{"name": name, "png": png} for name, png in sorted(pictures.items())]
        await session.execute(insert_ignoring(session, Picture).values(rows))


async def find(session: Session, name: str) -> bytes | None:
    """The bytes of a PNG; None for a name that nothing was kept under."""
    return await session.scalar(select(Picture.png).where(Picture.name == name))
