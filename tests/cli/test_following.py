"""An edition that goes out, as who follows it is told: what is waited for, until when, how to leave."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.bootstrap import Container, build
from app.cli import following
from app.core.clock import FixedClock
from app.core.db import Database
from app.core.mail.message import Message
from app.core.mail.receipt import Accepted, Deferred, Receipt, Unknown
from app.core.settings import load_settings
from app.models.states import EditionStatus
from app.stages.send import control, release
from app.store import editions, workers
from tests.conftest import run
from tests.people import NOON, add_edition, add_readers, minutes
from tests.stages.send.scripted import Scripted
from tests.stages.send.test_shard import Desk
from tests.stages.send.test_shard import settings as desk_settings

from .test_commands import ROOT, folder
from .test_sending import composed
from .typed import typed

__all__ = ["folder"]
LEAVE = "Ctrl-C leaves; the send goes on."
QUIET = "nothing is handed over, for no worker runs; start one: morningpost worker"
STUCK = "nothing is handed over at present, though a worker runs; see its log, and: morningpost providers list"


class Followed:
    """An edition of three readers that somebody follows while `desk` hands it over."""

    def __init__(self, container: Container, desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
        self.container, self.desk, self._capsys = container, desk, capsys
        self.following: asyncio.Task[EditionStatus] | None = None
        self.said = ""

    async def hears(self, *sentences: str) -> None:
        """Waits until all of them were said on standard error."""
        if self.following is None:
            self.following = asyncio.create_task(following.follow(self.container, self.desk.edition.id))
        for _ in range(500):
            await asyncio.sleep(0.01)
            self.said += self._capsys.readouterr().err
            if all(sentence in self.said for sentence in sentences):
                return
        raise AssertionError(self.said)

    async def live(self) -> None:
        async with self.container.db.write() as session:
            await workers.sign(session, "a worker", 0)

    async def ends(self) -> EditionStatus:
        assert self.following is not None
        made = await release.try_end(
            self.desk.db, self.desk.edition, self.container.settings, self.desk.clock.now(), expire=False
        )
        status = await asyncio.wait_for(self.following, 10)
        self.said += self._capsys.readouterr().err
        assert status is made
        return status


@pytest.fixture
async def follows(
    database_url: str,
    clock: FixedClock,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Callable[..., "asyncio.Future[Followed]"]]:
    """Makes a `Followed`, under settings."""
    monkeypatch.setattr(following, "EVERY", 0.01)
    made: list[Followed] = []

    async def make(**more: object) -> Followed:
        settings = load_settings(
            database_url=database_url,
            secret_keys="a-key-for-tests-that-is-long-enough-to-sign",
            timezone="Europe/London",
            **more,
        )
        container = build(settings, clock)
        await add_readers(container.db, 3)
        desk = Desk(container.db, await add_edition(container.db), desk_settings(tmp_path, **more))
        desk.clock = clock
        assert await release.send_now(container.db, desk.edition.id, desk.settings, NOON) == 3
        made.append(Followed(container, desk, capsys))
        return made[-1]

    yield make  # type: ignore[misc]  # a coroutine function
    for one in made:
        if one.following is not None:
            one.following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await one.following
        await one.container.close()


Follows = Callable[..., "asyncio.Future[Followed]"]


def first_tries(**answers: Receipt) -> Scripted:
    """Answers the first try of reader N with `rN`, and accepts everything else."""

    def answer(message: Message) -> Receipt:
        return answers.get(f"r{message.key}", Accepted()) if message.attempt == 1 else Accepted()

    return Scripted(answer)


async def test_deferred_mail_is_waited_for_by_the_clock(follows: Follows) -> None:
    """How many, until when, and once; a worker that lives is not asked after."""
    followed = await follows()
    await followed.live()
    await followed.desk.send(first_tries(r1=Deferred("451", minutes(5)), r2=Deferred("451", minutes(20))))
    await followed.hears(LEAVE, "2 are deferred: tried again from 12:05:00 to 12:20:00.")
    followed.desk.clock.move(NOON + minutes(2))
    await asyncio.sleep(0.5)
    await followed.hears()
    assert "worker" not in followed.said
    assert followed.said.count("deferred") == 1
    for at in (5, 20):
        followed.desk.clock.move(NOON + minutes(at))
        await followed.desk.send(first_tries())
    assert await followed.ends() is EditionStatus.SENT
    assert "sent: accepted 3" in followed.said


async def test_unknown_mail_is_waited_for_until_it_is_sent_again(follows: Follows) -> None:
    followed = await follows()
    await followed.live()
    await followed.desk.send(first_tries(r1=Unknown("no answer")))
    (row,) = [row for row in await followed.desk.rows() if row.status.value == "unknown"]
    at = f"{row.due_at:%H:%M:%S}"
    await followed.hears(f"1 is unknown: sent again at {at}, unless an answer comes before.")
    assert not followed.following.done()  # type: ignore[union-attr]
    followed.desk.clock.move(row.due_at)
    await followed.desk.send(first_tries())
    assert await followed.ends() is EditionStatus.SENT


async def test_unknown_mail_that_is_held_is_left_to_the_operator(follows: Follows) -> None:
    """It ends the edition, and the last words say what can be done."""
    followed = await follows(on_unknown="hold")
    await followed.desk.send(first_tries(r1=Unknown("no answer")))
    words = (
        "1 is unknown: nobody knows whether it arrived. "
        "`morningpost editions retry DATE --include-unknown` sends it again."
    )
    await followed.hears(words)
    assert await followed.ends() is EditionStatus.PARTIALLY_SENT
    assert "partially_sent: accepted 2, unknown 1" in followed.said
    assert "1 readers went without it" in followed.said


async def test_who_waits_without_a_worker_is_told_to_start_one(
    follows: Follows, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not while one lives: then its log and its providers are named."""
    monkeypatch.setattr(following, "QUIET_FOR", 3)
    followed = await follows()
    await followed.hears(QUIET)
    await followed.live()
    followed.following.cancel()  # type: ignore[union-attr]
    followed.following, followed.said = None, ""
    await followed.hears(STUCK)
    assert QUIET not in followed.said


async def test_a_pause_is_said_once(follows: Follows) -> None:
    """What waits is tried by nobody until it goes on."""
    followed = await follows()
    await followed.live()
    await followed.desk.send(first_tries(r1=Deferred("451", minutes(5))))
    async with followed.container.db.write() as session:
        await control.pause(session, followed.desk.edition.id)
    await followed.hears("paused: ", "; it goes on after: morningpost editions resume")
    assert "deferred" not in followed.said


async def test_tomorrow_has_its_date(follows: Follows) -> None:
    """An hour alone would be taken for today's; a retry that is due is now."""
    followed = await follows()
    await followed.desk.send(first_tries(r1=Deferred("451", minutes(5))))
    zone = followed.container.settings.zone
    look = await following.see(followed.container, followed.desk.edition.id)
    late = following.waits_in_words(look, NOON - timedelta(days=1), zone)
    assert late == {"deferred": "1 is deferred: tried again at 2026-11-23 12:05:00."}
    due = following.waits_in_words(look, NOON + minutes(6), zone)
    assert due == {"deferred": "1 is deferred: tried again now."}


def test_ctrl_c_leaves_and_the_send_goes_on(folder: Path) -> None:
    """Exit code 130, the command that looks again, and the edition as it was."""
    date = composed(folder, readers=1)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, "-m", "app", "send", "--yes", "--follow"],
        cwd=folder,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
        # A shell that starts a test run beside itself has all of it ignore SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509  # no threads are needed here
    ) as sent:
        assert sent.stderr is not None
        for line in sent.stderr:
            if line.strip() == LEAVE:
                sent.send_signal(signal.SIGINT)
                break
        rest = sent.stderr.read()
    assert sent.returncode == 130
    assert rest.strip() == f"Left; the send goes on. How far it is: morningpost editions progress {date}"
    assert json.loads(typed("editions", "progress", date, "--json", folder=folder).stdout)["status"] == "sending"


def test_progress_is_a_table(folder: Path, tmp_path: Path) -> None:
    """A line for all, each provider and each mailbox provider; beneath it what is waited for. `--json` has the same."""
    date = composed(folder, readers=3)
    empty = typed("editions", "progress", date, folder=folder)
    assert (empty.returncode, "Nobody was released yet." in empty.stderr) == (0, True)
    assert typed("send", "--yes", folder=folder).returncode == 0
    now = datetime.now(UTC)

    async def hand_over() -> None:
        db = Database(f"sqlite:///{folder}/var/morningpost.db")
        async with db.read() as session:
            (edition,) = await editions.newest(session, 1, None)
        desk = Desk(db, edition, desk_settings(tmp_path))
        desk.clock = FixedClock(datetime.now(UTC))
        await desk.send(first_tries(r1=Deferred("451", timedelta(hours=1)), r2=Unknown("no answer")))
        await db.close()

    run(hand_over())
    shown = typed("editions", "progress", date, folder=folder)
    lines = [line.split() for line in shown.stdout.splitlines()]
    assert ["date:", date] in lines
    assert ["status:", "sending"] in lines
    assert ["workers:", "0"] in lines
    assert ["deliveries", "total", "deferred", "accepted", "unknown"] in lines
    assert ["all", "3", "1", "1", "1"] in lines
    assert ["provider", "scripted", "2", "1", "1"] in lines
    assert ["mailbox", "other", "3", "1", "1", "1"] in lines
    assert any(line[:1] == ["done:"] and line[-3:] == ["at", "the", "earliest"] for line in lines)
    assert "1 is deferred: tried again at " in shown.stderr
    assert "1 is unknown: sent again at " in shown.stderr
    told = json.loads(typed("editions", "progress", date, "--json", folder=folder).stdout)
    assert (told["released"], told["deferred"], told["unknown"], told["workers"]) == (3, 1, 1, 0)
    assert datetime.fromisoformat(told["next_retry_at"]) >= now + timedelta(hours=1)
    assert now < datetime.fromisoformat(told["next_decision_at"]) < now + timedelta(minutes=21)
    assert told["done_at"] == told["next_retry_at"]
