"""letters to an address other than the reader's own

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("transactional_emails") as table:
        table.add_column(sa.Column("recipient", sa.String(320), nullable=True))


def downgrade() -> None:
    # The older version would send a letter for one address to another.
    op.execute("DELETE FROM transactional_emails WHERE recipient IS NOT NULL")
    with op.batch_alter_table("transactional_emails") as table:
        table.drop_column("recipient")
