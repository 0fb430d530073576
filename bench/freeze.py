"""How long the freeze of a full edition takes, on SQLite, and how large its HTML is.

The stories are the bundled ones; the charts are as long as charts get.
"""

import statistics
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.cli import demo_stories
from app.core.db import Database
from app.core.publication import Publication
from app.core.settings import Settings
from app.models.counts import Basis, Row, Snapshot, TrendKind, TrendSource
from app.models.states import EditionStatus
from app.operations import migrations
from app.stages.compose import draft
from app.stages.render import freeze
from app.store import editions, trends
from bench.measure import Measurement

MORNINGS = 5
BEGIN = datetime(2026, 11, 23, 5, 30, tzinfo=UTC)
CHARTS = (
    (TrendSource.HUGGINGFACE, TrendKind.MODEL),
    (TrendSource.HUGGINGFACE, TrendKind.DATASET),
    (TrendSource.HUGGINGFACE, TrendKind.MOVERS),
    (TrendSource.GITHUB, TrendKind.REPOSITORY),
    (TrendSource.GITHUB, TrendKind.MOVERS),
)


async def measure() -> list[Measurement]:
    """The median of several mornings, the first one left out: it compiles the templates."""
    with tempfile.TemporaryDirectory(prefix="morningpost-bench-") as folder:
        url = f"sqlite:///{Path(folder)}/bench.db"
        await migrations.upgrade(url)
        db = Database(url)
        try:
            publication = Settings(_env_file=None).publication
            mornings = [await _morning(db, publication, BEGIN + timedelta(days=n)) for n in range(MORNINGS + 1)]
        finally:
            await db.close()
    seconds, sizes = zip(*mornings[1:], strict=True)
    return [
        Measurement("freeze and render a full edition", statistics.median(seconds) * 1000, "ms", 400),
        Measurement("HTML of a full edition", max(sizes) / 1000, "kB", 90),
    ]


async def _morning(db: Database, publication: Publication, now: datetime) -> tuple[float, int]:
    """Seconds that the freeze took, and bytes of HTML."""
    await demo_stories.load(db, now)
    async with db.write() as session:
        for source, kind in CHARTS:
            await trends.save(session, _chart(source, kind, now))
    composed = await draft.compose(db, now.date(), now)
    assert composed.status is EditionStatus.READY, composed.reason
    began = time.perf_counter()
    await freeze.freeze(db, composed.edition_id, publication, now)
    took = time.perf_counter() - began
    async with db.read() as session:
        bodies = await editions.bodies(session, composed.edition_id)
    assert bodies is not None
    return took, len(bodies[0].encode())


def _chart(source: TrendSource, kind: TrendKind, now: datetime) -> Snapshot:
    rows = tuple(_row(source, kind, rank) for rank in range(1, 31))
    return Snapshot(source, kind, now.date(), now, complete=True, rows=rows)


def _row(source: TrendSource, kind: TrendKind, rank: int) -> Row:
    name = f"an-organisation-{rank}/a-{kind.value}-with-a-long-name-{rank}"
    return Row(
        external_id=f"{kind.value}-{rank}",
        name=name,
        url=f"https://{source.value}.example.org/{name}",
        detail="text generation, apache-2.0, and a few words more on what it is good for",
        count=90_000 - 1_000 * rank,
        rank=rank,
        was=None if rank % 7 == 0 else rank + 9,
        new=rank % 7 == 0,
        gained=9_000 - 100 * rank,
        basis=Basis.COUNTED,
        usual=1_200.0,
        score=float(100 - rank),
        variants=rank % 4,
        spark=tuple(100 + 13 * (day * rank % 17) for day in range(14)),
    )
