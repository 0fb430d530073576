"""The outbox: whole mails in a Maildir, or none."""

import asyncio
import errno
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from app.core.errors import ConfigurationError
from app.core.mail.receipt import Accepted, Deferred, Scope
from app.providers import maildir
from app.providers.outbox import OutboxProvider
from tests.providers.mails import Stream, assert_is_mail, mail, mails


@pytest.fixture
def outbox(tmp_path: Path) -> OutboxProvider:
    return OutboxProvider("outbox", tmp_path / "var" / "outbox")


def files(outbox: OutboxProvider, place: str) -> list[Path]:
    return sorted((outbox.folder / place).iterdir())


async def test_each_mail_is_a_file_in_new(outbox: OutboxProvider) -> None:
    """Its bytes are the ones that SMTP would carry; the receipt names the file."""
    stream = Stream(mails(250))
    await outbox.drain(stream)
    stream.assert_all_accepted(250)
    assert len(files(outbox, "new")) == 250
    assert files(outbox, "tmp") == []
    for key, receipt in stream.receipts.items():
        assert isinstance(receipt, Accepted)
        assert receipt.id.endswith(".eml")
        assert_is_mail((outbox.folder / "new" / receipt.id).read_bytes(), key)


async def test_the_same_mail_twice_is_two_files(outbox: OutboxProvider) -> None:
    """A repeat must be seen, not hidden."""
    for _ in range(2):
        await outbox.drain(Stream([mail(1)]))
    assert len(files(outbox, "new")) == 2


async def test_nobody_else_may_read_it(outbox: OutboxProvider) -> None:
    """Mails hold addresses and links that act for a reader."""
    await outbox.drain(Stream(mails(1)))
    assert (outbox.folder / "new").stat().st_mode & 0o077 == 0
    assert files(outbox, "new")[0].stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("call", ["open", "fsync", "rename"])
async def test_a_disk_that_refuses_defers_and_leaves_nothing(
    outbox: OutboxProvider, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    """Full in the middle of a batch: all of it is owed again, no half of a mail lies about, and the drain ends."""
    await outbox.drain(Stream([mail(999)]))
    calls = 0
    real: Any = Path.rename if call == "rename" else getattr(os, call)

    def full(*args: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 5:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*args)

    monkeypatch.setattr(Path if call == "rename" else os, call, full)
    stream = Stream(mails(250))
    await outbox.drain(stream)
    monkeypatch.undo()
    assert len(stream.receipts) == 100
    assert not stream.out
    for receipt in stream.receipts.values():
        assert isinstance(receipt, Deferred)
        assert receipt.scope is Scope.PROVIDER
        assert "No space left" in receipt.why
    assert len(files(outbox, "new")) == 1
    assert files(outbox, "tmp") == []


async def test_a_folder_that_cannot_be_made_defers(tmp_path: Path) -> None:
    """And `check` says so in a sentence."""
    (tmp_path / "var").write_text("a file where a folder should be")
    outbox = OutboxProvider("outbox", tmp_path / "var" / "outbox")
    stream = Stream(mails(3))
    await outbox.drain(stream)
    assert set(stream.kinds.values()) == {"Deferred"}
    with pytest.raises(ConfigurationError, match="cannot be written"):
        await outbox.check()


async def test_check_leaves_no_trace(outbox: OutboxProvider) -> None:
    """The probe is written as a mail would be, and removed."""
    await outbox.check()
    assert [len(files(outbox, place)) for place in maildir.FOLDERS] == [0, 0, 0]


async def test_a_cancelled_batch_is_settled_as_it_ended(
    outbox: OutboxProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread cannot be called back: what it wrote is accepted, though the task was cancelled, even twice."""
    begun, go_on = threading.Event(), threading.Event()
    real = maildir.deliver

    def slow(*args: Any) -> Any:
        begun.set()
        assert go_on.wait(10)
        return real(*args)

    monkeypatch.setattr(maildir, "deliver", slow)
    stream = Stream(mails(250))
    task = asyncio.create_task(outbox.drain(stream))
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.sleep(0.01)
    assert not task.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(stream.kinds.values()) == ["Accepted"] * 100
    assert not stream.out
    assert len(files(outbox, "new")) == 100
