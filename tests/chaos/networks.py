"""Machines of their own for workers: network namespaces with one cable to the database and one to the mail server.

Both ends that a worker talks to are on this side of the cables; a worker in its namespace has no other way to them.
"""

import ctypes
import os
import secrets
import shutil
import subprocess
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

RANGE = "198.18"
"""Kept for trials of networks (RFC 2544): it is nobody's."""
_CLONE_NEWNET = 0x40000000


def must_have_namespaces() -> None:
    """Skips the test where this process may not make namespaces; fails it where CI is set."""
    why = _missing()
    if why and os.environ.get("CI", "").lower() in ("", "0", "false"):
        pytest.skip(why)
    assert not why, why


def _missing() -> str:
    if os.geteuid() != 0:
        return "only root may make network namespaces"
    if not (shutil.which("ip") and shutil.which("ss")):
        return "there is no `ip` or `ss` on this machine: the package is iproute2"
    tried = f"post-{secrets.token_hex(3)}"
    made = subprocess.run(["ip", "netns", "add", tried], capture_output=True, text=True, check=False)
    if made.returncode:
        return f"no network namespace can be made here: {made.stderr.strip()}"
    _run("ip", "netns", "del", tried)
    return ""


def enter(namespace: str) -> None:
    """From now on this process is on the machine `namespace`."""
    with Path("/run/netns", namespace).open() as handle:  # os.setns is of Python 3.12
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(handle.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


@dataclass(frozen=True)
class Cable:
    """A pair of interfaces: `here` on our side, `there` on the machine's."""

    machine: str
    device: str
    here: str
    there: str

    def lay(self) -> None:
        inside = f"{self.device}i"
        _run("ip", "link", "add", self.device, "type", "veth", "peer", "name", inside, "netns", self.machine)
        _run("ip", "addr", "add", f"{self.here}/30", "dev", self.device)
        _run("ip", "link", "set", self.device, "up")
        _run("ip", "-n", self.machine, "addr", "add", f"{self.there}/30", "dev", inside)
        _run("ip", "-n", self.machine, "link", "set", inside, "up")

    def cut(self) -> None:
        """Whatever is sent from either side is gone, and nobody is told."""
        _run("ip", "link", "set", self.device, "down")

    def mend(self) -> None:
        _run("ip", "link", "set", self.device, "up")

    def refuse(self) -> None:
        """Every connection over it is reset, at both ends, and no new one comes about: both are told at once."""
        _run("ip", "-n", self.machine, "route", "add", "prohibit", f"{self.here}/32")
        _run("ip", "netns", "exec", self.machine, "ss", "--kill", "dst", self.here)
        _run("ss", "--kill", "dst", self.there)

    def admit(self) -> None:
        _run("ip", "-n", self.machine, "route", "del", "prohibit", f"{self.here}/32")


@dataclass
class Machine:
    """A namespace; `ledger` and `post` are its cables to the database and to the mail server."""

    name: str
    ledger: Cable
    post: Cable


@dataclass
class Network:
    """So many machines; all that was made is gone at the end, whatever happened."""

    count: int
    machines: list[Machine] = field(default_factory=list)

    def __enter__(self) -> Self:
        mark, third = secrets.token_hex(3), _free_third()
        try:
            for number in range(self.count):
                name = f"post-{mark}-{number}"
                cables = [
                    Cable(
                        name,
                        f"p{mark}{2 * number + at}",
                        f"{RANGE}.{third}.{8 * number + 4 * at + 1}",
                        f"{RANGE}.{third}.{8 * number + 4 * at + 2}",
                    )
                    for at in range(2)
                ]
                self.machines.append(Machine(name, *cables))
                _run("ip", "netns", "add", name)
                for cable in cables:
                    cable.lay()
        except BaseException:
            self._clear()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clear()

    def _clear(self) -> None:
        for machine in self.machines:
            for cable in (machine.ledger, machine.post):
                with suppress(subprocess.CalledProcessError):  # both ends go with either; it may never have been laid
                    _run("ip", "link", "del", cable.device)
            with suppress(subprocess.CalledProcessError):
                _run("ip", "netns", "del", machine.name)


def _free_third() -> int:
    """A part of the range that no other trial on this machine uses now."""
    used = _run("ip", "-o", "-4", "addr")
    free = [third for third in range(256) if f" {RANGE}.{third}." not in used]
    return secrets.choice(free)


def _run(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout
