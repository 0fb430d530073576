"""The whole service on a port of its own: the application in a server, a worker's mailroom, a clock that is moved."""

import asyncio
import re
import socket
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import uvicorn
from fastapi import FastAPI

from app.bootstrap import Container, build
from app.core.clock import FixedClock
from app.core.settings import VAR, load_settings
from app.jobs.mailroom import Mailroom
from app.main import create_app

T = TypeVar("T")


class Site:
    """Serves from a thread with its own event loop until the block ends; `run` carries a coroutine over to it.

    `settings` are those that a test wants otherwise.
    """

    def __init__(self, database_url: str, clock: FixedClock, **settings: Any) -> None:
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.clock = clock
        self.settings = load_settings(
            database_url=database_url,
            secret_keys="a-key-for-browsers-that-is-long-enough-to-sign",
            public_url=self.url,
            timezone="Europe/London",
            postal_address="1 Press Lane, London",
            **{"signups_per_client": 1000, "signups_per_minute": 1000, **settings},
        )
        self.outbox = VAR.resolve() / "outbox"
        self.container: Container
        self.app: FastAPI
        self._loop: asyncio.AbstractEventLoop
        self._server: uvicorn.Server
        self._up: Future[None] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        try:
            self.container = build(self.settings, self.clock)
            self.app = create_app(self.container)
            self._server = uvicorn.Server(uvicorn.Config(self.app, log_config=None, timeout_graceful_shutdown=5))
        except BaseException as error:
            self._up.set_exception(error)
            raise
        self._up.set_result(None)
        await self._server.serve(sockets=[self._listener])

    def __enter__(self) -> "Site":
        # Connections wait in the listener until the server takes them, so nobody needs to poll it.
        self._listener.listen()
        self._thread.start()
        self._up.result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(15)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs `work` beside the server and waits for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(30)

    def pass_time(self, passed: timedelta = timedelta(minutes=1)) -> None:
        """Moves the clock on; a minute is longer than a machine needs for a form."""
        self.clock.move(self.clock.now() + passed)

    def mailroom(self) -> Mailroom:
        return Mailroom(self.container, "browser", asyncio.Event())

    def post(self) -> None:
        """Hands over the service mail that is due."""
        self.run(self.mailroom().post())

    def mails(self) -> list[EmailMessage]:
        """Every mail in the outbox, the newest first."""
        files = sorted((self.outbox / "new").glob("*.eml"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
        return [parsed(file) for file in files]

    def mail_to(self, address: str, subject: str = "") -> EmailMessage:
        """The newest mail to `address` that has `subject` in its subject."""
        return next(mail for mail in self.mails() if mail["To"] == address and subject in str(mail["Subject"]))


def parsed(file: Path) -> EmailMessage:
    return message_from_bytes(file.read_bytes(), policy=policy.default)


def link_in(mail: EmailMessage, path: str) -> str:
    """The link of a mail's text that leads to `path`."""
    part = mail.get_body(("plain",))
    assert part is not None
    found = re.search(rf"http://\S+{path}\S*", part.get_content())
    assert found, f"no link to {path}"
    return found[0]
