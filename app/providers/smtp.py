"""`smtp://` and `smtps://`: a mail server of one's own, or a relay. Sends exactly the bytes we built."""

import asyncio
import re
import ssl
from pathlib import Path

from app.core.errors import ConfigurationError
from app.core.mail.provider import Capabilities, Outgoing
from app.providers.smtp_connection import MESSAGES, Terms
from app.providers.smtp_drain import Drain
from app.providers.smtp_letter import Manner
from app.providers.smtp_pool import Pool
from app.providers.smtp_session import IMPLICIT, NONE, STARTTLS, Server, Unreachable, open_session
from app.providers.urls import ProviderUrl

PORTS = {NONE: 25, STARTTLS: 587, IMPLICIT: 465}
CONNECTIONS = 8
_HOSTNAME = re.compile(r"[A-Za-z0-9_-]{1,63}(\.[A-Za-z0-9_-]{1,63}){1,20}|\[[0-9A-Za-z.:]{3,60}\]")
MOST_CONNECTIONS = 100
MOST_MESSAGES = 100_000
_CHECK_WITHIN = 30.0


class SmtpProvider:
    """Hands over on up to `connections` connections, which it keeps open between drains."""

    capabilities = Capabilities(raw=True)

    def __init__(self, name: str, server: Server, connections: int = CONNECTIONS, terms: Terms = Terms()) -> None:
        self.name = name
        self.server = server
        self.connections = connections
        self._pool = Pool(server, connections, terms)

    @classmethod
    def from_url(cls, url: ProviderUrl) -> "SmtpProvider":
        """`smtp://user:pass@host:587?tls=starttls&connections=8&ca=/path/to.pem`, or `smtps://…` on port 465.

        `tls` is `none`, `starttls` (the default of smtp) or `implicit` (of smtps). `ca` is a file of the only
        authorities to trust. A password is never sent in clear over a network. `messages` is how many go over one
        connection; `manner` forbids better manners than it (see smtp_pipeline). `token` is a file that holds an OAuth 2
        access token, read at every log-in (XOAUTH2), in the place of a password. `hostname` is what EHLO says.
        """
        url.allow("tls", "connections", "ca", "messages", "manner", "token", "hostname")
        if not url.host:
            raise url.wrong("the host is missing; write smtp://user:password@mail.example.org:587")
        modes = (IMPLICIT,) if url.scheme == "smtps" else (STARTTLS, IMPLICIT, NONE)
        tls = url.choice("tls", modes[0], modes)
        token = Path(url.params["token"]) if "token" in url.params else None
        if bool(url.user) != (bool(url.password) != (token is not None)):
            raise url.wrong("a user name and a password, or a user name and the file of a token, belong together")
        if tls == NONE and url.user and not url.loopback:
            raise url.wrong("tls=none would send the password in clear; leave it out, or the user name")
        context = _context(url, tls)
        server = Server(
            url.host, url.port or PORTS[tls], tls, url.user, url.password, token, context, hostname=_hostname(url)
        )
        manner = Manner(url.choice("manner", Manner.CHUNKED, tuple(Manner)))
        terms = Terms(url.number("messages", MESSAGES, MOST_MESSAGES), manner)
        return cls(url.name, server, url.number("connections", CONNECTIONS, MOST_CONNECTIONS), terms)

    async def drain(self, outgoing: Outgoing) -> None:
        """Opens connections as messages come; stops when nothing is owed, or when the server refuses us."""
        async with asyncio.TaskGroup() as lanes:
            Drain(outgoing, self._pool, lanes, self.connections).open_lane()

    async def check(self) -> None:
        """Connects, logs in and says QUIT. Raises ConfigurationError with what went wrong."""
        try:
            async with asyncio.timeout(_CHECK_WITHIN):
                session = await open_session(self.server)
                await session.leave(self.server.patience.check)
        except Unreachable as error:
            raise ConfigurationError(error.receipt.why) from None
        except TimeoutError:
            hint = "" if self.server.tls == IMPLICIT else "; a server that speaks TLS from the start wants smtps://"
            raise ConfigurationError(f"the mail server {self.server.place} does not answer{hint}") from None

    async def close(self) -> None:
        """Says QUIT on the connections that lie idle."""
        await self._pool.close()


def _hostname(url: ProviderUrl) -> str:
    """`?hostname=`, which EHLO gives: a full name, or an address in brackets (RFC 5321 section 4.1.4)."""
    given = url.params.get("hostname", "")
    if given and not _HOSTNAME.fullmatch(given):
        raise url.wrong("hostname must be the full name of this machine, such as post.example.org, or [192.0.2.1]")
    return given


def _context(url: ProviderUrl, tls: str) -> ssl.SSLContext | None:
    if tls == NONE:
        if "ca" in url.params:
            raise url.wrong("ca means nothing with tls=none")
        return None
    try:
        return ssl.create_default_context(cafile=url.params.get("ca"))
    except (OSError, ValueError):  # SSLError is an OSError
        raise url.wrong("the file of ca cannot be read, or holds no certificate (PEM)") from None
