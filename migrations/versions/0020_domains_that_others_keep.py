"""whose servers take the mail of a domain is kept, and asked again after a month

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "mail_domains",
        sa.Column("domain", sa.String(255), nullable=False),
        sa.Column("domain_group", sa.String(24), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("domain", name=op.f("pk_mail_domains")),
    )


def downgrade() -> None:
    op.drop_table("mail_domains")
