"""Opening an SMTP session: TCP, greeting, EHLO, TLS, AUTH; and what it means when that fails."""

import asyncio
import os
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar, cast

import aiosmtplib

from app.core.mail.receipt import Deferred, Halt, Scope, Standstill
from app.providers.custody import heed_cancellation
from app.providers.smtp_dial import dial, ehlo_name, machine_name
from app.providers.smtp_replies import said

E = TypeVar("E", bound=BaseException)
NONE, STARTTLS, IMPLICIT = "none", "starttls", "implicit"
NOT_KNOWN = (500, 502)
"""What a server answers to a command that it does not know, or does not have: RFC 5321 section 4.2.2."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for what, in seconds: RFC 5321 section 4.5.3.2."""

    connect: float = 30
    greeting: float = 300
    """Also EHLO, STARTTLS and AUTH."""
    mail: float = 300
    rcpt: float = 300
    data: float = 120
    block: float = 180
    """Without one octet of the message going out."""
    dot: float = 600
    """Section 4.5.3.2.6: a shorter wait means a second copy for the reader (RFC 1047)."""
    check: float = 5
    """For RSET on a connection that lay idle, and for QUIT."""


@dataclass(frozen=True)
class Server:
    """Where to, and as whom."""

    host: str
    port: int
    tls: str
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    token: Path | None = None
    """A file that holds an OAuth 2 access token; whoever renews it writes it anew."""
    context: ssl.SSLContext | None = None
    patience: Patience = Patience()
    hostname: str = ""
    """The name that we give there; the machine's where it is empty."""

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"


class Unreachable(Exception):
    """No session: `receipt` says whether it is worth another try (Deferred) or a fault of ours (Halt)."""

    def __init__(self, receipt: Standstill) -> None:
        super().__init__(receipt.why)
        self.receipt = receipt


class Session(aiosmtplib.SMTP):
    """A client whose every close is at once: TLS with a peer that hangs would otherwise linger for half a minute."""

    def close(self) -> None:
        if self.transport is not None:
            with suppress(AttributeError):  # Python 3.11.2: a TLS transport that has ended cannot be aborted
                cast("asyncio.WriteTransport", self.transport).abort()
        super().close()

    async def leave(self, patience: float) -> None:
        """QUIT, without waiting long for the answer."""
        with suppress(aiosmtplib.SMTPException, OSError):
            if self.is_connected:
                await self.quit(timeout=patience)
        self.close()


async def open_session(server: Server) -> Session:
    """A session that is ready for MAIL. Raises Unreachable."""
    machine = server.hostname or await machine_name()
    try:
        link = await dial(server.host, server.port, server.patience.connect)
    except (OSError, UnicodeError) as error:
        raise Unreachable(_no_link(error, server)) from None
    session = Session(
        hostname=server.host,
        sock=link,
        local_hostname=ehlo_name(machine, link),
        use_tls=server.tls == IMPLICIT,
        start_tls=False,
        tls_context=server.context,
        timeout=server.patience.greeting,
    )
    try:
        await session.connect()
        heed_cancellation()
        await _introduce(session, server)
    except BaseException as error:
        session.close()
        link.close()
        if isinstance(error, Exception) and not isinstance(error, Unreachable):
            raise Unreachable(_why(error, server)) from None
        raise
    return session


async def _greet(session: Session) -> None:
    """EHLO, or HELO where the server does not know that: RFC 5321 section 3.2."""
    try:
        await session.ehlo()
    except aiosmtplib.SMTPHeloError as error:
        if error.code not in NOT_KNOWN:
            raise
        await session.helo()


async def _introduce(session: Session, server: Server) -> None:
    await _greet(session)
    if server.tls == STARTTLS:
        if not session.supports_extension("starttls"):
            raise Unreachable(
                _ours(
                    f"the mail server {server.place} offers no STARTTLS, and nothing is sent in clear; "
                    "for a server that speaks TLS from the start write smtps://",
                    "no-starttls",
                )
            )
        await session.starttls()
        await _greet(session)
    if server.token:
        await _show_token(session, server, server.token)
    elif server.user:
        if not session.supported_auth_methods:
            raise Unreachable(_ours(f"the mail server {server.place} offers no log-in (AUTH) that we know", "no-auth"))
        await session.login(server.user, server.password)


async def _show_token(session: Session, server: Server, file: Path) -> None:
    """XOAUTH2, as Google and Microsoft describe it. A token that has run out is renewed by others, so no Halt."""
    if "xoauth2" not in session.server_auth_methods:
        raise Unreachable(_ours(f"the mail server {server.place} offers no log-in by token (XOAUTH2)", "no-auth"))
    try:
        token = (await asyncio.to_thread(file.read_text, encoding="ascii")).strip()
    except (OSError, ValueError):
        raise Unreachable(_later(f"the file with the token for {server.place} cannot be read")) from None
    try:
        await session.auth_xoauth2(server.user, token)
    except aiosmtplib.SMTPAuthenticationError as error:
        reply = said(error.code, error.message)
        raise Unreachable(_later(f"the mail server {server.place} does not accept our token: {reply}")) from None


def _no_link(error: OSError | UnicodeError, server: Server) -> Deferred:
    match error:
        case socket.gaierror(strerror=reason):
            return _later(f"the mail server {server.host} cannot be found: {reason}")
        case UnicodeError():
            return _later(f"the mail server {server.host} cannot be found: that is not a host name")
        case OSError(errno=number):
            # Not the error's own text: asyncio puts "Connect call failed" in its place.
            reason = os.strerror(number).lower() if number else "no answer"
            return _later(f"the mail server {server.place} cannot be reached: {reason}")


def _why(error: Exception, server: Server) -> Standstill:
    """What an attempt to open a session says about the next one."""
    match error:
        case _ if fault := _tls_fault(error, server):
            return fault
        case aiosmtplib.SMTPAuthenticationError() if error.code >= 500:
            reply = said(error.code, error.message)
            return _ours(f"the mail server {server.place} does not accept our user name and password: {reply}", "auth")
        case aiosmtplib.SMTPHeloError() if error.code >= 500:
            reply = said(error.code, error.message)
            reason = f"does not take the name that we give (?hostname= sets another): {reply}"
        case aiosmtplib.SMTPResponseException():
            reason = f"is not ready: {said(error.code, error.message)}"
        case TimeoutError():
            reason = "does not answer"
        case OSError():  # SMTPServerDisconnected too
            reason = "ended the connection"
        case _:
            reason = f"could not be spoken to: {type(error).__name__}"
    return _later(f"the mail server {server.place} {reason}")


def _tls_fault(error: Exception, server: Server) -> Standstill | None:
    if certificate := _caused_by(error, ssl.SSLCertVerificationError):
        reason = certificate.verify_message or "it cannot be verified"
        return _ours(f"the certificate of the mail server {server.place} is not trusted: {reason}", "certificate")
    if tls := _caused_by(error, ssl.SSLError):
        reason = (tls.reason or "handshake failure").replace("_", " ").lower()
        return _later(f"TLS with the mail server {server.place} failed: {reason}")
    return None


def _caused_by(error: BaseException, kind: type[E]) -> E | None:
    found: BaseException | None = error
    while found is not None and not isinstance(found, kind):
        found = found.__cause__ or found.__context__
    return found


def _later(why: str) -> Deferred:
    return Deferred(why, scope=Scope.PROVIDER, code="unreachable")


def _ours(why: str, code: str) -> Halt:
    """Between us and this server: another provider is not touched by it."""
    return Halt(why, code, account=True)
