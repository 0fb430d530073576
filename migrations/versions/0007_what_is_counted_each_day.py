"""what is counted each day, and what the paper listed

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SOURCES = "source IN ('huggingface', 'github')"
KINDS = "kind IN ('model', 'dataset', 'space', 'paper', 'repository', 'movers')"
OLD_KINDS = "kind IN ('model', 'dataset', 'repository', 'movers')"
ITEM_COLUMNS = ("kind", "downloads", "confirmed", "held", "remark", "spark")


def upgrade() -> None:
    # Movers are computed from the other charts, and did not say of which kind each row is: the next count makes them anew.
    op.execute(
        "DELETE FROM trend_items WHERE snapshot_id IN (SELECT id FROM trend_snapshots WHERE kind = 'movers')"
    )
    op.execute("DELETE FROM trend_snapshots WHERE kind = 'movers'")
    with op.batch_alter_table("trend_snapshots") as table:
        table.drop_constraint(op.f("ck_trend_snapshots_kind"), type_="check")
        table.create_check_constraint(op.f("ck_trend_snapshots_kind"), KINDS)
    with op.batch_alter_table("trend_items") as table:
        table.add_column(sa.Column("kind", sa.String(24), nullable=True))
        table.add_column(sa.Column("downloads", sa.Integer(), nullable=True))
        table.add_column(sa.Column("confirmed", sa.Boolean(), nullable=True))
        table.add_column(sa.Column("held", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("remark", sa.String(200), nullable=False, server_default=""))
        table.add_column(sa.Column("spark", sa.String(160), nullable=True))
        table.create_check_constraint(op.f("ck_trend_items_kind"), KINDS)
    with op.batch_alter_table("trend_items") as table:
        table.alter_column("held", existing_type=sa.Boolean(), existing_nullable=False, server_default=None)
        table.alter_column("remark", existing_type=sa.String(200), existing_nullable=False, server_default=None)
    _things()
    _lists()
    _carry_over()


def downgrade() -> None:
    for table in ("listings", "trend_asks", "trend_notes", "trend_counts", "trend_things"):
        op.drop_table(table)
    op.execute(
        "DELETE FROM trend_items WHERE snapshot_id IN"
        " (SELECT id FROM trend_snapshots WHERE kind IN ('space', 'paper', 'movers'))"
    )
    op.execute("DELETE FROM trend_snapshots WHERE kind IN ('space', 'paper', 'movers')")
    with op.batch_alter_table("trend_items") as table:
        table.drop_constraint(op.f("ck_trend_items_kind"), type_="check")
        for name in ITEM_COLUMNS:
            table.drop_column(name)
    with op.batch_alter_table("trend_snapshots") as table:
        table.drop_constraint(op.f("ck_trend_snapshots_kind"), type_="check")
        table.create_check_constraint(op.f("ck_trend_snapshots_kind"), OLD_KINDS)


def _things() -> None:
    op.create_table(
        "trend_things",
        sa.Column("id", ID, nullable=False),
        sa.Column("source", sa.String(24), nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("external_id", sa.String(64), nullable=False),
        sa.Column("node_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("url", sa.String(300), nullable=False),
        sa.Column("detail", sa.String(200), nullable=False),
        sa.Column("link", sa.String(200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("first_day", sa.Date(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("ruling", sa.String(24), nullable=True),
        sa.CheckConstraint(SOURCES, name=op.f("ck_trend_things_source")),
        sa.CheckConstraint(KINDS, name=op.f("ck_trend_things_kind")),
        sa.CheckConstraint("ruling IN ('allow', 'block')", name=op.f("ck_trend_things_ruling")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trend_things")),
        sa.UniqueConstraint(
            "source", "kind", "external_id", name=op.f("uq_trend_things_source_kind_external_id")
        ),
    )
    op.create_index(op.f("ix_trend_things_link"), "trend_things", ["link"])
    op.create_table(
        "trend_counts",
        sa.Column("thing_id", ID, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("minute", sa.SmallInteger(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("forks", sa.Integer(), nullable=True),
        sa.Column("told", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["thing_id"], ["trend_things.id"], name=op.f("fk_trend_counts_thing_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("thing_id", "day", name=op.f("pk_trend_counts")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "trend_notes",
        sa.Column("thing_id", ID, nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("url", sa.String(300), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('release')", name=op.f("ck_trend_notes_kind")),
        sa.ForeignKeyConstraint(
            ["thing_id"], ["trend_things.id"], name=op.f("fk_trend_notes_thing_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("thing_id", "kind", name=op.f("pk_trend_notes")),
    )


def _lists() -> None:
    op.create_table(
        "trend_asks",
        sa.Column("source", sa.String(24), nullable=False),
        sa.Column("subject", sa.String(120), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("whole_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(SOURCES, name=op.f("ck_trend_asks_source")),
        sa.PrimaryKeyConstraint("source", "subject", name=op.f("pk_trend_asks")),
    )
    op.create_table(
        "listings",
        sa.Column("edition_id", ID, nullable=False),
        sa.Column("ref", sa.String(100), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=True),
        sa.Column("printed", sa.Boolean(), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.ForeignKeyConstraint(
            ["edition_id"], ["editions.id"], name=op.f("fk_listings_edition_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("edition_id", "ref", name=op.f("pk_listings")),
    )
    op.create_index(op.f("ix_listings_ref"), "listings", ["ref"])


def _carry_over() -> None:
    """Everything counted so far, into the table of counts."""
    sqlite = op.get_bind().dialect.name == "sqlite"
    day = "CAST(julianday(s.day) - 2440587.5 AS INTEGER)" if sqlite else "s.day - DATE '1970-01-01'"
    minute = (
        "CAST(strftime('%H', s.captured_at) AS INTEGER) * 60 + CAST(strftime('%M', s.captured_at) AS INTEGER)"
        if sqlite
        else "CAST(EXTRACT(HOUR FROM s.captured_at AT TIME ZONE 'UTC') * 60"
        " + EXTRACT(MINUTE FROM s.captured_at AT TIME ZONE 'UTC') AS INTEGER)"
    )
    op.execute(
        "INSERT INTO trend_things"
        " (source, kind, external_id, node_id, name, url, detail, link, created_at, first_day, last_day)"
        " SELECT s.source, s.kind, i.external_id, '', i.name, i.url, i.detail, '', i.created_at, span.first_day, s.day"
        " FROM trend_items AS i JOIN trend_snapshots AS s ON s.id = i.snapshot_id"
        " JOIN (SELECT s.source, s.kind, i.external_id, MIN(s.day) AS first_day, MAX(s.day) AS last_day"
        "  FROM trend_items AS i JOIN trend_snapshots AS s ON s.id = i.snapshot_id"
        "  GROUP BY s.source, s.kind, i.external_id) AS span"
        " ON span.source = s.source AND span.kind = s.kind AND span.external_id = i.external_id"
        " AND span.last_day = s.day"
    )
    op.execute(
        "INSERT INTO trend_counts (thing_id, day, minute, count, forks, told)"
        f" SELECT t.id, {day}, {minute}, i.count, i.forks, {'0' if sqlite else 'FALSE'}"
        " FROM trend_items AS i JOIN trend_snapshots AS s ON s.id = i.snapshot_id"
        " JOIN trend_things AS t ON t.source = s.source AND t.kind = s.kind AND t.external_id = i.external_id"
    )
