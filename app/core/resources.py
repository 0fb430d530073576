"""Finds the files that travel with the code: mail templates and migrations.

In a checkout they lie at the top level; in an installed wheel they lie in `app/_resources`.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent


def folder(name: str) -> Path:
    """The folder `emails` or `migrations`. Raises FileNotFoundError where neither place has it."""
    for place in (_PACKAGE / "_resources" / name, _PACKAGE.parent / name):
        if place.is_dir():
            return place
    raise FileNotFoundError(f"the folder {name}/ is missing from this installation")
