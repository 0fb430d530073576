"""`.env.example` is the settings: the same names, the same defaults, a sentence each."""

from pathlib import Path

import pytest
from dotenv import dotenv_values

from app.core.settings import PREFIX, Settings

EXAMPLE = Path(__file__).parents[2] / ".env.example"
LINES = EXAMPLE.read_text(encoding="utf-8").splitlines()
NAMES = [PREFIX + name.upper() for name in Settings.model_fields]


def test_every_setting_stands_in_it_once_and_nothing_else() -> None:
    """In any order."""
    listed = [line.partition("=")[0] for line in LINES if line and not line.startswith("#")]
    assert sorted(listed) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_is_explained_in_the_line_above(name: str) -> None:
    """One sentence, with a full stop."""
    index = next(index for index, line in enumerate(LINES) if line.startswith(name + "="))
    assert LINES[index - 1].startswith("# ")
    assert not LINES[index - 1].startswith("# ---")
    assert LINES[index - 1].endswith(".")


def test_every_value_in_it_is_the_default() -> None:
    """Copying the file changes nothing."""
    copied = Settings(_env_file=EXAMPLE)
    plain = Settings(_env_file=None)
    assert copied == plain
    empty = {name for name, value in dotenv_values(EXAMPLE).items() if not value}
    falsy = {name for name in NAMES if not _text(getattr(plain, name.removeprefix(PREFIX).lower()))}
    assert empty == falsy


def _text(value: object) -> object:
    return value.get_secret_value() if hasattr(value, "get_secret_value") else value
