"""What the nightly tidying takes of the figures: what is older than 400 days, and nothing else."""

from datetime import timedelta

from app.core.db import Database
from app.operations import housekeeping
from app.store import trends
from tests.store import test_counts as counted
from tests.store import test_trends as captured

DAYS = timedelta(days=1)


async def test_figures_are_kept_for_400_days(db: Database) -> None:
    """Captures and counts alike; a second time it takes nothing more."""
    for days in (0, 400, 401):
        await counted.record(db, counted.row("7", 1_000 - days), at=counted.AT - days * DAYS)
        await captured.save(db, captured.capture(captured.row("7"), day=captured.DAY - days * DAYS))
    for _ in range(2):
        await housekeeping.tidy(db, counted.AT)
        assert [point.count for point in (await counted.series(db))["7"]] == [600, 1_000]
        kept = [(await captured.of_day(db, captured.DAY - days * DAYS)).rows for days in (0, 400)]
        assert [len(rows) for rows in kept] == [1, 1]
    async with db.read() as session:
        assert not await trends.of_day(session, captured.GITHUB, captured.DAY - 401 * DAYS)
