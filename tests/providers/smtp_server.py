"""A real mail server (aiosmtpd) that can be told to misbehave at any stage.

As a process: `python -m tests.providers.smtp_server --port 2525 --folder /tmp/mails`.
"""

import argparse
import asyncio
import itertools
import logging
import socket
import ssl
import sys
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

DROP, HANG = "drop", "hang"
OK = ""
"""An action that is no fault."""

logging.getLogger("mail.log").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Received:
    """A mail the server took responsibility for."""

    sender: str
    recipient: str
    content: bytes
    tls: bool
    user: str
    connection: int


class SmtpServer:
    """Listens on 127.0.0.1. `script` holds, for a stage, what to do at its next visits: a reply, DROP, HANG or OK.

    Stages: CONNECT EHLO STARTTLS AUTH MAIL RCPT DATA BODY DOT RSET NOOP QUIT. `refusals` answers RCPT by address.
    `window` is the size of the receive buffer, in octets, where the system's is too generous for a test.
    """

    def __init__(
        self,
        *,
        context: ssl.SSLContext | None = None,
        implicit: bool = False,
        users: Mapping[str, str] | None = None,
        folder: Path | None = None,
        window: int = 0,
    ) -> None:
        self.context = context
        self.implicit = implicit
        self.users = users
        self.folder = folder
        self.window = window
        self.script: dict[str, list[str]] = defaultdict(list)
        self.always: dict[str, str] = {}
        self.refusals: dict[str, str] = {}
        self.received: list[Received] = []
        self.visits: dict[str, int] = defaultdict(int)
        self.sessions: set[_Session] = set()
        self.moved = asyncio.Event()
        self.most_at_once = 0
        self.numbers = itertools.count(1)
        self.port = 0
        self.hello = ""
        """What the last client said that it is."""
        self._server: asyncio.Server | None = None

    async def start(self, port: int = 0) -> None:
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if self.window:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self.window)
        listening.bind(("127.0.0.1", port))
        self.port = listening.getsockname()[1]
        over = self.context if self.implicit else None
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Session(self), sock=listening, ssl=over)

    async def stop(self) -> None:
        if self._server:
            self._server.close()
        self.drop_all()
        await asyncio.sleep(0.02)

    def drop_all(self) -> None:
        """Every connection breaks, as when the server is restarted."""
        for session in list(self.sessions):
            session.cut()

    async def visited(self, stage: str) -> None:
        """Waits for the first visit of `stage`."""
        while not self.visits[stage]:
            self.moved.clear()
            await self.moved.wait()

    def action(self, stage: str) -> str:
        self.visits[stage] += 1
        self.moved.set()
        actions = self.script[stage]
        return actions.pop(0) if actions else self.always.get(stage, OK)

    def recipients(self) -> list[str]:
        return [mail.recipient for mail in self.received]

    def keep(self, mail: Received) -> None:
        self.received.append(mail)
        if self.folder:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / f"{len(self.received):06}.eml").write_bytes(mail.content)


class _Handler:
    def __init__(self, server: SmtpServer) -> None:
        self._server = server

    async def handle_DATA(self, smtp: "_Session", session: Session, envelope: Envelope) -> str:  # noqa: N802
        action = self._server.action("DOT")
        if action == DROP:
            smtp.cut()
            await asyncio.sleep(3600)
        if action == HANG:
            await asyncio.sleep(3600)
        if action != OK and not action.startswith("2"):
            return action
        for recipient in envelope.rcpt_tos:
            content = envelope.original_content or b""
            user = (session.auth_data or b"").decode()
            mail = Received(str(envelope.mail_from), recipient, content, smtp.secure, user, smtp.number)
            self._server.keep(mail)
        return action or f"250 2.0.0 Ok: queued as {len(self._server.received):06X}"


class _Session(SMTP):
    def __init__(self, server: SmtpServer) -> None:
        self._owner = server
        self.number = next(server.numbers)
        starttls = server.context if server.context and not server.implicit else None
        super().__init__(
            _Handler(server),
            hostname="mx.inbox.example",
            tls_context=starttls,
            authenticator=self._logged_in if server.users else None,
            auth_require_tls=not server.implicit and starttls is not None,
            loop=asyncio.get_running_loop(),
        )
        self.secure = server.implicit

    def _logged_in(self, _: Any, __: Session, ___: Envelope, ____: str, data: LoginPassword) -> AuthResult:
        login, password = data.login.decode(), data.password.decode()
        good = (self._owner.users or {}).get(login) == password
        return AuthResult(success=good, handled=good, auth_data=data.login)

    def connection_made(self, transport: Any) -> None:
        self._owner.sessions.add(self)
        self._owner.most_at_once = max(self._owner.most_at_once, len(self._owner.sessions))
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._owner.sessions.discard(self)
        super().connection_lost(error)

    def cut(self) -> None:
        if self.transport is not None:
            with suppress(AttributeError):  # Python 3.11.2: a TLS transport that has ended cannot be aborted
                cast("asyncio.Transport", self.transport).abort()

    async def _handle_client(self) -> None:
        if not await self._misbehaved("CONNECT"):
            await super()._handle_client()
        elif self.transport is not None:
            self.transport.close()

    async def _misbehaved(self, stage: str) -> bool:
        action = self._owner.action(stage)
        match action:
            case "":
                return False
            case "drop":
                self.cut()
                await asyncio.sleep(3600)
            case "hang":
                try:
                    await asyncio.sleep(3600)
                finally:  # the client has gone
                    self.cut()
            case _:
                await self.push(action)
                if action.startswith("421") and self.transport is not None:
                    self.transport.close()
        return True

    async def smtp_EHLO(self, arg: str) -> None:  # noqa: N802
        self._owner.hello = arg
        if not await self._misbehaved("EHLO"):
            await super().smtp_EHLO(arg)

    async def smtp_STARTTLS(self, arg: str) -> None:  # noqa: N802
        if not await self._misbehaved("STARTTLS"):
            self.secure = True
            await super().smtp_STARTTLS(arg)

    async def smtp_AUTH(self, arg: str) -> None:  # noqa: N802
        if not await self._misbehaved("AUTH"):
            await super().smtp_AUTH(arg)

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802
        if not await self._misbehaved("MAIL"):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802
        for address, reply in self._owner.refusals.items():
            if arg and f"<{address}>" in arg:
                await self.push(reply)
                return
        if not await self._misbehaved("RCPT"):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if await self._misbehaved("DATA"):
            return
        body = self._owner.action("BODY")
        if body == OK:
            await super().smtp_DATA(arg)
            return
        await self.push("354 go on")
        if body == DROP:
            await self._reader.readuntil(b"\r\n")
            self.cut()
        if body == HANG:
            cast("asyncio.Transport", self.transport).pause_reading()
        await asyncio.sleep(3600)

    async def smtp_RSET(self, arg: str) -> None:  # noqa: N802
        if not await self._misbehaved("RSET"):
            await super().smtp_RSET(arg)

    async def smtp_QUIT(self, arg: str) -> None:  # noqa: N802
        if not await self._misbehaved("QUIT"):
            await super().smtp_QUIT(arg)


async def _serve(port: int, folder: Path) -> None:
    server = SmtpServer(folder=folder)
    await server.start(port)
    sys.stderr.write(f"listening on 127.0.0.1:{server.port}\n")
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--folder", type=Path, required=True)
    given = parser.parse_args()
    asyncio.run(_serve(given.port, given.folder))
