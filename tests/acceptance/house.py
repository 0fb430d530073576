"""A whole service in its own folder: real `serve` and `worker` processes on one database and one movable clock."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import httpx

from tests.acceptance.moved import FILE

ROOT = Path(__file__).resolve().parents[2]
SECRET = "the acceptance test signs its links with these words"
PUBLIC = "https://post.test-paper.net"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class House:
    """Starts, kills and asks. Every process it started ends with it."""

    def __init__(self, folder: Path, database_url: str, **settings: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.clock = folder / "clock"
        self.clock.write_text("0")
        self.settings: Mapping[str, str] = {
            "ENVIRONMENT": "production",
            "DATABASE_URL": database_url,
            "PUBLIC_URL": PUBLIC,
            "SECRET_KEYS": SECRET.replace(" ", "-"),
            "SUPPRESSION_KEY": "the-acceptance-test-suppresses-under-this-key",
            "FROM_ADDRESS": "The AI Morning Post <post@test-paper.net>",
            "POSTAL_ADDRESS": "1 Press Lane, Testford",
            "PORT": str(self.port),
            "SIGNUPS_PER_CLIENT": "1000",
            "CHECK_LINKS": "off",
            **settings,
        }
        self._running: list[subprocess.Popen[bytes]] = []
        self.web = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60, trust_env=False)

    def __enter__(self) -> "House":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.web.close()
        for process in self._running:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self._running:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _environment(self) -> dict[str, str]:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("MORNINGPOST_")}
        ours = {f"MORNINGPOST_{name}": value for name, value in self.settings.items()}
        return {**clean, **ours, FILE: str(self.clock), "PYTHONPATH": str(ROOT)}

    def start(self, *words: str, environment: Mapping[str, str] | None = None) -> subprocess.Popen[bytes]:
        """Runs `morningpost WORDS` beside the test, on the movable clock.

        With an `environment` it runs on its machine's own clock, which libfaketime may have told it wrongly.
        """
        module = "tests.acceptance.moved" if environment is None else "app"
        log = (self.folder / f"{'-'.join(words)}.log").open("ab")
        process = subprocess.Popen(
            [sys.executable, "-m", module, *words],
            cwd=self.folder,
            env={**self._environment(), **(environment or {})},
            stderr=log,
            stdout=log,
        )
        log.close()
        self._running.append(process)
        return process

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs `morningpost WORDS` to its end."""
        return subprocess.run(
            [sys.executable, "-m", "tests.acceptance.moved", *words],
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def logs(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("*.log")))

    def move_to(self, at: datetime) -> None:
        """From now on it is `at`, and time goes on from there."""
        self.clock.write_text(str((at - datetime.now(UTC)).total_seconds()))

    def wait(self, what: str, for_what: Callable[[], object], within: float = 120) -> None:
        """Waits until `for_what()` is true."""
        until = time.monotonic() + within
        while time.monotonic() < until:
            try:
                if for_what():
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise AssertionError(f"{what}: not within {within} s\n{self.logs()[-6000:]}")

    def is_up(self) -> bool:
        return self.web.get("/readyz").status_code == 200

    def form(self, page: httpx.Response) -> str:
        """Where the form of a page posts to; without an action, to the page itself."""
        found = re.search(r"<form[^>]*method=\"post\"[^>]*>", page.text)
        assert found, page.text[:2000]
        action = re.search(r'action="([^"]+)"', found[0])
        return httpx.URL(action[1]).path if action else page.url.path
