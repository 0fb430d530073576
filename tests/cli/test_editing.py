"""Editions are shown, edited, held and let go at the command line."""

import json
from pathlib import Path

from .test_commands import folder
from .typed import typed

__all__ = ["folder"]
STORY = "---\nsection: {section}\nheadline: {headline}\nstandfirst: It stands first.\n---\n\nWords.\n"


def test_an_edition_by_hand(folder: Path) -> None:
    """What stands in it and why; a change, a hold, a refusal with a sentence and exit code 2."""
    drafts = folder / "drafts"
    drafts.mkdir()
    for section, headline in (("lead", "The lead"), ("tools", "An awl"), ("tools", "A bellows")):
        (drafts / f"{headline}.md").write_text(STORY.format(section=section, headline=headline))
    assert typed("stories", "import", str(drafts), folder=folder).returncode == 0
    held = typed("editions", "show", "2026-11-23", folder=folder)
    assert (held.returncode, "There is no edition of 2026-11-23" in held.stderr) == (2, True)
    day = json.loads(typed("compose", "--json", folder=folder).stdout)
    assert day["status"] == "ready"
    date = json.loads(typed("editions", "list", "--json", folder=folder).stdout)[0]["date"]
    before = json.loads(typed("editions", "show", date, "--json", folder=folder).stdout)
    assert before["pieces"][0]["reason"].startswith("waiting since")
    tools = [one["story_id"] for one in before["pieces"] if one["section"] == "tools"]
    put = f"tools={tools[1]},{tools[0]}"
    edited = json.loads(typed("editions", "edit", date, "--put", put, "--json", folder=folder).stdout)
    assert [one["story_id"] for one in edited["pieces"] if one["section"] == "tools"] == tools[::-1]
    assert edited["version"] == before["version"] + 1
    assert json.loads(typed("editions", "hold", date, "--reason", "A doubt", "--json", folder=folder).stdout)["reason"]
    refused = typed("editions", "edit", date, "--put", "tools=99", folder=folder)
    assert (refused.returncode, "printed already: 99" in refused.stderr) == (2, True), refused.stderr
    assert json.loads(typed("editions", "unhold", date, "--json", folder=folder).stdout)["status"] == "ready"


def test_an_edition_is_linted_by_hand(folder: Path) -> None:
    """Exit code 1 and the place of the error; 0 where there are warnings only, or nothing at all."""
    drafts = folder / "drafts"
    drafts.mkdir()
    for section, headline in (("lead", "Hello {{ name }} and others"), ("tools", "An awl")):
        (drafts / f"{section}.md").write_text(STORY.format(section=section, headline=f'"{headline}"'))

    def composed() -> str:
        typed("stories", "import", str(drafts), folder=folder)
        typed("compose", folder=folder)
        return str(json.loads(typed("editions", "list", "--json", folder=folder).stdout)[0]["date"])

    date = composed()
    wrong = typed("editions", "lint", date, "--json", folder=folder)
    errors = [one for one in json.loads(wrong.stdout) if one["severity"] == "error"]
    assert (wrong.returncode, {one["rule"] for one in errors}) == (1, {"placeholder"})
    told = typed("editions", "lint", date, folder=folder)
    assert (told.returncode, f"{len(errors)} errors, " in told.stderr) == (1, True)
    (drafts / "lead.md").write_text(STORY.format(section="lead", headline="A lead that says what it is about"))
    composed()
    right = typed("editions", "lint", date, "--json", folder=folder)
    assert (right.returncode, {one["severity"] for one in json.loads(right.stdout)} <= {"warning"}) == (0, True)
    nothing = typed("editions", "lint", "2020-01-01", folder=folder)
    assert (nothing.returncode, "There is no edition of 2020-01-01" in nothing.stderr) == (2, True)


def test_a_weekly_by_hand(folder: Path) -> None:
    """`--weekly` names the weekly of a Saturday, wherever a date is asked for."""
    composed = typed("compose", "--weekly", "--date", "2026-11-28", "--force", "--json", folder=folder)
    assert (composed.returncode, json.loads(composed.stdout)["status"]) == (1, "held")
    shown = json.loads(typed("editions", "show", "2026-11-28", "--weekly", "--json", folder=folder).stdout)
    assert (shown["kind"], shown["reason"]) == ("weekly", "Nothing was printed from Monday to Friday.")
    missing = typed("editions", "show", "2026-11-28", folder=folder)
    assert (missing.returncode, "There is no edition of 2026-11-28" in missing.stderr) == (2, True)
    missing = typed("preview", "--weekly", "--date", "2026-11-21", folder=folder)
    assert (missing.returncode, "There is no weekly of 2026-11-21" in missing.stderr) == (2, True)
    refused = typed("compose", "--weekly", "--date", "2026-11-23", "--force", folder=folder)
    assert (refused.returncode, "A weekly is for a Saturday" in refused.stderr) == (2, True)


def test_a_date_that_is_far_away_is_composed_by_force_only(folder: Path) -> None:
    """A slip of the pen would take a number and a place in the archive."""
    refused = typed("compose", "--date", "2091-01-01", folder=folder)
    assert (refused.returncode, "more than 14 days from today" in refused.stderr) == (2, True)
    assert typed("compose", "--date", "2091-01-01", "--force", folder=folder).returncode in (0, 1)
    assert "2091-01-01" in typed("editions", "list", folder=folder).stdout


def test_a_stray_edition_is_deleted_by_hand(folder: Path) -> None:
    """By its date or its id, after a question; it had no number. What was frozen is refused with the reason."""
    drafts = folder / "drafts"
    drafts.mkdir()
    for section, headline in (("lead", "The lead"), ("tools", "An awl")):
        (drafts / f"{headline}.md").write_text(STORY.format(section=section, headline=headline))
    assert typed("stories", "import", str(drafts), folder=folder).returncode == 0
    for date in ("2077-01-01", "2078-01-01"):
        assert typed("compose", "--date", date, "--force", folder=folder).returncode == 0
    day = json.loads(typed("compose", "--json", folder=folder).stdout)
    listed = json.loads(typed("editions", "list", "--json", folder=folder).stdout)
    assert [one["no"] for one in listed] == [1, None, None]
    assert typed("editions", "list", folder=folder).returncode == 0
    asked = typed("editions", "delete", "2077-01-01", folder=folder)
    assert (asked.returncode, "Delete the edition of 2077-01-01 (ready: The lead" in asked.stderr) == (1, True)
    gone = typed("editions", "delete", "2077-01-01", "--yes", "--json", folder=folder)
    assert json.loads(gone.stdout) == {"id": 1, "date": "2077-01-01", "kind": "daily", "deleted": True}
    assert typed("editions", "delete", "2", "--yes", folder=folder).returncode == 0
    assert len(json.loads(typed("editions", "list", "--json", folder=folder).stdout)) == 1
    for words, sentence in (
        (("2077-01-01",), "There is no edition of 2077-01-01."),
        (("2077-01-02", "--weekly"), "There is no weekly of 2077-01-02."),
        (("2",), "There is no edition 2."),
        (("tomorrow",), "'tomorrow' is no date such as 2077-01-01, and no id."),
        (("9" * 30,), f"'{'9' * 30}' is no date such as 2077-01-01, and no id."),
    ):
        refused = typed("editions", "delete", *words, "--yes", folder=folder)
        assert (refused.returncode, refused.stderr.strip()) == (2, f"morningpost: {sentence}")
    assert typed("send", "--yes", folder=folder).returncode == 0
    refused = typed("editions", "delete", str(day["id"]), "--yes", folder=folder)
    assert refused.returncode == 2
    assert "Only an edition that was never frozen can be deleted; one that goes out can be cancelled." in refused.stderr
