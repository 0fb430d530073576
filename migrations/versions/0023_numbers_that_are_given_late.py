"""an edition that was never frozen may have no number, and no id of an edition is given twice

Revision ID: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

NUMBERED = "status IN ('draft','ready','held') OR number IS NOT NULL"


def upgrade() -> None:
    # The id of a deleted edition stays its own in the audit log and in letters: SQLite gives it again otherwise.
    with op.batch_alter_table("editions", recreate="auto", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.alter_column("number", existing_type=sa.Integer(), nullable=True)
        table.create_check_constraint(op.f("ck_editions_numbered"), NUMBERED)


def downgrade() -> None:
    editions = sa.table("editions", sa.column("id", sa.BigInteger()), sa.column("number", sa.Integer()))
    connection = op.get_bind()
    last = connection.scalar(sa.select(sa.func.max(editions.c.number))) or 0
    without = connection.scalars(sa.select(editions.c.id).where(editions.c.number.is_(None)).order_by(editions.c.id))
    for number, edition in enumerate(without.all(), last + 1):
        connection.execute(sa.update(editions).where(editions.c.id == edition).values(number=number))
    with op.batch_alter_table("editions") as table:
        table.drop_constraint(op.f("ck_editions_numbered"), type_="check")
        table.alter_column("number", existing_type=sa.Integer(), nullable=False)
