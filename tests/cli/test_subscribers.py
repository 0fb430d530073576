"""Moving in and out, as it is typed."""

import csv
import json
import stat
from pathlib import Path

import pytest

from tests.cli.test_commands import folder as folder  # noqa: PLC0414  # a fixture: used by its name
from tests.cli.typed import typed

FILE = (
    "Email,First name,Last name,Data,Status\r\nann@post.example.org,Ann,,,active\r\n"
    "bea@post.example.org,,,,unsubscribed\r\nbroken,,,,active\r\n"
)


@pytest.fixture
def file(folder: Path) -> Path:
    path = folder / "contacts.csv"
    path.write_text(FILE, encoding="utf-8", newline="")
    return path


def test_readers_come_in_and_go_out(folder: Path, file: Path) -> None:
    """A dry run, the import, the export; the bad row lies in a file of its own with its reason."""
    for words, wrote in ((["--dry-run"], 0), ([], 1)):
        done = typed("subscribers", "import", file.name, "--json", *words, folder=folder)
        assert done.returncode == 0, done.stderr
        fates = json.loads(done.stdout)
        assert (fates["recognised as"], fates["added"], fates["left there"], fates["rejected"]) == ("keila", 1, 1, 1)
        out = typed("subscribers", "export", "--format", "jsonl", folder=folder)
        assert out.returncode == 0, out.stderr
        assert len(out.stdout.splitlines()) == wrote
    rejects = folder / "contacts.csv.rejects.csv"
    with rejects.open(encoding="utf-8", newline="") as bad:
        (row,) = csv.DictReader(bad)
    assert row["Email"] == "broken"
    assert row["reason"] == "line 4: That address has no @ in it."
    assert stat.S_IMODE(rejects.stat().st_mode) == 0o600


def test_an_export_to_a_file_is_for_its_owner(folder: Path) -> None:
    """It holds every address there is."""
    done = typed("subscribers", "export", "--to", "all.csv", folder=folder)
    assert done.returncode == 0, done.stderr
    assert (folder / "all.csv").read_text(encoding="utf-8").startswith("address,status,")
    assert stat.S_IMODE((folder / "all.csv").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--no-confirm"], "--basis TEXT"),
        (["--map", "address"], "MEANING=COLUMN"),
        (["--map", "address=Post"], "no column 'Post'"),
        (["--from", "pigeon"], "not 'pigeon'"),
        (["--rejects", "contacts.csv"], "must not be the file"),
    ],
)
def test_what_is_asked_for_wrongly_is_said_in_a_sentence(
    folder: Path, file: Path, words: list[str], sentence: str
) -> None:
    """Exit code 2, and the file is as it was."""
    done = typed("subscribers", "import", file.name, *words, folder=folder)
    assert done.returncode == 2, done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert file.read_text(encoding="utf-8") == FILE.replace("\r\n", "\n")


def test_a_file_that_is_not_there_is_said_in_a_sentence(folder: Path) -> None:
    """By its name."""
    done = typed("subscribers", "import", "gone.csv", folder=folder)
    assert done.returncode == 2
    assert "gone.csv cannot be read" in done.stderr


def test_one_persons_data_is_written_out_and_then_erased(folder: Path, file: Path) -> None:
    """Asked once; the audit log holds a number; a second time there is nobody; the database holds no trace."""
    assert typed("subscribers", "import", file.name, folder=folder).returncode == 0
    done = typed("subscribers", "data", "Ann@post.example.org", folder=folder)
    assert json.loads(done.stdout)["profile"]["first_name"] == "Ann"
    words = ("subscribers", "data", "ann@post.example.org", "--format", "csv", "--to", "a.csv")
    assert typed(*words, folder=folder).stdout == ""
    assert "profile,1,address,ann@post.example.org" in (folder / "a.csv").read_text(encoding="utf-8")
    assert stat.S_IMODE((folder / "a.csv").stat().st_mode) == 0o600
    unsaid = typed("subscribers", "erase", "ann@post.example.org", folder=folder)
    assert unsaid.returncode == 1  # nobody is there to say yes
    erased = typed("subscribers", "erase", "ann@post.example.org", "--yes", folder=folder)
    assert (erased.returncode, erased.stderr) == (0, "Erased.\n")
    for asked in (["erase", "ann@post.example.org", "--yes"], ["data", "ann@post.example.org"]):
        again = typed("subscribers", *asked, folder=folder)
        assert again.returncode == 2
        assert "No reader has that address." in again.stderr
    held = b"".join(path.read_bytes() for path in (folder / "var").glob("morningpost.db*"))
    assert b"ann@post" not in held
    assert b"command line" in held
