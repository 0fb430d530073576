"""The long form: `python -m tests.chaos --kills 200`. Prints a line for each trial, and the seed to replay it with."""

import argparse
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command

from app.core import log
from app.operations import migrations
from tests.chaos.kills import kill_again_and_again
from tests.chaos.night import Account, Night
from tests.chaos.receiver import Receiver
from tests.conftest import Postgres

RATE = 200.0
MAILS_A_LIFE = 240
"""How many are received at most between two kills, all told: a worker needs about a second to begin."""


@contextmanager
def sqlite() -> Iterator[tuple[Path, str]]:
    folder = Path(tempfile.mkdtemp(prefix="morningpost-chaos-"))
    url = f"sqlite:///{folder / 'post.db'}"
    try:
        command.upgrade(migrations.config(url), "head")
        yield folder, url
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def postgresql() -> Iterator[tuple[Path, str]]:
    folder, server = Path(tempfile.mkdtemp(prefix="morningpost-chaos-")), Postgres()
    try:
        with server.database() as url:
            yield folder, url
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def trial(engine: str, policy: str, kills: int, seed: int) -> bool:
    """One edition, so many kills; prints what came of it."""
    print(f"{engine:10} {policy:6} seed {seed}: ", end="", flush=True)
    began = time.monotonic()
    opened, workers = (sqlite(), 1) if engine == "sqlite" else (postgresql(), 2)
    with opened as (folder, url), Receiver(RATE, seed) as receiver:
        night = Night(folder, url, receiver, ON_UNKNOWN=policy)
        try:
            night.prepare(max(kills, 5) * MAILS_A_LIFE)
            account = kill_again_and_again(night, kills, seed, workers)
        finally:
            night.end()
    sound = account.sound() and not (policy == "hold" and account.twice)
    print(f"{kills} kills in {time.monotonic() - began:.0f} s, {_told(night, account)}: {'ok' if sound else 'BROKEN'}")
    if not sound:
        print(account)
    return sound


def _told(night: Night, account: Account) -> str:
    states = ", ".join(f"{count} {state.value}" for state, count in account.states.items())
    return (
        f"{states}; {night.receiver.count} mails received, lost {len(account.lost) + len(account.gaps)}, "
        f"{len(account.twice)} twice out of {len(night.in_the_air)} in the air at a kill"
    )


def main() -> int:
    words = argparse.ArgumentParser(description="Kills the sender and counts what arrived.")
    words.add_argument("--kills", type=int, default=200)
    words.add_argument("--seed", type=int, default=None)
    words.add_argument("--engine", choices=("sqlite", "postgresql"), action="append")
    words.add_argument("--policy", choices=("resend", "hold"), action="append")
    asked = words.parse_args()
    log.configure("console", "ERROR")
    seed = asked.seed if asked.seed is not None else secrets.randbelow(10**8)
    sound = [
        trial(engine, policy, asked.kills, seed)
        for engine in asked.engine or ("sqlite", "postgresql")
        for policy in asked.policy or ("resend", "hold")
    ]
    return 0 if all(sound) else 1


if __name__ == "__main__":
    sys.exit(main())
