"""links that were looked up

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "link_checks",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("verdict", sa.String(24), nullable=False),
        sa.Column("detail", sa.String(200), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "verdict IN ('works', 'gone', 'private', 'silent')", name=op.f("ck_link_checks_verdict")
        ),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_link_checks")),
    )
    op.create_index(op.f("ix_link_checks_checked_at"), "link_checks", ["checked_at"])


def downgrade() -> None:
    op.drop_table("link_checks")
