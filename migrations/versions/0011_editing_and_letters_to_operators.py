"""editions are edited, and operators are written to

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql")
STATES = ("queued", "sending", "accepted", "rejected", "unknown", "skipped", "expired")


def upgrade() -> None:
    op.add_column("editions", sa.Column("edits", JSON, nullable=False, server_default="{}"))
    for name in ("version", "holds"):
        op.add_column("editions", sa.Column(name, sa.Integer(), nullable=False, server_default="0"))
    op.create_table(
        "operator_mails",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("topic", sa.String(64), nullable=False),
        sa.Column("address", sa.String(254), nullable=False),
        sa.Column("parameters", JSON, nullable=False),
        sa.Column("ref", sa.String(24), nullable=False),
        sa.Column(
            "status",
            sa.Enum(*STATES, name="status", native_enum=False, create_constraint=True, length=24),
            nullable=False,
        ),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("provider", sa.String(40), nullable=True),
        sa.Column("provider_id", sa.String(200), nullable=True),
        sa.Column("code", sa.String(24), nullable=True),
        sa.Column("why", sa.String(400), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator_mails")),
        sa.UniqueConstraint("ref", name=op.f("uq_operator_mails_ref")),
        sa.UniqueConstraint("topic", "address", name=op.f("uq_operator_mails_topic_address")),
    )
    op.create_index(op.f("ix_operator_mails_status_due_at"), "operator_mails", ["status", "due_at"])


def downgrade() -> None:
    op.drop_table("operator_mails")
    with op.batch_alter_table("editions") as table:
        for name in ("holds", "version", "edits"):
            table.drop_column(name)
