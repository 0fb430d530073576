"""The stored content of an edition: what an earlier version wrote can still be read."""

from datetime import UTC, datetime

from app.models.content import Chart, ChartRow, Mover, Movers

AT = datetime(2026, 11, 23, 5, 40, tzinfo=UTC)
CHART = {
    "key": "github-repositories", "title": "GitHub repositories", "unit": "stars", "as_of": AT.isoformat(),
    "stale": False,
    "rows": [{"rank": 1, "name": "a/b", "url": "https://github.com/a/b", "detail": "", "variants": 0, "move": "up",
              "places": 2, "gained": 900, "approximate": False, "total": 1_200}],
}  # fmt: skip
MOVERS = {
    "as_of": AT.isoformat(), "measuring_since": None, "new": [],
    "rows": [{"name": "a/b", "url": "https://github.com/a/b", "site": "GitHub", "unit": "stars", "was": 4, "now": 2,
              "gained": 900, "approximate": False, "multiple": 8.5, "new": False}],
}  # fmt: skip


def test_rows_stored_before_the_paper_had_a_memory_are_read_as_knowing_nothing_of_it() -> None:
    """No sparkline, no days on the chart, never listed, no reason why."""
    rows: list[ChartRow | Mover] = [Chart.model_validate(CHART).rows[0], Movers.model_validate(MOVERS).rows[0]]
    for row in rows:
        assert (row.ref, row.spark, row.reentry, row.days_on_chart) == ("", None, False, None)
        assert (row.listed, row.listed_since, row.why, row.why_url, row.renamed_from) == (0, None, "", "", "")
        assert row.basis is None
    movers = Movers.model_validate(MOVERS)
    assert (movers.stale, movers.cooled) == (False, ())
