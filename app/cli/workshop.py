"""Opens the service for one command: settings, log, container, closed again at the end."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TextIO, TypeVar

from app.bootstrap import Container, build
from app.cli.terminal import complain
from app.core import log
from app.core.db import async_url
from app.core.errors import ConfigurationError, InvalidInput
from app.core.private_files import tighten, warn_of_readable
from app.core.settings import VAR, Settings, load_settings, unknown_settings
from app.operations import identity, migrations, shared_settings

T = TypeVar("T")


def settings_and_log(level: str = "INFO") -> Settings:
    """Reads the settings and sets the log up. Raises ConfigurationError."""
    settings = load_settings()
    form = settings.log_format if settings.log_format != "auto" else ("json" if settings.production else "console")
    log.configure(form, level)
    for sentence in unknown_settings():  # in production they end the start
        complain(sentence)
    url = async_url(settings.database_url)
    sqlite = url.get_backend_name() == "sqlite" and url.database
    tighten(VAR, Path(str(url.database)) if sqlite else None)
    warn_of_readable([Path(".env")])
    return settings


def run(work: Callable[[Container], Awaitable[T]], *, level: str = "WARNING", any_settings: bool = False) -> T:
    """Runs `work` with a container on a migrated database.

    `any_settings`: also where the settings are not those that all processes share.
    """
    settings = settings_and_log(level)

    async def inside() -> T:
        container = build(settings)
        try:
            await demand_migrated(container, any_settings=any_settings, service=False)
            return await work(container)
        finally:
            await container.close()

    return asyncio.run(inside())


def private_file(path: Path) -> TextIO:
    """A new file for its owner's eyes only, in the place of an old one. Raises InvalidInput where it cannot be made."""
    try:
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        return path.open("w", encoding="utf-8", errors="backslashreplace", newline="")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}.", "file") from None


async def demand_migrated(container: Container, *, any_settings: bool = False, service: bool = True) -> None:
    """Raises ConfigurationError where the tables are not this version's, were begun under another SUPPRESSION_KEY, or,
    unless `any_settings`, where other settings are written down for all processes. The first `service` writes them, and
    makes the tables of an empty database.

    Then the clock is read for the first time.
    """
    await migrations.demand_usable(container.db)
    if service:
        await migrations.make_tables(container.db, container.settings.database_url)
    if not await migrations.current(container.db):
        raise ConfigurationError("the database is not at this version's tables; run: morningpost migrate")
    await identity.demand_same_key(container.db, container.suppressor)
    await container.watch.start()
    if not any_settings:
        await shared_settings.demand_same(container.db, container.settings, container.clock.now(), first=service)
