"""stories that are gathered, their sources, and how those do

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

STAMP = sa.DateTime(timezone=True)
BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
SECTIONS = "'lead', 'deep_dive', 'opinion', 'tools', 'trending', 'movers', 'weekend'"
KEYED = sa.text("canonical_url <> ''")


def upgrade() -> None:
    op.create_table(
        "sources",
        sa.Column("id", BIG, nullable=False),
        sa.Column("kind", sa.String(24), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("url", sa.String(1000), nullable=False),
        sa.Column("section", sa.String(24), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("created_at", STAMP, nullable=False),
        sa.Column("updated_at", STAMP, nullable=False),
        sa.CheckConstraint("kind IN ('feed', 'arxiv', 'hackernews')", name=op.f("ck_sources_kind")),
        sa.CheckConstraint(f"section IN ({SECTIONS})", name=op.f("ck_sources_section")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sources")),
        sa.UniqueConstraint("url", name=op.f("uq_sources_url")),
    )
    op.create_table(
        "source_health",
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("source_id", BIG, nullable=True),
        sa.Column("asked_at", STAMP, nullable=False),
        sa.Column("succeeded_at", STAMP, nullable=True),
        sa.Column("failed_at", STAMP, nullable=True),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("open_until", STAMP, nullable=True),
        sa.Column("latency_ms", sa.Integer(), nullable=True),
        sa.Column("data_at", STAMP, nullable=True),
        sa.Column("usual_gap", sa.Float(), nullable=True),
        sa.Column("items", sa.Integer(), nullable=True),
        sa.Column("etag", sa.String(400), nullable=False),
        sa.Column("last_modified", sa.String(80), nullable=False),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name=op.f("fk_source_health_source_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_source_health")),
        sa.UniqueConstraint("source_id", name=op.f("uq_source_health_source_id")),
    )
    with op.batch_alter_table("stories") as table:
        table.add_column(sa.Column("status", sa.String(24), nullable=False, server_default="ready"))
        table.add_column(sa.Column("slug", sa.String(120), nullable=True))
        table.add_column(sa.Column("canonical_url", sa.String(1000), nullable=False, server_default=""))
        table.add_column(sa.Column("source_id", BIG, nullable=True))
        table.add_column(sa.Column("summary", sa.String(600), nullable=False, server_default=""))
        table.add_column(sa.Column("weight", sa.Float(), nullable=False, server_default="0"))
        table.add_column(sa.Column("published_at", STAMP, nullable=True))
        table.add_column(sa.Column("found_at", STAMP, nullable=True))
        table.create_check_constraint(op.f("ck_stories_status"), "status IN ('candidate', 'ready', 'dismissed')")
        table.create_foreign_key(
            op.f("fk_stories_source_id"), "sources", ["source_id"], ["id"], ondelete="SET NULL"
        )
        table.create_unique_constraint(op.f("uq_stories_slug"), ["slug"])
        table.create_index(op.f("ix_stories_source_id"), ["source_id"])
        table.create_index(op.f("ix_stories_status_found_at"), ["status", "found_at"])
    op.create_index(
        "uq_stories_canonical_url", "stories", ["canonical_url"], unique=True, sqlite_where=KEYED, postgresql_where=KEYED
    )
    op.create_table(
        "sightings",
        sa.Column("source_id", BIG, nullable=False),
        sa.Column("key", sa.String(1000), nullable=False),
        sa.Column("story_id", BIG, nullable=True),
        sa.Column("url", sa.String(2000), nullable=False),
        sa.Column("discussion", sa.String(300), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("summary", sa.String(600), nullable=False),
        sa.Column("author", sa.String(120), nullable=False),
        sa.Column("points", sa.Integer(), nullable=True),
        sa.Column("comments", sa.Integer(), nullable=True),
        sa.Column("published_at", STAMP, nullable=True),
        sa.Column("found_at", STAMP, nullable=False),
        sa.Column("seen_at", STAMP, nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name=op.f("fk_sightings_source_id"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["story_id"], ["stories.id"], name=op.f("fk_sightings_story_id"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("source_id", "key", name=op.f("pk_sightings")),
    )
    for column in ("key", "story_id", "found_at"):
        op.create_index(op.f(f"ix_sightings_{column}"), "sightings", [column])


def downgrade() -> None:
    op.drop_table("sightings")
    # The older version would print candidates as they are, and knows no other state.
    op.execute("DELETE FROM stories WHERE status <> 'ready'")
    op.drop_index("uq_stories_canonical_url", "stories")
    with op.batch_alter_table("stories") as table:
        table.drop_index(op.f("ix_stories_status_found_at"))
        table.drop_index(op.f("ix_stories_source_id"))
        table.drop_constraint(op.f("uq_stories_slug"), type_="unique")
        table.drop_constraint(op.f("fk_stories_source_id"), type_="foreignkey")
        table.drop_constraint(op.f("ck_stories_status"), type_="check")
        for name in ("found_at", "published_at", "weight", "summary", "source_id", "canonical_url", "slug", "status"):
            table.drop_column(name)
    op.drop_table("source_health")
    op.drop_table("sources")
