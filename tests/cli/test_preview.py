"""`morningpost preview`: files to look at, with pictures where the machine can take them."""

import asyncio
import json
import os
import shutil
import subprocess
from pathlib import Path
from unittest import mock

import pytest
from PIL import Image

from app.core.db import Database
from app.models.states import EditionStatus
from app.stages.render import camera
from tests.cli.typed import typed
from tests.stages.render import sample as papers
from tests.web import sample

DAY = sample.TODAY.isoformat()


@pytest.fixture
def folder(tmp_path: Path, sqlite_template: Path) -> Path:
    """A folder whose database holds an edition that is ready."""
    (tmp_path / "var").mkdir()
    path = tmp_path / "var" / "morningpost.db"
    shutil.copy(sqlite_template, path)

    async def print_it() -> None:
        db = Database(f"sqlite:///{path}")
        await sample.publish(db, papers.full(date=sample.TODAY), EditionStatus.READY)
        await db.close()

    asyncio.run(print_it())
    return tmp_path


def preview(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Only what lies in `folder`/bin is on the machine's PATH, beside a shell's own tools."""
    with mock.patch.dict(os.environ, {"PATH": str(folder / "bin")}):
        return typed("preview", "--date", DAY, "--to", "out", *words, folder=folder)


def height_of(picture: Path) -> int:
    with Image.open(picture) as opened:
        return opened.height


def chromium(folder: Path, script: str) -> None:
    (folder / "bin").mkdir()
    path = folder / "bin" / "chromium"
    find = 'for word in "$@"; do case $word in --screenshot=*) picture=${word#--screenshot=};; esac; done\n'
    path.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{find}{script}\n")
    path.chmod(0o755)


def test_it_writes_the_edition_and_says_that_there_are_no_pictures(folder: Path) -> None:
    """Exit code 0: the edition is there. The page carries its own pictures and asks nobody for any."""
    done = preview(folder)
    assert done.returncode == 0, done.stderr
    assert "there is no Chromium on this machine" in done.stderr
    assert done.stdout.split() == [f"out/{DAY}.{suffix}" for suffix in ("html", "txt", "json")]
    html = (folder / "out" / f"{DAY}.html").read_text()
    assert html.count('src="data:image/png;base64,') == 7
    assert html.count("src=") == 7
    assert "[1] https://" in (folder / "out" / f"{DAY}.txt").read_text()
    assert json.loads((folder / "out" / f"{DAY}.json").read_text())["number"] == 214


def test_it_takes_a_picture_of_every_view(folder: Path) -> None:
    """Beside the page, named after the view; `--no-pictures` takes none."""
    page = Image.new("RGB", (390, 300), "white")
    page.putpixel((5, 5), (0, 0, 0))
    page.save(folder / "page.png")
    chromium(folder, f'cp {folder}/page.png "$picture"')
    done = preview(folder)
    pictures = [f"out/{DAY}-{view.name}.png" for view in camera.VIEWS]
    assert (done.returncode, done.stdout.split()[3:]) == (0, pictures), done.stderr
    assert [height_of(folder / one) for one in pictures] == [46] * len(pictures)
    assert len(preview(folder, "--no-pictures").stdout.split()) == 3


def test_a_chromium_that_fails_costs_the_pictures_only(folder: Path) -> None:
    """A sentence, once."""
    chromium(folder, "exit 1")
    done = preview(folder)
    assert (done.returncode, len(done.stdout.split())) == (0, 3)
    assert done.stderr.count("no pictures:") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--weekly",), f"morningpost: A weekly is for a Saturday, and {DAY} is none.\n"),
        (
            ("--weekly", "--date", "2026-11-28"),
            "morningpost: There is no weekly of 2026-11-28 yet: morningpost compose --weekly --date 2026-11-28\n",
        ),
    ],
)
def test_a_weekly_that_there_is_not_is_said_in_a_sentence(folder: Path, words: tuple[str, ...], said: str) -> None:
    """And only what can be composed is proposed."""
    done = preview(folder, *words)
    assert (done.returncode, done.stderr) == (2, said)
    assert not (folder / "out").exists()
