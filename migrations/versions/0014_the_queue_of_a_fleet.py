"""the queue of a fleet

Procrastinate's own schema, from the installed library's files: on PostgreSQL only. A later version of it
gets a revision of its own, which runs the files after `LAST`.

Revision ID: 0014
Revises: 0013
"""

from pathlib import Path

from alembic import op
from procrastinate.schema import SchemaManager

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

LAST = "03.04.00_50_post_add_retry_failed_job_procedure.sql"

DROP = """
DO $$
DECLARE found text;
BEGIN
    FOR found IN SELECT oid::regclass::text FROM pg_class
        WHERE relkind = 'r' AND relname LIKE 'procrastinate\\_%' AND relnamespace = current_schema()::regnamespace
    LOOP EXECUTE 'DROP TABLE ' || found || ' CASCADE'; END LOOP;
    FOR found IN SELECT oid::regprocedure::text FROM pg_proc
        WHERE proname LIKE 'procrastinate\\_%' AND pronamespace = current_schema()::regnamespace
    LOOP EXECUTE 'DROP FUNCTION ' || found || ' CASCADE'; END LOOP;
    FOR found IN SELECT oid::regtype::text FROM pg_type
        WHERE typtype IN ('e', 'c') AND typname LIKE 'procrastinate\\_%'
        AND typnamespace = current_schema()::regnamespace
    LOOP EXECUTE 'DROP TYPE ' || found || ' CASCADE'; END LOOP;
END $$
"""


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    # Some files use a value that an earlier one added to an enumeration, which PostgreSQL before 17 allows only once that
    # is committed. So each is a transaction of its own; what an earlier try left is dropped first, and after a failure.
    with op.get_context().autocommit_block():
        connection = op.get_bind()
        connection.exec_driver_sql(DROP.replace("%", "%%"))
        try:
            for path in sorted(Path(SchemaManager.get_migrations_path()).glob("*.sql")):
                if path.name <= LAST:
                    connection.exec_driver_sql(path.read_text().replace("%", "%%"))
        except Exception:
            connection.exec_driver_sql(DROP.replace("%", "%%"))
            raise


def downgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(DROP.replace("%", "%%"))
