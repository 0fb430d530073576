"""`morningpost trending` as an editor uses it: count, look, allow and block."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli.trending import group
from app.core.clock import SystemClock
from tests.cli.test_commands import folder
from tests.cli.typed import typed
from tests.stages.collect.servers import both
from tests.stages.collect.standin import StandIn
from tests.stages.collect.world import small_world

__all__ = ["folder"]

NINE = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    """The week of a chart ends with the hour it is asked in, so the hour is always the same."""
    monkeypatch.setattr(SystemClock, "now", lambda _: NINE)
    with both(small_world(NINE.date()), lambda: NINE) as one:
        yield one


def listed(folder: Path, *words: str) -> dict[str, dict[str, Any]]:
    done = typed("trending", "list", "--json", *words, folder=folder)
    assert done.returncode == 0, done.stderr
    return {row["name"]: row for row in json.loads(done.stdout)}


def test_an_editor_counts_looks_allows_and_blocks(folder: Path, server: StandIn) -> None:
    """A ruling takes hold at the next count: the blocked one is held with its reason, and the others close the gap."""
    urls = {"HUGGINGFACE_URL": server.url, "GITHUB_URL": server.url, "GITHUB_TOKEN": "ghp_x"}

    def collect() -> None:
        done = typed("trending", "collect", folder=folder, **urls)
        assert (done.returncode, done.stderr) == (0, "Counted: 14 rows at Hugging Face, 6 rows at GitHub\n")

    assert "Nothing was counted" in typed("trending", "list", folder=folder).stderr
    collect()
    collect()
    assert listed(folder, "--held") == {}
    assert listed(folder, "--chart", "repository")["gristmill/grist"]["basis"] == "history"
    done = typed("trending", "block", "GristMill/grist", folder=folder)
    assert done.stderr == "gristmill/grist will be on no chart, from the next count on: morningpost trending collect\n"
    collect()
    held = listed(folder, "--held", "--chart", "repository")
    assert [(row["place"], row["held"], row["remark"]) for row in held.values()] == [
        (None, True, "blocked by an editor")
    ]
    table = typed("trending", "list", "--chart", "repository", folder=folder).stdout
    assert "2 → 1" in table
    assert "blocked by" in table
    (ruling,) = json.loads(typed("trending", "rulings", "--json", folder=folder).stdout)
    assert ruling == {"ref": "github:repository:101", "name": "gristmill/grist", "ruling": "block"}
    assert typed("trending", "clear", ruling["ref"], folder=folder).returncode == 0
    assert "Nothing is allowed or blocked." in typed("trending", "rulings", folder=folder).stderr
    collect()
    assert listed(folder, "--held") == {}


def test_what_was_never_counted_or_is_not_one_thing_cannot_be_ruled_on(folder: Path, server: StandIn) -> None:
    """A sentence says so, and names what there is to choose from."""
    typed("trending", "collect", folder=folder, HUGGINGFACE_URL=server.url, GITHUB_URL=server.url)
    done = typed("trending", "allow", "nobody/nothing", folder=folder)
    assert (done.returncode, "was ever counted" in done.stderr) == (2, True)
    done = typed("trending", "block", "fernbank/frond-tts", folder=folder)
    assert done.returncode == 2
    assert "huggingface:model:" in done.stderr
    assert "huggingface:space:" in done.stderr


def test_the_charts_of_any_day_are_shown(folder: Path, server: StandIn) -> None:
    """By its date; a day without any is said to have none."""
    typed("trending", "collect", folder=folder, HUGGINGFACE_URL=server.url, GITHUB_URL=server.url)
    today = f"{SystemClock().now():%Y-%m-%d}"
    shown = listed(folder, "--chart", "repository", "--day", today)
    assert {row["as of"][:10] for row in shown.values()} == {today}
    done = typed("trending", "list", "--day", "2020-01-01", folder=folder)
    assert (done.returncode, done.stderr) == (0, "Nothing was counted on 2020-01-01.\n")


@pytest.mark.parametrize("wrong", [("--chart", "gossip"), ("--day", "23.11.2026"), ("--rows", "0")])
def test_a_malformed_question_is_refused(wrong: tuple[str, str]) -> None:
    """Exit code 2 and the option's name, not an empty table."""
    done = CliRunner().invoke(group, ["list", *wrong])
    assert (done.exit_code, wrong[0] in done.output) == (2, True)
