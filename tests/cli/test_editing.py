"""Editions are shown, edited, held and let go at the command line."""

import json
from pathlib import Path

from .test_commands import folder, post

__all__ = ["folder"]
STORY = "---\nsection: {section}\nheadline: {headline}\nstandfirst: It stands first.\n---\n\nWords.\n"


def test_an_edition_by_hand(folder: Path) -> None:
    """What stands in it and why; a change, a hold, a refusal with a sentence and exit code 2."""
    drafts = folder / "drafts"
    drafts.mkdir()
    for section, headline in (("lead", "The lead"), ("tools", "An awl"), ("tools", "A bellows")):
        (drafts / f"{headline}.md").write_text(STORY.format(section=section, headline=headline))
    assert post("stories", "import", str(drafts), folder=folder).returncode == 0
    held = post("editions", "show", "2026-11-23", folder=folder)
    assert (held.returncode, "There is no edition of 2026-11-23" in held.stderr) == (2, True)
    day = json.loads(post("compose", "--json", folder=folder).stdout)
    assert day["status"] == "ready"
    date = json.loads(post("editions", "list", "--json", folder=folder).stdout)[0]["date"]
    shown = post("editions", "show", date, folder=folder)
    assert "waiting since" in shown.stdout
    before = json.loads(post("editions", "show", date, "--json", folder=folder).stdout)
    tools = [one["story_id"] for one in before["pieces"] if one["section"] == "tools"]
    put = f"tools={tools[1]},{tools[0]}"
    edited = json.loads(post("editions", "edit", date, "--put", put, "--json", folder=folder).stdout)
    assert [one["story_id"] for one in edited["pieces"] if one["section"] == "tools"] == tools[::-1]
    assert edited["version"] == before["version"] + 1
    assert json.loads(post("editions", "hold", date, "--reason", "A doubt", "--json", folder=folder).stdout)["reason"]
    for words in (("--put", "tools"), ("--put", "tools=99"), ("--subject", "x" * 121)):
        refused = post("editions", "edit", date, *words, folder=folder)
        assert (refused.returncode, "Traceback" in refused.stderr) == (2, False), refused.stderr
    assert json.loads(post("editions", "unhold", date, "--json", folder=folder).stdout)["status"] == "ready"
