"""deliveries are counted as they move

Revision ID: 0013
Revises: 0012
"""

import sqlalchemy as sa
from alembic import op

from app.core.mail.mailboxes import OTHER, group_of

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

COUNTS = (
    "queued",
    "deferred",
    "sending",
    "accepted",
    "rejected_address",
    "rejected_message",
    "rejected_ours",
    "unknown",
    "skipped",
    "expired",
    "repeated",
)
WHERE = {
    "queued": "status = 'queued' AND attempt = 0",
    "deferred": "status = 'queued' AND attempt > 0",
    "rejected_address": "status = 'rejected' AND fault = 'address'",
    "rejected_message": "status = 'rejected' AND fault = 'message'",
    "rejected_ours": "status = 'rejected' AND COALESCE(fault, 'ours') = 'ours'",
    **{name: f"status = '{name}'" for name in ("sending", "accepted", "unknown", "skipped", "expired")},
}


def upgrade() -> None:
    for table in ("subscribers", "deliveries"):
        op.add_column(table, sa.Column("domain_group", sa.String(24), nullable=False, server_default=OTHER))
    op.create_table(
        "delivery_counts",
        sa.Column("edition_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("provider", sa.String(40), nullable=False),
        sa.Column("domain_group", sa.String(24), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in COUNTS),
        sa.PrimaryKeyConstraint("edition_id", "shard", "provider", "domain_group", name=op.f("pk_delivery_counts")),
    )
    op.create_table(
        "delivery_pace",
        sa.Column("edition_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("slice", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("settled", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("edition_id", "shard", "slice", name=op.f("pk_delivery_pace")),
    )
    _group_readers()
    _count_deliveries()


def _group_readers() -> None:
    """Whoever reads already is of a group; what they were mailed before is counted under the same."""
    connection = op.get_bind()
    sqlite = connection.dialect.name == "sqlite"
    domain = "substr(address_key, instr(address_key, '@') + 1)" if sqlite else "split_part(address_key, '@', 2)"
    for (name,) in connection.execute(sa.text(f"SELECT DISTINCT {domain} FROM subscribers")).all():
        if group_of(name) != OTHER:
            connection.execute(
                sa.text(f"UPDATE subscribers SET domain_group = :group WHERE {domain} = :name"),
                {"group": group_of(name), "name": name},
            )
    op.execute(
        "UPDATE deliveries SET domain_group ="
        " (SELECT domain_group FROM subscribers WHERE subscribers.id = deliveries.subscriber_id)"
    )


def _count_deliveries() -> None:
    names = ", ".join(COUNTS)
    sums = ", ".join(f"SUM(CASE WHEN {WHERE[name]} THEN 1 ELSE 0 END)" for name in COUNTS if name in WHERE)
    handed = "CASE WHEN status IN ('sending', 'accepted', 'rejected', 'unknown') THEN COALESCE(provider, '') ELSE '' END"
    op.execute(
        f"INSERT INTO delivery_counts (edition_id, shard, provider, domain_group, {names})"
        f" SELECT edition_id, 0, {handed}, domain_group, {sums}, 0 FROM deliveries GROUP BY 1, 3, 4"
    )
    zeros = ", ".join("0" for name in COUNTS if name != "repeated")
    op.execute(
        f"INSERT INTO delivery_counts (edition_id, shard, provider, domain_group, {names})"
        f" SELECT n.edition_id, 0, '', d.domain_group, {zeros}, COUNT(*) FROM delivery_notes AS n"
        " JOIN deliveries AS d ON d.edition_id = n.edition_id AND d.subscriber_id = n.subscriber_id"
        " WHERE n.outcome = 'repeated' GROUP BY 1, 4"
        " ON CONFLICT (edition_id, shard, provider, domain_group)"
        " DO UPDATE SET repeated = delivery_counts.repeated + excluded.repeated"
    )


def downgrade() -> None:
    op.drop_table("delivery_pace")
    op.drop_table("delivery_counts")
    for table in ("deliveries", "subscribers"):
        with op.batch_alter_table(table) as batch:
            batch.drop_column("domain_group")
