"""`morningpost clock`."""

from pathlib import Path

from app.core.clock import SystemClock
from app.core.db import Database
from app.store import clocks
from tests.cli.typed import typed
from tests.conftest import run


def test_an_operator_confirms_the_clock(database_url: str, tmp_path: Path) -> None:
    """It says which time that is, and leaves a row for every process."""
    answer = typed("clock", "confirm", folder=tmp_path, DATABASE_URL=database_url, SECRET_KEYS="k" * 40)
    assert answer.returncode == 0, answer.stderr
    assert " UTC: every process goes by it" in answer.stdout + answer.stderr

    async def known() -> clocks.Known:
        db = Database(database_url)
        async with db.read() as session:
            found = await clocks.known(session)
        await db.close()
        return found

    found = run(known())
    assert found.confirmed == found.seen == found.hold
    assert found.confirmed is not None
    assert abs((SystemClock().now() - found.confirmed).total_seconds()) < 60
