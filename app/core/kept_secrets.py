"""Secrets for development: made once, and kept in files that only their owner can read."""

import os
import secrets
from pathlib import Path


def kept_secret(path: Path) -> str:
    """What `path` holds; where there is no such file, it is made. Raises OSError."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_once(path, secrets.token_urlsafe(48) + "\n")
    return path.read_text().strip()


def _write_once(path: Path, text: str) -> None:
    """Makes `path` with all of `text` at once; where another process was first, its file stays."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
