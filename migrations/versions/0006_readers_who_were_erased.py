"""readers who were erased

Revision ID: 0006
Revises: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BEFORE = "status IN ('pending', 'active', 'paused', 'left')"
AFTER = "status IN ('pending', 'active', 'paused', 'left', 'erased')"


def upgrade() -> None:
    with op.batch_alter_table("subscribers") as table:
        table.drop_constraint(op.f("ck_subscribers_status"), type_="check")
        table.create_check_constraint(op.f("ck_subscribers_status"), AFTER)


def downgrade() -> None:
    # The older version knows nobody erased. To it the row without a name is somebody who left, and is never written to.
    op.execute("UPDATE subscribers SET status = 'left' WHERE status = 'erased'")
    with op.batch_alter_table("subscribers") as table:
        table.drop_constraint(op.f("ck_subscribers_status"), type_="check")
        table.create_check_constraint(op.f("ck_subscribers_status"), BEFORE)
