"""what is used of a provider's rate and day is shared by all workers

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "buckets",
        sa.Column("provider", sa.String(40), nullable=False),
        sa.Column("domain_group", sa.String(40), nullable=False),
        sa.Column("full_at", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("provider", "domain_group", name=op.f("pk_buckets")),
    )


def downgrade() -> None:
    op.drop_table("buckets")
