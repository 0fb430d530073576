"""How SQLite finds the rows of outcomes: a wrong plan makes a large edition slower with every reader."""

import pytest
from sqlalchemy import text

from app.core.db import Database
from app.store import outcomes
from tests.conftest import run


@pytest.mark.parametrize("which", [outcomes._IN_HAND, outcomes._LATE], ids=["in hand", "late"])
def test_each_outcome_finds_its_row_by_the_primary_key(sqlite_template: object, which: str) -> None:
    """And the whole edition is not looked through for each group."""

    async def plan() -> list[str]:
        db = Database(f"sqlite:///{sqlite_template}")
        async with db.read() as session:
            rows = await session.execute(
                text(f"EXPLAIN QUERY PLAN {outcomes._STATEMENTS[True, which]}"), {"rows": "[]", "edition": 1}
            )
            found = [row.detail for row in rows]
        await db.close()
        return found

    found = run(plan())
    assert any("(edition_id=? AND subscriber_id=?)" in step for step in found), found
    assert not any(step.endswith("(edition_id=?)") for step in found), found
