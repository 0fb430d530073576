"""An edition goes out at the command line: sent, followed, paused, tried again, cancelled and corrected."""

import json
import subprocess
import sys
from pathlib import Path

from app.core.db import Database
from tests.conftest import run
from tests.people import add_reader

from .test_commands import ROOT, folder, post
from .typed import typed

__all__ = ["folder"]
STORY = "---\nsection: {section}\nheadline: {headline}\nstandfirst: It stands first.\n---\n\nWords.\n"


def composed(folder: Path, readers: int) -> str:
    """An edition of today with two stories; gives its date."""
    drafts = folder / "drafts"
    drafts.mkdir()
    for section, headline in (("lead", "The lead"), ("tools", "An awl")):
        (drafts / f"{headline}.md").write_text(STORY.format(section=section, headline=headline))
    assert typed("stories", "import", str(drafts), folder=folder).returncode == 0
    assert json.loads(typed("compose", "--json", folder=folder).stdout)["status"] == "ready"

    async def sign_up() -> None:
        db = Database(f"sqlite:///{folder}/var/morningpost.db")
        for index in range(readers):
            await add_reader(db, f"reader{index}@example.org")
        await db.close()

    run(sign_up())
    return str(json.loads(typed("editions", "list", "--json", folder=folder).stdout)[0]["date"])


def test_a_send_is_followed_until_it_has_ended(folder: Path) -> None:
    """With a real worker: exit code 0 where everybody has it, and the counts of it on standard error."""
    date = composed(folder, readers=3)
    worker = subprocess.Popen(
        [sys.executable, "-m", "app", "worker"],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        sent = post("send", "--yes", "--follow", folder=folder)
    finally:
        worker.terminate()
        worker.wait()
    assert (sent.returncode, "sent: accepted 3" in sent.stderr) == (0, True), sent.stderr
    progress = json.loads(typed("editions", "progress", date, "--json", folder=folder).stdout)
    assert (progress["accepted"], progress["providers"]) == (3, {"outbox": {"accepted": 3}})


def test_an_edition_is_stopped_and_corrected(folder: Path) -> None:
    """Each deed says what came of it; who follows a cancelled edition is told so by exit code 1."""
    date = composed(folder, readers=1)
    assert typed("send", "--yes", folder=folder).returncode == 0

    def deed(*words: str) -> dict[str, object]:
        done = typed("editions", words[0], date, *words[1:], "--json", folder=folder)
        assert done.returncode == 0, done.stderr
        return dict(json.loads(done.stdout))

    assert deed("pause")["status"] == "paused"
    assert deed("resume")["status"] == "sending"
    assert deed("retry", "--yes")["total"] == 0
    assert deed("late")["released"] == 0
    cancelled = deed("cancel", "--yes", "--reason", "The lead is wrong")
    assert (cancelled["status"], cancelled["reason"]) == ("cancelled", "The lead is wrong")
    made = deed("correct", "--yes")
    assert (made["revision"], made["status"]) == (2, "ready")
    assert "1 readers were released" in typed("send", "--yes", folder=folder).stderr
    refused = typed("editions", "retry", "2026-11-24", "--yes", folder=folder)
    assert (refused.returncode, "Traceback" in refused.stderr) == (2, False)
