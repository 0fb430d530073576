"""Notes of what was written, as whoever takes a lease over reads them."""

import os
from multiprocessing import get_context
from pathlib import Path

import pytest

from app.stages.send import journal
from app.stages.send.journal import Journal

HERE = get_context("forkserver")


def in_another(folder: Path, owner: str, *notes: tuple[int, int], more: bytes = b"") -> None:
    """A worker that notes what it writes under one lease, and is killed."""
    process = HERE.Process(target=_write, args=(folder, owner, notes, more))
    process.start()
    process.join(20)
    assert process.exitcode == 9


def _write(folder: Path, owner: str, notes: tuple[tuple[int, int], ...], more: bytes) -> None:
    made = Journal(folder, owner)
    kept = made.begin("7-1-1")
    for key, attempt in notes:
        kept.written(key, attempt)
    os.write(kept._descriptor, more)
    os._exit(9)


def test_the_dead_tell_what_they_wrote(tmp_path: Path) -> None:
    """Key and attempt; a note that was cut off was of a mail that was not written yet."""
    in_another(tmp_path, "host:1:ab", (3, 1), (4, 2), more=b"\x05\0\0")
    assert Journal(tmp_path, "host:2:cd").left("host:1:ab", "7-1-1") == frozenset({(3, 1), (4, 2)})


def test_who_wrote_nothing_says_so(tmp_path: Path) -> None:
    in_another(tmp_path, "host:1:ab")
    assert Journal(tmp_path, "host:2:cd").left("host:1:ab", "7-1-1") == frozenset()


def test_nothing_is_known_of_the_living_of_other_leases_and_of_strangers(tmp_path: Path) -> None:
    """One that was stopped may go on; a lease without notes was another's; another machine has no folder."""
    alive = Journal(tmp_path, "host:1:ab")
    alive.begin("7-1-1").written(3, 1)
    reader = Journal(tmp_path, "host:2:cd")
    assert reader.left("host:1:ab", "7-1-1") is None
    assert reader.left("elsewhere:1:ab", "7-1-1") is None
    in_another(tmp_path, "host:3:ef", (3, 1))
    assert reader.left("host:3:ef", "7-1-2") is None
    assert Journal().left("host:3:ef", "7-1-1") is None


def test_notes_of_an_earlier_start_of_the_machine_prove_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was in the system's memory only went with it."""
    in_another(tmp_path, "host:1:ab", (3, 1))
    boot = tmp_path / "boot_id"
    boot.write_text("another\n")
    monkeypatch.setattr(journal, "_BOOT", boot)
    assert Journal(tmp_path, "host:2:cd").left("host:1:ab", "7-1-1") is None
    monkeypatch.setattr(journal, "_BOOT", tmp_path / "missing")
    made = Journal(tmp_path, "host:2:cd")
    made.begin("7-1-1").written(1, 1)
    assert made.left("host:1:ab", "7-1-1") is None
    assert not (tmp_path / "host:2:cd").exists()


@pytest.mark.parametrize("how", ["error", "short"])
def test_what_cannot_be_noted_takes_the_notes_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """They would say that the mail was not written."""
    notes = Journal(tmp_path, "host:1:ab").begin("7-1-1")
    notes.written(1, 1)
    real = os.write

    def full(descriptor: int, octets: bytes) -> int:
        if how == "error":
            raise OSError(28, "No space left on device")
        return real(descriptor, octets[:5])

    monkeypatch.setattr(os, "write", full)
    notes.written(2, 1)
    assert not (tmp_path / "host:1:ab" / "7-1-1").exists()
    notes.written(3, 1)  # and goes on


def test_a_folder_that_cannot_be_made_costs_only_the_notes(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    made = Journal(tmp_path / "file", "host:1:ab")
    made.begin("7-1-1").written(1, 1)
    made.begin("7-2-1").written(1, 1)
    made.close()


def test_notes_go_with_the_lease_and_the_folder_with_the_worker(tmp_path: Path) -> None:
    made = Journal(tmp_path, "host:1:ab")
    notes, kept = made.begin("7-1-1"), made.begin("7-2-1")
    notes.written(1, 1)
    kept.written(1, 1)
    notes.remove()
    kept.close()
    made.close()
    assert [one.name for one in sorted((tmp_path / "host:1:ab").iterdir())] == ["7-2-1", "lock"]
    assert Journal(tmp_path, "host:2:cd").left("host:1:ab", "7-2-1") == frozenset({(1, 1)})
    other = Journal(tmp_path, "host:3:ef")
    other.begin("7-1-1").remove()
    other.close()
    assert not (tmp_path / "host:3:ef").exists()


def test_what_died_long_ago_is_tidied_away(tmp_path: Path) -> None:
    """The living keep theirs however old they are."""
    in_another(tmp_path, "host:1:ab", (3, 1))
    alive = Journal(tmp_path, "host:2:cd")
    alive.begin("7-1-1")
    alive.tidy()
    assert len(list(tmp_path.iterdir())) == 2
    for one in tmp_path.iterdir():
        os.utime(one, (0, 0))
    Journal(tmp_path, "host:3:ef").tidy()
    assert [one.name for one in tmp_path.iterdir()] == ["host:2:cd"]
