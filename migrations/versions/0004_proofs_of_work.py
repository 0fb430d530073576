"""proofs of work that were used

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "spent_proofs",
        sa.Column("nonce", sa.String(64), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("nonce", name=op.f("pk_spent_proofs")),
    )
    op.create_index(op.f("ix_spent_proofs_until"), "spent_proofs", ["until"])


def downgrade() -> None:
    op.drop_table("spent_proofs")
