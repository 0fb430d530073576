"""a mailbox provider that slows us down is left alone by all workers

Revision ID: 0019
Revises: 0018
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("buckets", sa.Column("barred_until", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("buckets", sa.Column("bars", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("buckets") as table:
        table.drop_column("bars")
        table.drop_column("barred_until")
