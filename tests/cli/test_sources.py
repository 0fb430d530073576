"""`morningpost sources` and `morningpost stories` as an operator types them, against a real feed."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_commands import folder
from tests.cli.typed import typed
from tests.stages.collect.feed_server import News, Press
from tests.stages.collect.standin import Reply

__all__ = ["folder"]
HERE = {"PRIVATE_SOURCES": "127.0.0.0/8"}


@pytest.fixture
def press() -> Iterator[Press]:
    made = Press()
    yield made
    made.server.close()


def test_from_an_address_to_a_story_that_may_be_printed(folder: Path, press: Press) -> None:
    """Add, check, gather, accept; each says what it did, and the wall holds unless its setting opens it."""
    body = (
        b"<rss version='2.0'><channel><item><title>Kiln runs offline</title>"
        b"<link>https://kiln.example/a</link><description>In a few words.</description></item></channel></rss>"
    )
    url = press.print("/kiln", [])
    press.pages["/kiln"] = Reply(body)
    added = typed("sources", "add", url, "--name", "Kiln", "--section", "opinion", folder=folder)
    assert (added.returncode, added.stderr.strip()) == (0, "Source 1 added: Kiln.")
    refused = typed("sources", "check", "1", folder=folder)
    assert (refused.returncode, "not on the public Internet" in refused.stderr) == (1, True)
    gathered = typed("sources", "gather", "--all", folder=folder, **HERE)
    assert (gathered.returncode, "1 new candidates" in gathered.stderr) == (0, True)
    (found,) = json.loads(typed("stories", "list", "--status", "candidate", "--json", folder=folder).stdout)
    accepted = typed("stories", "accept", str(found["id"]), "--section", "lead", folder=folder)
    assert accepted.stderr.strip() == f"Story {found['id']} is ready for Lead story: Kiln runs offline"
    assert "Kiln runs offline" in typed("stories", "list", folder=folder).stdout


def test_a_source_is_looked_at_switched_off_and_forgotten(folder: Path, press: Press) -> None:
    """And what is not there is said."""
    assert "sources defaults adds those we suggest" in typed("sources", folder=folder).stderr
    typed("sources", "add", press.print("/kiln", []), "--name", "Kiln", folder=folder)
    assert typed("sources", "change", "1", "--off", folder=folder).returncode == 0
    (line,) = json.loads(typed("sources", "list", "--json", folder=folder).stdout)
    assert (line["name"], line["state"], line["last success"]) == ("Kiln", "off", None)
    assert typed("sources", "remove", "1", folder=folder).returncode == 0
    again = typed("stories", "dismiss", "99", folder=folder)
    assert (again.returncode, again.stderr.strip()) == (2, "morningpost: There is no story 99.")


def test_how_a_source_does_is_told_from_well_to_left_alone_and_back(folder: Path, press: Press) -> None:
    """Its breaker in words, what was wrong, how long it took and how new its newest is; those of trends beside it."""
    typed("sources", "add", press.print("/kiln", []), "--name", "Kiln", folder=folder)
    typed("trending", "collect", folder=folder, HUGGINGFACE_URL=press.server.url, GITHUB_URL=press.server.url)
    press.server.fail("/kiln", Reply(b"", 404))

    def checked() -> tuple[dict[str, Any], dict[str, Any]]:
        typed("sources", "check", "1", folder=folder, **HERE)
        kiln, *trends = json.loads(typed("sources", "list", "--json", folder=folder).stdout)
        return kiln, {one["name"]: one["state"] for one in trends}

    for state in ("failed once", "failed 2 times", "left alone until 20"):
        kiln, trends = checked()
        assert kiln["state"].startswith(state)
        assert "404" in kiln["problem"]
        assert trends == {"github": "failed once", "huggingface": "failed once"}
    press.server.heal()
    press.print("/kiln", [News("Kiln runs offline", "https://kiln.example/a")])
    kiln, _ = checked()
    assert (kiln["problem"], kiln["latency ms"] >= 0) == ("", True)
    assert kiln["state"] in ("well", "quiet"), "which of the two is a matter of today's date"
    assert kiln["newest"] == "2026-11-23 10:00Z"


def test_stories_come_from_files(folder: Path) -> None:
    """A bad one is named with its line, the good ones are brought in, and the exit code says that one was bad."""
    drafts = folder / "drafts"
    drafts.mkdir()
    (drafts / "good.md").write_text("---\nsection: tools\nheadline: A tool\n---\nIt does one thing.\n")
    (drafts / "bad.md").write_text("---\nsection: sport\nheadline: A match\n---\nWords.\n")
    tried = typed("stories", "import", "drafts", "--dry-run", "--json", folder=folder)
    assert [one["fate"] for one in json.loads(tried.stdout)] == ["refused", "created"]
    made = typed("stories", "import", "drafts", folder=folder)
    assert made.returncode == 1
    assert "drafts/bad.md: line 2: section:" in made.stderr
    assert "1 created, 1 refused" in made.stderr
    again = typed("stories", "import", "drafts/good.md", folder=folder)
    assert (again.returncode, again.stderr.strip()) == (0, "1 unchanged")
    missing = typed("stories", "import", "nowhere", folder=folder)
    assert (missing.returncode, "There is no file or folder nowhere" in missing.stderr) == (2, True)
