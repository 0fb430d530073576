"""editions are cancelled, and corrected under their number

Revision ID: 0016
Revises: 0015
"""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

BEFORE = "status IN ('draft', 'ready', 'held', 'frozen', 'sending', 'paused', 'sent', 'partially_sent')"
AFTER = "status IN ('draft', 'ready', 'held', 'frozen', 'sending', 'paused', 'sent', 'partially_sent', 'cancelled')"
CORRECTIONS = "(SELECT id FROM editions WHERE revision > 1)"


def upgrade() -> None:
    with op.batch_alter_table("editions") as table:
        table.drop_constraint(op.f("ck_editions_status"), type_="check")
        table.create_check_constraint(op.f("ck_editions_status"), AFTER)
        table.drop_constraint(op.f("uq_editions_number"), type_="unique")
        table.create_unique_constraint(op.f("uq_editions_number_revision"), ["number", "revision"])


def downgrade() -> None:
    # The older version knows no corrections. A batch operation runs without foreign keys on SQLite, so what hangs on
    # them is taken away by name. To it an edition that was cancelled is one that some readers went without.
    for table in ("delivery_notes", "deliveries", "shards", "releases", "variants", "listings"):
        op.execute(f"DELETE FROM {table} WHERE edition_id IN {CORRECTIONS}")
    op.execute(f"UPDATE stories SET edition_id = NULL WHERE edition_id IN {CORRECTIONS}")
    op.execute("DELETE FROM editions WHERE revision > 1")
    op.execute("UPDATE editions SET status = 'partially_sent' WHERE status = 'cancelled'")
    with op.batch_alter_table("editions") as table:
        table.drop_constraint(op.f("uq_editions_number_revision"), type_="unique")
        table.create_unique_constraint(op.f("uq_editions_number"), ["number"])
        table.drop_constraint(op.f("ck_editions_status"), type_="check")
        table.create_check_constraint(op.f("ck_editions_status"), BEFORE)
