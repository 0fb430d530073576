"""The SMTP provider against a real mail server that misbehaves at every stage."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme

from app.core.errors import ConfigurationError
from app.core.mail.receipt import Accepted, Deferred, Fault, Halt, Rejected, Scope, Unknown
from app.providers import registry, smtp_connection, smtp_session
from app.providers.smtp import SmtpProvider
from app.providers.smtp_connection import Connection, Terms
from app.providers.smtp_dial import dial
from app.providers.smtp_letter import Manner
from app.providers.smtp_session import NONE, Patience, Server, Session, open_session
from tests.providers.mails import Stream, assert_is_mail, mail, mails, template
from tests.providers.smtp_server import DROP, HANG, OK, SmtpServer

QUICK = Patience(connect=1, greeting=0.3, mail=0.3, rcpt=0.3, data=0.3, block=0.3, dot=0.3, check=0.3)


def plain(server: SmtpServer, connections: int = 1, patience: Patience = Patience()) -> SmtpProvider:
    return SmtpProvider("smtp", Server("127.0.0.1", server.port, NONE, patience=patience), connections)


def build(url: str) -> SmtpProvider:
    (provider,) = registry.build([url], Path("var"))
    assert isinstance(provider, SmtpProvider)
    return provider


async def drained(provider: SmtpProvider, stream: Stream) -> Stream:
    """`stream` after a drain, with the provider closed."""
    try:
        await provider.drain(stream)
    finally:
        await provider.close()
    assert not stream.out
    return stream


# --- What arrives -----------------------------------------------------------------------------------


async def test_the_bytes_arrive_as_they_were_built(smtp_server: SmtpServer) -> None:
    """Lines with dots, letters of several scripts, the envelope's own return path, and nothing else."""
    stream = await drained(plain(smtp_server, 3), Stream(mails(12)))
    stream.assert_all_accepted(12)
    for received in smtp_server.received:
        number = int(received.recipient.removeprefix("reader").partition("@")[0])
        assert received.content == mail(number).as_bytes()
        assert received.sender == f"bounce+{number}@paper.example"
        assert_is_mail(received.content, number)


async def test_the_server_s_id_is_kept(smtp_server: SmtpServer) -> None:
    """`Accepted` carries the queue id of the 250."""
    assert (await drained(plain(smtp_server), Stream(mails(1)))).only() == Accepted("000001")


async def test_connections_are_as_many_as_needed_and_no_more(smtp_server: SmtpServer) -> None:
    """One mail needs one connection; many mails never use more than the limit."""
    provider = plain(smtp_server, 4)
    await provider.drain(Stream(mails(1)))
    assert smtp_server.visits["CONNECT"] <= 2
    await drained(provider, Stream(mails(60)))
    assert smtp_server.most_at_once == 4


async def test_connections_are_kept_from_one_drain_to_the_next(smtp_server: SmtpServer) -> None:
    """A new session costs round trips; QUIT is said at the end only."""
    provider = plain(smtp_server)
    for number in range(1, 4):
        await provider.drain(Stream([mail(number)]))
    assert smtp_server.visits["CONNECT"] == 1
    assert smtp_server.visits["QUIT"] == 0
    await provider.close()
    assert smtp_server.visits["QUIT"] == 1
    assert len(smtp_server.received) == 3


async def test_the_limit_holds_for_all_drains_and_none_starves(smtp_server: SmtpServer) -> None:
    """An edition that holds every connection makes way for a confirmation mail between two of its messages."""
    provider = plain(smtp_server, 2)
    edition = Stream(mails(100))
    sending = asyncio.create_task(provider.drain(edition))
    await edition.count(5)
    await provider.drain(Stream([mail(999)]))
    assert len(edition.receipts) < 50
    await sending
    await provider.close()
    edition.assert_all_accepted(100)
    assert smtp_server.most_at_once == 2


async def test_a_large_message_is_announced_and_carried(smtp_server: SmtpServer) -> None:
    """A message far beyond the socket's buffers goes out whole (RFC 1870 SIZE, flow control)."""
    large = template(paragraphs=2_000)
    await drained(plain(smtp_server), Stream([mail(1, paper=large)]))
    assert smtp_server.received[0].content == mail(1, paper=large).as_bytes()
    assert len(smtp_server.received[0].content) > 500_000


# --- TLS and log-in ---------------------------------------------------------------------------------


@asynccontextmanager
async def secured(context: ssl.SSLContext, *, implicit: bool) -> AsyncIterator[SmtpServer]:
    server = SmtpServer(context=context, implicit=implicit, users={"news@paper.example": "p:/@ss"})
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


LOGIN = "news%40paper.example:p%3A%2F%40ss"


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "implicit"])
async def test_mail_goes_over_tls_with_a_log_in(
    implicit: bool,
    server_context: ssl.SSLContext,
    ca_file: Path,
) -> None:
    """STARTTLS on smtp://, TLS from the start on smtps://; certificate checked, user name and password given."""
    async with secured(server_context, implicit=implicit) as server:
        scheme = "smtps" if implicit else "smtp"
        provider = build(f"{scheme}://{LOGIN}@127.0.0.1:{server.port}?ca={ca_file}&connections=2")
        await provider.check()
        stream = await drained(provider, Stream(mails(6)))
        stream.assert_all_accepted(6)
        assert all(received.tls and received.user == "news@paper.example" for received in server.received)


@pytest.mark.parametrize("implicit", [False, True], ids=["starttls", "implicit"])
async def test_an_untrusted_certificate_halts(
    implicit: bool,
    server_context: ssl.SSLContext,
    tmp_path: Path,
) -> None:
    """Mail is not shown to a server that cannot prove who it is; that is for the operator to mend."""
    stranger = tmp_path / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(stranger)
    async with secured(server_context, implicit=implicit) as server:
        scheme = "smtps" if implicit else "smtp"
        provider = build(f"{scheme}://{LOGIN}@127.0.0.1:{server.port}?ca={stranger}")
        stream = await drained(provider, Stream(mails(3)))
        halted = stream.only()
        assert isinstance(halted, Halt)
        assert "certificate" in halted.why
        assert "not trusted" in halted.why
        assert len(stream.waiting) == 2
        with pytest.raises(ConfigurationError, match="certificate"):
            await provider.check()


async def test_a_certificate_for_another_host_halts(authority: trustme.CA, ca_file: Path) -> None:
    """The name is checked, not only the signature."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("elsewhere.example").configure_cert(context)
    async with secured(context, implicit=True) as server:
        stream = await drained(build(f"smtps://127.0.0.1:{server.port}?ca={ca_file}"), Stream(mails(1)))
        assert isinstance(stream.only(), Halt)


async def test_a_wrong_password_halts_with_a_sentence(server_context: ssl.SSLContext, ca_file: Path) -> None:
    """Trying on would lock the account; the sentence names the server and not the password."""
    async with secured(server_context, implicit=False) as server:
        provider = build(f"smtp://news%40paper.example:wrongsecret@127.0.0.1:{server.port}?ca={ca_file}")
        stream = await drained(provider, Stream(mails(2)))
        halted = stream.only()
        assert isinstance(halted, Halt)
        assert halted.code == "auth"
        assert "does not accept our user name and password" in halted.why
        with pytest.raises(ConfigurationError, match="user name and password") as refused:
            await provider.check()
        assert "wrongsecret" not in str(refused.value)
        assert server.received == []


async def test_a_log_in_that_fails_for_now_is_tried_later(server_context: ssl.SSLContext, ca_file: Path) -> None:
    """454 4.7.0 is the server's trouble (RFC 4954 section 6)."""
    async with secured(server_context, implicit=False) as server:
        server.always["AUTH"] = "454 4.7.0 Temporary authentication failure"
        provider = build(f"smtp://{LOGIN}@127.0.0.1:{server.port}?ca={ca_file}")
        later = (await drained(provider, Stream(mails(1)))).only()
        assert isinstance(later, Deferred)
        assert later.scope is Scope.PROVIDER


async def test_no_starttls_means_no_mail(smtp_server: SmtpServer) -> None:
    """A man in the middle who strips STARTTLS gets nothing (RFC 3207 section 6)."""
    stream = await drained(build(f"smtp://127.0.0.1:{smtp_server.port}"), Stream(mails(1)))
    halted = stream.only()
    assert isinstance(halted, Halt)
    assert "STARTTLS" in halted.why
    assert smtp_server.visits["MAIL"] == 0


async def test_no_log_in_offered_halts(smtp_server: SmtpServer) -> None:
    """A server that knows no AUTH is not the one that was meant."""
    stream = await drained(build(f"smtp://{LOGIN}@127.0.0.1:{smtp_server.port}?tls=none"), Stream(mails(1)))
    assert isinstance(stream.only(), Halt)


async def test_tls_with_a_server_that_speaks_none_is_tried_later(smtp_server: SmtpServer) -> None:
    """smtps:// to a port that speaks plain SMTP: words, not a traceback."""
    provider = build(f"smtps://127.0.0.1:{smtp_server.port}")
    later = (await drained(provider, Stream(mails(1)))).only()
    assert isinstance(later, Deferred)
    assert later.scope is Scope.PROVIDER
    assert "TLS" in later.why


# --- The server cannot be reached -------------------------------------------------------------------


async def refused_port() -> Server:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return Server("127.0.0.1", free.getsockname()[1], NONE)


async def unknown_host() -> Server:
    return Server("no-such-host.invalid", 25, NONE)


@pytest.mark.parametrize(("where", "words"), [(refused_port, "refused"), (unknown_host, "cannot be found")])
async def test_an_unreachable_server_defers_the_stream(where: Callable[[], Awaitable[Server]], words: str) -> None:
    """One message says why; the others were never taken, and wait."""
    provider = SmtpProvider("smtp", await where(), 4)
    stream = await drained(provider, Stream(mails(10)))
    later = stream.only()
    assert isinstance(later, Deferred)
    assert later.scope is Scope.PROVIDER
    assert words in later.why
    assert len(stream.waiting) == 9
    with pytest.raises(ConfigurationError, match=words):
        await provider.check()


@pytest.mark.parametrize(
    ("stage", "action"),
    [
        ("CONNECT", "421 4.3.2 Too busy"),
        ("CONNECT", "554 5.7.1 No SMTP service here"),
        ("CONNECT", DROP),
        ("CONNECT", HANG),
        ("CONNECT", "not SMTP at all"),
        ("EHLO", "421 4.3.2 Shutting down"),
        ("EHLO", DROP),
        ("EHLO", HANG),
    ],
)
async def test_a_session_that_does_not_begin_defers_the_stream(
    smtp_server: SmtpServer, stage: str, action: str
) -> None:
    """Whatever the server does before MAIL, nothing was sent, and the stream rests."""
    smtp_server.always[stage] = action
    stream = await drained(plain(smtp_server, 4, QUICK), Stream(mails(10)))
    later = stream.only()
    assert isinstance(later, Deferred)
    assert later.scope is Scope.PROVIDER
    assert later.why


async def test_a_refused_second_connection_is_one_fewer(smtp_server: SmtpServer) -> None:
    """Servers limit connections: those that were granted carry everything."""
    smtp_server.script["CONNECT"] = [OK, *["421 4.7.0 Too many connections"] * 20]
    stream = await drained(plain(smtp_server, 4), Stream(mails(20)))
    stream.assert_all_accepted(20)


# --- Replies ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "DOT"])
async def test_a_temporary_refusal_defers_that_message_only(smtp_server: SmtpServer, stage: str) -> None:
    """The same connection goes on with the next message."""
    smtp_server.script[stage] = ["450 4.2.0 Greylisted"]
    stream = await drained(plain(smtp_server), Stream(mails(3)))
    assert stream.receipts[1] == Deferred("450 4.2.0 Greylisted", code="4.2.0")
    assert [stream.kinds[2], stream.kinds[3]] == ["Accepted", "Accepted"]
    assert smtp_server.visits["CONNECT"] == 1
    assert smtp_server.recipients() == ["reader2@inbox.example", "reader3@inbox.example"]


async def test_an_unknown_reader_is_rejected_and_the_next_gets_the_paper(smtp_server: SmtpServer) -> None:
    """RSET clears the envelope in between (RFC 5321 section 4.1.1.5)."""
    smtp_server.refusals["reader2@inbox.example"] = "550 5.1.1 <reader2@inbox.example>: User unknown"
    stream = await drained(plain(smtp_server), Stream(mails(3)))
    rejected = stream.receipts[2]
    assert isinstance(rejected, Rejected)
    assert rejected.fault is Fault.ADDRESS
    assert "reader2@" not in rejected.why
    assert smtp_server.recipients() == ["reader1@inbox.example", "reader3@inbox.example"]
    assert smtp_server.visits["RSET"] == 1


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "DOT"])
async def test_our_own_fault_halts_the_stream(smtp_server: SmtpServer, stage: str) -> None:
    """After 5.7.26 nothing more is taken, on any connection."""
    smtp_server.always[stage] = "550 5.7.26 Unauthenticated mail is not accepted"
    stream = await drained(plain(smtp_server, 3), Stream(mails(30)))
    assert set(stream.kinds.values()) == {"Halt"}
    assert len(stream.waiting) >= 27


async def test_421_closes_the_connection_and_a_new_one_goes_on(smtp_server: SmtpServer) -> None:
    """Some servers say so after a number of messages (RFC 5321 section 3.8)."""
    smtp_server.script["MAIL"] = [OK, OK, "421 4.7.0 Enough on this connection"]
    stream = await drained(plain(smtp_server), Stream(mails(5)))
    assert list(stream.kinds.values()) == ["Accepted", "Accepted", "Deferred", "Accepted", "Accepted"]
    assert smtp_server.visits["CONNECT"] == 2


async def test_421_to_everything_ends_the_drain(smtp_server: SmtpServer) -> None:
    """Three connections in a row with nothing through: the stream rests instead of hammering."""
    smtp_server.always["MAIL"] = "421 4.3.2 Shutting down"
    stream = await drained(plain(smtp_server), Stream(mails(50)))
    assert smtp_server.visits["CONNECT"] == 3
    assert len(stream.receipts) == 4
    last = stream.receipts[4]
    assert isinstance(last, Deferred)
    assert last.scope is Scope.PROVIDER


async def test_a_list_of_bad_senders_stops_the_stream(smtp_server: SmtpServer) -> None:
    """Blocked by a list: two hours of rest for all, nothing against the reader."""
    smtp_server.always["RCPT"] = "554 5.7.1 Client host blocked using zen.spamhaus.org"
    stream = await drained(plain(smtp_server), Stream(mails(5)))
    later = stream.only()
    assert isinstance(later, Deferred)
    assert later.scope is Scope.PROVIDER
    assert later.after


# --- Breaks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "BODY"])
async def test_a_break_before_the_final_dot_delivers_nothing_and_says_so(smtp_server: SmtpServer, stage: str) -> None:
    """The message is owed again; the next one goes over a new connection."""
    smtp_server.script[stage] = [DROP]
    stream = await drained(plain(smtp_server), Stream([mail(1, paper=template(300)), mail(2)]))
    first = stream.receipts[1]
    if stage == "BODY":
        # The dot may have been with the transport already when the break showed.
        assert isinstance(first, Deferred | Unknown)
    else:
        assert isinstance(first, Deferred)
        assert first.code == "dropped"
    assert stream.kinds[2] == "Accepted"
    assert smtp_server.recipients() == ["reader2@inbox.example"]


async def test_a_break_after_the_final_dot_is_unknown(smtp_server: SmtpServer) -> None:
    """Nobody can say whether the server took it (RFC 1047)."""
    smtp_server.script["DOT"] = [DROP]
    stream = await drained(plain(smtp_server), Stream(mails(2)))
    assert isinstance(stream.receipts[1], Unknown)
    assert stream.kinds[2] == "Accepted"


async def test_silence_after_the_final_dot_is_unknown(smtp_server: SmtpServer) -> None:
    """After the time-out of RFC 5321 section 4.5.3.2.6, here made short."""
    smtp_server.script["DOT"] = [HANG]
    stream = await drained(plain(smtp_server, patience=QUICK), Stream(mails(2)))
    unknown = stream.receipts[1]
    assert isinstance(unknown, Unknown)
    assert "no answer" in unknown.why
    assert stream.kinds[2] == "Accepted"


async def test_nonsense_after_the_final_dot_is_unknown(smtp_server: SmtpServer) -> None:
    """An answer that is not SMTP is no answer."""
    smtp_server.script["DOT"] = ["what?"]
    stream = await drained(plain(smtp_server), Stream(mails(2)))
    assert list(stream.kinds.values()) == ["Unknown", "Accepted"]


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
async def test_silence_before_the_final_dot_is_no_hand_over(smtp_server: SmtpServer, stage: str) -> None:
    """Each stage has its own time-out."""
    smtp_server.script[stage] = [HANG]
    stream = await drained(plain(smtp_server, patience=QUICK), Stream(mails(2)))
    later = stream.receipts[1]
    assert isinstance(later, Deferred)
    assert "no answer to" in later.why
    assert stream.kinds[2] == "Accepted"


async def narrow_dial(host: str, port: int, within: float) -> socket.socket:
    """A link whose send buffer holds less than a message, as over a real network."""
    link = await dial(host, port, within)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    return link


async def test_a_server_that_stops_reading_gets_no_final_dot(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three minutes without an octet moving (here made short): known not to be delivered, so not unknown."""
    monkeypatch.setattr(smtp_session, "dial", narrow_dial)
    server = SmtpServer(window=8192)
    await server.start()
    server.script["BODY"] = [HANG]
    stream = await drained(plain(server, patience=QUICK), Stream([mail(1, paper=template(300))]))
    await server.stop()
    later = stream.only()
    assert isinstance(later, Deferred)
    assert server.received == []


async def test_small_writes_are_not_held_back(smtp_server: SmtpServer) -> None:
    """Lock-step with Nagle's algorithm costs 40 ms a message."""
    session = await open_session(Server("127.0.0.1", smtp_server.port, NONE))
    link = session.get_transport_info("socket")
    assert link.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    session.close()


async def test_breaks_at_every_message_end_the_drain(smtp_server: SmtpServer) -> None:
    """A server that dies at each message is out of order; what it broke on is not condemned."""
    smtp_server.always["DATA"] = DROP
    stream = await drained(plain(smtp_server), Stream(mails(50)))
    assert smtp_server.visits["CONNECT"] == 3
    assert all(isinstance(receipt, Deferred) for receipt in stream.receipts.values())
    assert [receipt.scope for receipt in stream.receipts.values() if isinstance(receipt, Deferred)][
        -1
    ] is Scope.PROVIDER
    assert len(stream.waiting) == 46


async def test_an_idle_connection_that_was_closed_costs_nothing(smtp_server: SmtpServer) -> None:
    """The server restarted between two drains: the next mail goes over a new connection."""
    provider = plain(smtp_server)
    await provider.drain(Stream([mail(1)]))
    smtp_server.drop_all()
    await asyncio.sleep(0.02)
    (await drained(provider, Stream([mail(2)]))).assert_all_accepted(1)


async def test_an_idle_connection_is_asked_before_it_is_trusted(
    smtp_server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a second of rest RSET is sent first; without a good answer a new connection is opened."""
    monkeypatch.setattr(smtp_connection, "_FRESH_FOR", -1.0)
    provider = plain(smtp_server, patience=QUICK)
    await provider.drain(Stream([mail(1)]))
    smtp_server.script["RSET"] = [OK, HANG, "421 4.4.2 Idle too long"]
    for number in (2, 3, 4):
        stream = Stream([mail(number)])
        await provider.drain(stream)
        stream.assert_all_accepted(1)
    await provider.close()
    assert smtp_server.visits["RSET"] == 3
    assert smtp_server.visits["CONNECT"] == 3


async def test_an_old_connection_is_given_up(smtp_server: SmtpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a minute of rest the server is told QUIT and a new connection is opened."""
    monkeypatch.setattr(smtp_connection, "_RECYCLE_AFTER", -1.0)
    provider = plain(smtp_server)
    await provider.drain(Stream([mail(1)]))
    (await drained(provider, Stream([mail(2)]))).assert_all_accepted(1)
    assert smtp_server.visits["CONNECT"] == 2
    assert smtp_server.visits["QUIT"] == 2


async def test_a_connection_that_broke_while_nobody_looked_costs_nothing(smtp_server: SmtpServer) -> None:
    """Nothing of the message was answered, so it goes over the next connection."""
    smtp_server.script["MAIL"] = [OK, DROP]
    stream = await drained(plain(smtp_server), Stream(mails(3)))
    stream.assert_all_accepted(3)
    assert sorted(smtp_server.recipients()) == [f"reader{number}@inbox.example" for number in (1, 2, 3)]


# --- Cancelling -------------------------------------------------------------------------------------


async def cancelled_at(server: SmtpServer, stage: str, stream: Stream) -> None:
    """Drains `stream` until the server hangs at `stage`, then cancels."""
    server.script[stage] = [HANG]
    provider = plain(server)
    task = asyncio.create_task(provider.drain(stream))
    await server.visited(stage)
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await provider.close()


@pytest.mark.parametrize("stage", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA"])
async def test_cancelled_before_the_final_dot_is_not_sent(smtp_server: SmtpServer, stage: str) -> None:
    """The message is owed again, the connection is closed."""
    stream = Stream(mails(2))
    await cancelled_at(smtp_server, stage, stream)
    assert not stream.out
    assert set(stream.kinds.values()) <= {"NotSent"}
    await asyncio.sleep(0.02)
    assert smtp_server.sessions == set()
    assert smtp_server.received == []


async def test_cancelled_after_the_final_dot_is_unknown(smtp_server: SmtpServer) -> None:
    """The server may have it."""
    stream = Stream(mails(2))
    await cancelled_at(smtp_server, "DOT", stream)
    assert isinstance(stream.only(), Unknown)


# --- Checks -----------------------------------------------------------------------------------------


async def test_check_says_hello_and_quit(smtp_server: SmtpServer) -> None:
    """It leaves no connection behind."""
    await plain(smtp_server).check()
    assert (smtp_server.visits["EHLO"], smtp_server.visits["QUIT"]) == (1, 1)
    await asyncio.sleep(0.02)
    assert smtp_server.sessions == set()


@pytest.mark.parametrize("reply", ["500 5.5.1 Command unrecognized", "502 5.5.1 Not implemented"])
async def test_a_server_that_knows_helo_only(smtp_server: SmtpServer, reply: str) -> None:
    """RFC 5321 section 3.2. It is given what it can do: one command after the other."""
    smtp_server.always["EHLO"] = reply
    provider = plain(smtp_server)
    await provider.check()
    stream = Stream(mails(3))
    await provider.drain(stream)
    assert set(stream.kinds.values()) == {"Accepted"}
    assert len(smtp_server.received) == 3
    await provider.close()


async def test_a_server_that_does_not_take_our_name_is_told_of_by_the_setting(smtp_server: SmtpServer) -> None:
    smtp_server.always["EHLO"] = "504 5.5.2 Need a full name"
    with pytest.raises(ConfigurationError, match=r"\?hostname= sets another\): 504"):
        await plain(smtp_server).check()


@pytest.mark.parametrize("given", ["post.example.org", "[192.0.2.1]", "[IPv6:2001:db8::1]"])
async def test_the_name_that_we_give_is_a_setting(smtp_server: SmtpServer, given: str) -> None:
    (provider,) = registry.build([f"smtp://127.0.0.1:{smtp_server.port}?tls=none&hostname={quote(given)}"], Path())
    await provider.check()
    assert smtp_server.hello == given


@pytest.mark.parametrize("given", ["post", "a b.example", "post.example.org MAIL", "[]", "-"])
def test_a_name_that_is_none_is_refused(given: str) -> None:
    with pytest.raises(ConfigurationError, match="hostname must be the full name"):
        registry.build([f"smtp://127.0.0.1:25?tls=none&hostname={quote(given)}"], Path())


async def test_check_does_not_wait_for_ever(smtp_server: SmtpServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """smtp:// to a port that waits for TLS: a hint after half a minute, here made short."""
    monkeypatch.setattr("app.providers.smtp._CHECK_WITHIN", 0.2)
    smtp_server.always["CONNECT"] = HANG
    with pytest.raises(ConfigurationError, match=r"does not answer; .* wants smtps://"):
        await plain(smtp_server).check()


async def test_a_fault_of_ours_after_dialling_leaves_no_connection_open(
    smtp_server: SmtpServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody holds it any more, so it is closed at once and not when it happens to be collected."""
    opened: list[Session] = []

    def broken(session: Session, _: object) -> Manner:
        opened.append(session)
        raise RuntimeError("a bug")

    monkeypatch.setattr("app.providers.smtp_connection.manner_of", broken)
    with pytest.raises(RuntimeError, match="a bug"):
        await Connection.open(Server("127.0.0.1", smtp_server.port, NONE), Terms())
    assert opened[0].transport is None
    assert not opened[0].is_connected
