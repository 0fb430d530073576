"""weekly editions

Revision ID: 0012
Revises: 0011
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

KINDS = "kind IN ('daily', 'weekly')"
OLD_KINDS = "kind IN ('daily')"
WEEKLIES = "(SELECT id FROM editions WHERE kind = 'weekly')"


def upgrade() -> None:
    with op.batch_alter_table("editions") as table:
        table.drop_constraint(op.f("ck_editions_kind"), type_="check")
        table.create_check_constraint(op.f("ck_editions_kind"), KINDS)


def downgrade() -> None:
    # A batch operation runs without foreign keys on SQLite, so what hangs on a weekly is taken away by name.
    for table in ("delivery_notes", "deliveries", "shards", "releases", "variants", "listings"):
        op.execute(f"DELETE FROM {table} WHERE edition_id IN {WEEKLIES}")
    op.execute(f"UPDATE stories SET edition_id = NULL WHERE edition_id IN {WEEKLIES}")
    op.execute("DELETE FROM editions WHERE kind = 'weekly'")
    with op.batch_alter_table("editions") as table:
        table.drop_constraint(op.f("ck_editions_kind"), type_="check")
        table.create_check_constraint(op.f("ck_editions_kind"), OLD_KINDS)
