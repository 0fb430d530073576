"""what readers choose, and whom not to write to

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

JSON = sa.JSON(none_as_null=True).with_variant(
    postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), "postgresql"
)
BEFORE = "status IN ('pending', 'active', 'left')"
AFTER = "status IN ('pending', 'active', 'paused', 'left')"


def upgrade() -> None:
    with op.batch_alter_table("subscribers") as table:
        table.add_column(sa.Column("first_name", sa.String(80), nullable=False, server_default=""))
        table.add_column(sa.Column("sections", sa.Integer(), nullable=False, server_default="63"))
        table.add_column(sa.Column("frequency", sa.String(24), nullable=False, server_default="daily"))
        table.add_column(sa.Column("form", sa.String(24), nullable=False, server_default="html"))
        table.add_column(sa.Column("language", sa.String(12), nullable=False, server_default=""))
        table.add_column(sa.Column("paused_until", sa.Date(), nullable=True))
        table.drop_constraint(op.f("ck_subscribers_status"), type_="check")
        table.create_check_constraint(op.f("ck_subscribers_status"), AFTER)
        table.create_check_constraint(
            op.f("ck_subscribers_frequency"), "frequency IN ('daily', 'weekdays', 'weekly')"
        )
        table.create_check_constraint(op.f("ck_subscribers_form"), "form IN ('html', 'text')")
    with op.batch_alter_table("consents") as table:
        table.add_column(sa.Column("placement", sa.String(40), nullable=True))
        table.add_column(sa.Column("utm", JSON, nullable=False, server_default="{}"))
        table.create_index(op.f("ix_consents_placement"), ["placement"])
    op.create_table(
        "suppressions",
        sa.Column("hash", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(24), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_suppressions")),
    )
    op.create_table(
        "placements",
        sa.Column("code", sa.String(40), nullable=False),
        sa.Column("label", sa.String(120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_placements")),
    )
    op.create_table(
        "instance",
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("value", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_instance")),
    )


def downgrade() -> None:
    op.drop_table("instance")
    op.drop_table("placements")
    op.drop_table("suppressions")
    with op.batch_alter_table("consents") as table:
        table.drop_index(op.f("ix_consents_placement"))
        table.drop_column("utm")
        table.drop_column("placement")
    # Whoever rests would be lost to the older version, which knows no rest: they are active again.
    op.execute("UPDATE subscribers SET status = 'active' WHERE status = 'paused'")
    with op.batch_alter_table("subscribers") as table:
        table.drop_constraint(op.f("ck_subscribers_form"), type_="check")
        table.drop_constraint(op.f("ck_subscribers_frequency"), type_="check")
        table.drop_constraint(op.f("ck_subscribers_status"), type_="check")
        table.create_check_constraint(op.f("ck_subscribers_status"), BEFORE)
        for name in ("paused_until", "language", "form", "frequency", "sections", "first_name"):
            table.drop_column(name)
