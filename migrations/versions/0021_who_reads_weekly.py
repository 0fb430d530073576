"""whether anybody reads weekly is found without looking through all readers

Revision ID: 0021
Revises: 0020
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

WEEKLY = sa.text("frequency = 'weekly'")


def upgrade() -> None:
    op.create_index(
        "ix_subscribers_weekly", "subscribers", ["status"], sqlite_where=WEEKLY, postgresql_where=WEEKLY
    )


def downgrade() -> None:
    op.drop_index("ix_subscribers_weekly", "subscribers")
