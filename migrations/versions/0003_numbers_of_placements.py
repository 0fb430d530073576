"""numbers of placements outlive their people

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("gone_asked", "gone_confirmed"):
        op.add_column("placements", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("placements") as table:
        for name in ("gone_confirmed", "gone_asked"):
            table.drop_column(name)
