"""what is known of each way out; which mail may go by no other

Revision ID: 0017
Revises: 0016
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "provider_states",
        sa.Column("provider", sa.String(40), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("open_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ours", sa.Boolean(), nullable=False),
        sa.Column("code", sa.String(24), nullable=False),
        sa.Column("why", sa.String(400), nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("provider", name=op.f("pk_provider_states")),
    )
    op.add_column("deliveries", sa.Column("pinned", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute("UPDATE deliveries SET pinned = (status = 'unknown') WHERE status = 'unknown'")


def downgrade() -> None:
    op.drop_column("deliveries", "pinned")
    op.drop_table("provider_states")
