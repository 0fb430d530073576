"""What an operator types, and what others wrote, cannot do to a command or a terminal."""

import json
from pathlib import Path

import pytest

from app.cli import terminal
from tests.cli.test_commands import folder
from tests.cli.typed import typed

__all__ = ["folder"]

TOO_LARGE = str(2**63)


@pytest.mark.parametrize(
    "words",
    [
        ("stories", "accept", TOO_LARGE), ("stories", "dismiss", "1", TOO_LARGE), ("sources", "remove", TOO_LARGE),
        ("editions", "edit", "2026-11-23", "--remove", TOO_LARGE),
        ("editions", "edit", "2026-11-23", "--restore", TOO_LARGE),
        ("editions", "edit", "2026-11-23", "--put", f"tools={TOO_LARGE}"),
        ("editions", "edit", "2026-11-23", "--put", f"tools={'9' * 5000}"),
    ],
)  # fmt: skip
def test_numbers_that_no_row_can_have_are_refused(folder: Path, words: tuple[str, ...]) -> None:
    """With exit code 2 and a sentence."""
    done = typed(*words, folder=folder)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("bad", ["\x1b[31mred", "a\x9b0m", "two\u2028lines", "a\x07", "a\nb", "bytes \udcff"])
@pytest.mark.parametrize(
    "words",
    [
        ("editions", "cancel", "2026-11-23", "--yes", "--reason"), ("editions", "hold", "2026-11-23", "--reason"),
        ("editions", "edit", "2026-11-23", "--subject"), ("editions", "edit", "2026-11-23", "--preheader"),
        ("keys", "create"), ("subscribers", "placements", "create", "spring"),
        ("sources", "add", "https://example.org/f", "--name"),
        ("sources", "add"), ("keys", "revoke"), ("providers", "check"), ("trending", "allow"),
    ],
)  # fmt: skip
def test_control_characters_are_refused_in_words(folder: Path, words: tuple[str, ...], bad: str) -> None:
    """In every text that an operator gives; nothing of them is printed as it is."""
    done = typed(*words, bad, folder=folder)
    assert done.returncode == 2, done.stdout
    assert "Usage:" not in done.stderr
    if "\n" not in bad:
        assert "has control characters in it, or is not UTF-8" in done.stderr
    assert not any(sign in done.stdout + done.stderr for sign in "\x1b\x9b\u2028\x07\udcff")
    assert "Traceback" not in done.stderr


def test_what_others_wrote_does_nothing_to_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    """In tables, lines, sentences and JSON; markup and names of emoji stay as they were written."""
    wrote = "a\x1b[31m\x9b0m\u2028\ud800 [bold]b[/bold] :warning: 東京"
    terminal.show([{"name": wrote}], as_json=False, empty="")
    terminal.show_one({"name": wrote}, as_json=False)
    terminal.say(wrote)
    terminal.complain(wrote)
    told = capsys.readouterr()
    for lines in (told.out, told.err):
        assert lines.count("[bold]b[/bold] :warning: 東京") == 2
        assert not any(sign in lines for sign in "\x1b\x9b\u2028\ud800")


def test_json_means_what_was_written(capsys: pytest.CaptureFixture[str]) -> None:
    """Escaped for a terminal, and the same once it is read."""
    wrote = 'a\x1b\x7f\x9b\u2028\ud800 [bold] :warning: 東京 "q"'
    terminal.show([{"name": wrote}], as_json=True, empty="")
    told = capsys.readouterr().out
    assert not any(sign in told for sign in "\x1b\x7f\x9b\u2028\ud800")
    assert "東京" in told
    assert json.loads(told) == [{"name": wrote}]
