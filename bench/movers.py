"""How long the week's movers take for 2,000 repositories with a year of daily stars each.

`python -m bench.movers` makes series up, of the shape that real ones have: steady growth, bursts, un-stars, holes,
glitches, a purge, names that change. `--data FOLDER` reads `stars-wide-last30days.csv` of that folder instead
(`repo,language,<day>,<day>,…`, empty where it was not counted) and prints the chart and the movers of its last day.
"""

import argparse
import csv
import random
import sys
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from app.models.counts import Point, Row, Snapshot, TrendKind, TrendSource
from app.stages.collect.measure import Counted, Facts
from app.stages.collect.movers import movers
from app.stages.collect.ranking import Chart, by_gain
from bench.measure import Measurement

THINGS, DAYS = 2_000, 365
BUDGET = 2.0
_LAST = datetime(2026, 11, 23, 5, 40, tzinfo=UTC)
_DAY = timedelta(days=1)


def measure() -> list[Measurement]:
    """The best of three runs, in seconds."""
    things = made_up(THINGS, DAYS)
    took = min(_timed(things, _LAST)[0] for _ in range(3))
    return [Measurement(f"movers of {THINGS:,} repositories with a year of stars", took, "s", BUDGET)]


def made_up(count: int, days: int) -> Sequence[Counted]:
    """The same series in every run."""
    chance = random.Random(11)  # noqa: S311  # not a secret
    return [_series(chance, n, days) for n in range(count)]


def read(folder: Path) -> tuple[Sequence[Counted], datetime]:
    """The series of a wide table of stars, and the instant of its last day."""
    with (folder / "stars-wide-last30days.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    days = [datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC) for day in header[2:]]
    found = []
    for name, _, *counts in rows:
        points = [Point(at, int(count)) for at, count in zip(days, counts, strict=True) if count]
        if points:
            found.append(Counted(_row(name, points[-1].count), points))
    return found, days[-1]


def _series(chance: random.Random, n: int, days: int) -> Counted:
    total, pace = chance.randrange(500, 90_000), chance.expovariate(1 / 25)
    age = days if chance.random() < 0.9 else chance.randrange(3, days)
    burst = chance.randrange(age) if chance.random() < 0.2 else -1
    points = []
    for back in range(age, -1, -1):
        at = _LAST - back * _DAY + timedelta(minutes=chance.randrange(-20, 20) if back else 0)
        lift = chance.uniform(5, 60) if burst - 5 <= back <= burst else 1
        total = max(0, total + round(chance.gauss(pace * lift, 1 + pace * 0.3)) - (chance.random() < 0.05) * 3)
        if chance.random() < 0.0003:
            total -= total // 50  # a purge
        if back and chance.random() < 0.03:
            continue  # not counted that day
        shown = round(total * chance.uniform(0.9, 1.1)) if back and chance.random() < 0.002 else total
        points.append(Point(at, shown, round(total * 0.12)))
    born = _LAST - age * _DAY - _DAY if age < days else _LAST - timedelta(days=2_000)
    row = _row(f"owner{n % 1_700}/tool{n}", points[-1].count, n)
    return Counted(Row(external_id=row.external_id, name=row.name, url=row.url, count=row.count,
                       forks=points[-1].forks, created_at=born), points)  # fmt: skip


def _row(name: str, count: int, number: int | None = None) -> Row:
    key = name if number is None else str(number)
    return Row(external_id=key, name=name, url=f"https://github.com/{name}", count=count)


def _timed(things: Sequence[Counted], at: datetime) -> tuple[float, Chart, Sequence[Row]]:
    began = time.perf_counter()
    chart = by_gain(things, Facts(at))
    since = None if chart.compared else at.date()
    snapshot = Snapshot(TrendSource.GITHUB, TrendKind.REPOSITORY, at.date(), at, True, chart.rows, since)
    rows, _ = movers([snapshot], chart.cooled)
    return time.perf_counter() - began, chart, rows


def _told(row: Row) -> str:
    place = f"{row.was or '-'} to {row.rank or '-'}"
    ratio = f"{((row.gained or 0) + 10) / (row.usual + 10):.1f} usual weeks" if row.usual is not None else ""
    return f"  {place:>12}  {row.name:45} +{row.gained or 0:,}  {ratio}  {row.remark}".rstrip()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--data", type=Path, help="a folder that holds stars-wide-last30days.csv")
    folder = parser.parse_args().data
    things, at = read(folder) if folder else (made_up(THINGS, DAYS), _LAST)
    took, chart, rows = min((_timed(things, at) for _ in range(3)), key=lambda one: one[0])
    counted = sum(len(one.points) for one in things)
    print(f"{len(things):,} repositories, {counted:,} counts: {took:.2f} s (budget {BUDGET:.0f} s)")  # noqa: T201
    if folder:
        held = [row for row in chart.rows if row.held or row.remark]
        for title, several in (("chart", chart.rows[:10]), ("movers", rows[:10]), ("remarks", held[:10])):
            print(f"{title}:", *(_told(row) for row in several), sep="\n")  # noqa: T201
    return 0 if took <= BUDGET else 1


if __name__ == "__main__":
    sys.exit(main())
