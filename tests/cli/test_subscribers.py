"""Moving in and out, as it is typed."""

import csv
import json
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_commands import folder as folder  # noqa: PLC0414  # a fixture: used by its name
from tests.cli.typed import typed

DECLARED = ("--no-confirm", "--basis", "Double opt-in at our old site")
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


def imported(folder: Path, content: str | bytes, *words: str, name: str = "list.csv") -> tuple[dict[str, Any], str]:
    """A dry run with a declared basis: the figures, and what was said beside them."""
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    done = typed("subscribers", "import", name, *DECLARED, "--dry-run", "--json", *words, folder=folder)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def refused(folder: Path, content: str, *words: str) -> str:
    """What is said where an import does not begin. Nothing is in the database then, nor in a reject file."""
    (folder / "list.csv").write_text(content, encoding="utf-8")
    done = typed("subscribers", "import", "list.csv", *DECLARED, *words, folder=folder)
    assert done.returncode == 2, done.stdout
    assert typed("subscribers", "export", "--format", "jsonl", folder=folder).stdout == ""
    return done.stderr


def test_whoever_left_stays_out_and_what_is_unclear_is_asked(folder: Path) -> None:
    """By flags of any name; a column that is not understood stops the import until it is answered."""
    content = (
        "email,unsubscribed,bounced\na@post.example.org,true,no\nb@post.example.org,false,no\nc@post.example.org,,yes\n"
    )
    figures, _ = imported(folder, content)
    assert (figures["added"], figures["left there"], figures["bounced there"]) == (1, 1, 1)
    unclear = "email,City,mystery\na@post.example.org,Austin,yes\nb@post.example.org,Reno,no\n"
    said = refused(folder, unclear)
    assert "Not read: 'City', such as Austin, Reno" in said
    assert "mystery (yes, no)" in said
    assert "--map ignored=mystery" in said
    assert imported(folder, unclear, "--map", "wants=mystery")[0]["left there"] == 1
    assert imported(folder, unclear, "--map", "ignored=mystery")[0]["added"] == 2
    words = "email,status\na@post.example.org,gold\nb@post.example.org,\n"
    assert "--value gold=reader" in refused(folder, words)
    assert imported(folder, words, "--value", "gold=reader", "--value", "=left")[0]["left there"] == 1
    assert imported(folder, words, "--map", "status=")[0]["added"] == 2


def test_every_line_is_accounted_for(folder: Path) -> None:
    """Taken, merged, or refused with its line and reason; the sums are printed and agree."""
    content = (
        'sep=;\nemail;name\na@post.example.org;"A\nB"\nb@post.example.org;"Ben\n\nc@post.example.org;C;;\n'
        "A@post.example.org;A\n;;\nbroken;X\n"
    )
    figures, said = imported(folder, content)
    assert (figures["added"], figures["repeated in the file"], figures["rejected"]) == (2, 1, 2)
    assert (figures["rows"], figures["lines"]) == (5, 10)
    assert "5 rows = 2 added + 1 repeated in the file + 2 rejected." in said
    assert "10 lines = 2 of header + 2 blank + 6 of rows." in said
    with (folder / "list.csv.rejects.csv").open(encoding="utf-8", newline="") as bad:
        reasons = [row["reason"] for row in csv.DictReader(bad)]
    assert reasons == [
        "line 5: a quotation mark is opened in this line and never closed",
        "line 8: an earlier row has the same address",
        "line 10: That address has no @ in it.",
    ]


def test_no_row_is_refused_for_what_is_not_needed(folder: Path) -> None:
    """Places, customers, streets, dates; a date of two readings is asked about once."""
    header = "Name;Address;City;State;Type;E-Mail;created_at\n"
    rows = "A;1 High St;Austin;TX;customer;a@post.example.org;31.12.2023 14:05\nB;;;;lead;b@post.example.org;soon\n"
    figures, said = imported(folder, (header + rows).encode("utf-16"))
    assert (figures["added"], figures["created unread"]) == (2, 1)
    assert "Read as UTF-16, separated by semicolons" in said
    unclear = "email,created_at\na@post.example.org,03/04/2024 2:05 PM\nb@post.example.org,05/06/2024 2:05 PM\n"
    assert refused(folder, unclear).count("--dates day-first") == 1
    assert imported(folder, unclear, "--dates", "month-first")[0]["added"] == 2


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_an_export_comes_home_on_another_machine(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, form: str
) -> None:
    """What is written out there is what was written out here, but for the line that the import adds to the record."""
    (folder / "list.csv").write_text("email,first_name\na@post.example.org,Ada\nb@post.example.org,=Ben\n")
    assert typed("subscribers", "import", "list.csv", *DECLARED, folder=folder).returncode == 0
    with sqlite3.connect(folder / "var" / "morningpost.db") as database:
        database.execute(
            "UPDATE subscribers SET minute = 435, sections = 5, frequency = 'weekly', form = 'text', language = 'de',"
            " zone = 'Europe/Berlin', status = 'paused', paused_until = '2031-01-10' WHERE address LIKE 'a%'"
        )
    database.close()
    there = tmp_path_factory.mktemp("there")
    assert typed("migrate", folder=there).returncode == 0
    exported = f"readers.{form}"
    assert typed("subscribers", "export", "--format", form, "--to", exported, folder=folder).returncode == 0
    done = typed("subscribers", "import", str(folder / exported), *DECLARED, "--json", folder=there)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["recognised as"] == "morningpost"
    before, after = (
        [
            json.loads(line)
            for line in typed("subscribers", "export", "--format", "jsonl", folder=at).stdout.splitlines()
        ]
        for at in (folder, there)
    )
    for old, new in zip(before, after, strict=True):
        acts = json.loads(new.pop("consents"))
        assert acts[:-1] == json.loads(old.pop("consents"))
        assert acts[-1]["source"] == "morningpost"
        assert new == old
    assert (before[0]["status"], before[0]["deliver_at"], before[0]["paused_until"]) == (
        "paused",
        "07:15",
        "2031-01-10",
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--no-confirm"], "--basis TEXT"),
        (["--map", "address"], "MEANING=COLUMN"),
        (["--map", "address=Post"], "no column 'Post'"),
        (["--from", "pigeon"], "not 'pigeon'"),
        (["--value", "gold"], "WORD=STANDING"),
        (["--map", "address="], "no column of addresses"),
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
