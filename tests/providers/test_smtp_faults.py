"""Every fault at every stage in every manner of speaking: its receipt, and that nobody is lost or doubled."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.core.errors import ConfigurationError
from app.core.mail.receipt import Accepted, Deferred, Halt, Scope, Unknown
from app.providers import registry, smtp_ahead, smtp_session
from app.providers.smtp import SmtpProvider
from app.providers.smtp_connection import Terms
from app.providers.smtp_dial import dial
from app.providers.smtp_letter import Manner
from app.providers.smtp_session import NONE, Patience, Server
from tests.providers.fault_server import DRIBBLE, DROP, ENDLESS, GARBAGE, HALF, STALL, UNASKED, FaultServer
from tests.providers.mails import Stream, mail, mails, template

QUICK = Patience(connect=5, greeting=5, mail=0.4, rcpt=0.4, data=0.4, block=0.4, dot=0.4, check=0.4)
MANNERS = ("lockstep", "pipelined", "chunked")
LATER, GREYLISTED, FULL = "421 4.3.2 Closing", "450 4.2.0 Greylisted", "452 4.2.2 Mailbox full"
NOBODY, OURS, CONTENT = "550 5.1.1 User unknown", "550 5.7.26 Unauthenticated", "554 5.6.0 Content"
LONG = "450 4.2.0 Greylisted\n4.2.0 on several\n4.2.0 lines"


@asynccontextmanager
async def serving(manner: str, *, strict: bool = True) -> AsyncIterator[FaultServer]:
    server = FaultServer(manner, strict=strict)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


def provider(
    server: FaultServer, patience: Patience = Patience(), connections: int = 1, most: int = 500
) -> SmtpProvider:
    return SmtpProvider("smtp", Server("127.0.0.1", server.port, NONE, patience=patience), connections, Terms(most))


async def drained(way: SmtpProvider, stream: Stream) -> Stream:
    try:
        await way.drain(stream)
    finally:
        await way.close()
    assert not stream.out
    return stream


async def narrow_dial(host: str, port: int, within: float) -> socket.socket:
    """A link whose send buffer holds less than a large message, as over a real network."""
    link = await dial(host, port, within)
    link.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    return link


def expected(manner: str, stage: str, fault: str) -> str:
    """The kind of receipt of the message that met the fault."""
    end = stage == "DOT" or manner == "chunked"  # all of it had been given to the transport
    match fault:
        case "drop" | "half" | "stall" | "garbage" | "endless":
            return "Unknown" if end else "Deferred"
        case "dribble":
            return "Accepted"
        case _ if fault == OURS:
            return "Halt"
        case _ if fault == NOBODY:
            return "Halt" if stage == "MAIL" else "Rejected"
        case _ if fault == CONTENT:
            return "Rejected"
        case _:
            return "Deferred"


FAULTS = (LATER, GREYLISTED, FULL, LONG, NOBODY, OURS, CONTENT, DROP, HALF, STALL, GARBAGE, ENDLESS, DRIBBLE)
CELLS = [
    pytest.param(manner, stage, fault, id=f"{manner}-{stage}-{fault.partition(' ')[0]}-{number}")
    for manner in MANNERS
    for stage in ("MAIL", "RCPT", "DATA", "DOT")
    for number, fault in enumerate(FAULTS)
    if not (manner == "chunked" and stage == "DATA")
]


@pytest.mark.parametrize(("manner", "stage", "fault"), CELLS)
async def test_each_fault_at_each_stage_ends_in_its_receipt(manner: str, stage: str, fault: str) -> None:
    """And the next message arrives, unless nothing may go out any more."""
    async with serving(manner) as server:
        server.script[stage] = [fault]
        stream = await drained(provider(server, QUICK), Stream(mails(2)))
        kind = expected(manner, stage, fault)
        assert stream.kinds[1] == kind
        arrived = [mail(1).recipient] if kind == "Accepted" else []
        if kind == "Halt":
            assert len(stream.receipts) + len(stream.waiting) == 2
        else:
            assert stream.kinds[2] == "Accepted"
            arrived.append(mail(2).recipient)
        assert server.recipients() == arrived


@pytest.mark.parametrize("fault", [LATER, NOBODY, DROP, UNASKED])
@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA", "DOT", "RSET"])
@pytest.mark.parametrize("manner", MANNERS)
async def test_in_the_middle_of_a_stream_nobody_is_lost_or_doubled(manner: str, stage: str, fault: str) -> None:
    """Whatever is under way at the fault: accepted is what arrived once; refused or deferred is what did not."""
    if stage == "MAIL" and fault == NOBODY:
        fault = GREYLISTED  # the sender is refused: that halts, and has its own tests
    if manner == "chunked" and fault == UNASKED:
        pytest.skip("one answer too many is found at the end only, when all of them have moved up by one")
    async with serving(manner) as server:
        server.script[stage] = ["", "", "", "", "", "", "", "", fault]
        stream = await drained(provider(server, QUICK), Stream(mails(40)))
        assert len(stream.receipts) == 40
        arrived = server.recipients()
        assert len(arrived) == len(set(arrived))
        for key, receipt in stream.receipts.items():
            match receipt:
                case Accepted():
                    assert mail(key).recipient in arrived
                case Unknown():
                    assert stage in {"DATA", "DOT"} or manner == "chunked"
                case _:
                    assert mail(key).recipient not in arrived
        assert sum(isinstance(receipt, Accepted) for receipt in stream.receipts.values()) >= 40 - smtp_ahead.AHEAD


@pytest.mark.parametrize("manner", MANNERS)
async def test_the_bytes_arrive_as_they_were_built(manner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In every manner, small and far beyond the system's buffer, where the end of a message follows by itself."""
    monkeypatch.setattr(smtp_session, "dial", narrow_dial)
    async with serving(manner) as server:
        paper = template(300)
        large = [mail(number, paper=paper) for number in (31, 32)]
        stream = await drained(provider(server, connections=2), Stream(mails(30) + large))
        stream.assert_all_accepted(32)
        content = dict(server.received)
        for one in (*mails(30), *large):
            assert content[one.recipient] == one.as_bytes()


async def test_envelopes_go_with_the_message_before_them() -> None:
    """RFC 2920: with PIPELINING a message takes one round trip; in lock-step nothing is written ahead."""
    async with serving("pipelined") as server:
        (await drained(provider(server), Stream(mails(30)))).assert_all_accepted(30)
        assert server.deepest == 1
        assert server.verbs[:5] == ["EHLO", "MAIL", "RCPT", "DATA", "MAIL"]
    async with serving("lockstep") as server:
        (await drained(provider(server), Stream(mails(30)))).assert_all_accepted(30)
        assert server.deepest == 0


async def test_with_chunking_several_messages_are_under_way() -> None:
    """RFC 3030: nothing has to be awaited between messages; RSET stands between any two."""
    async with serving("chunked") as server:
        server.delay = 0.002
        (await drained(provider(server), Stream(mails(60)))).assert_all_accepted(60)
        assert server.deepest > 3
        assert server.verbs[:5] == ["EHLO", "MAIL", "RCPT", "BDAT", "RSET"]
        assert "DATA" not in server.verbs


async def test_a_better_manner_than_allowed_is_not_used() -> None:
    """`?manner=lockstep` is for servers that offer what they cannot do."""
    async with serving("chunked") as server:
        wire = Server("127.0.0.1", server.port, NONE)
        way = SmtpProvider("smtp", wire, 1, Terms(500, Manner.LOCKSTEP))
        (await drained(way, Stream(mails(5)))).assert_all_accepted(5)
        assert "BDAT" not in server.verbs
        assert server.deepest == 0


@pytest.mark.parametrize("strict", [True, False])
async def test_data_that_is_taken_without_a_recipient_is_ended_by_a_lone_dot(strict: bool) -> None:
    """RFC 2920 section 3.1; a server that refuses DATA gets RSET instead. The next reader gets the paper either way."""
    async with serving("pipelined", strict=strict) as server:
        server.script["RCPT"] = ["", NOBODY, "", ""]
        stream = await drained(provider(server), Stream(mails(4)))
        assert list(stream.kinds.values()) == ["Accepted", "Rejected", "Accepted", "Accepted"]
        assert ("RSET" in server.verbs) is strict
        assert server.connections == 1
        assert mail(2).recipient not in server.recipients()


@pytest.mark.parametrize("manner", MANNERS)
async def test_a_connection_is_given_up_after_so_many_messages(manner: str) -> None:
    """`?messages=`: QUIT is said, and nothing is lost on the way to the next."""
    async with serving(manner) as server:
        (await drained(provider(server, most=7), Stream(mails(30)))).assert_all_accepted(30)
        assert server.connections == 5
        assert server.verbs.count("QUIT") == 5


@pytest.mark.parametrize("manner", ["lockstep", "pipelined"])
async def test_a_refusal_in_mid_message_is_heard(manner: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer before the end of a message that is larger than every buffer: its end is never written."""
    monkeypatch.setattr(smtp_session, "dial", narrow_dial)
    async with serving(manner) as server:
        server.script["BODY"] = ["552 5.3.4 Too much"]
        large = mail(1, paper=template(600))
        stream = await drained(provider(server, QUICK), Stream([large, mail(2)]))
        assert stream.kinds[1] in {"Rejected", "Deferred"}  # the close may be seen before the words
        assert stream.kinds[2] == "Accepted"


async def test_what_was_under_way_behind_a_421_goes_over_the_next_connection() -> None:
    """The server said that it closes, closed, and had answered none of it (RFC 5321 section 3.8): not unknown."""
    async with serving("chunked") as server:
        server.delay = 0.002
        server.script["RSET"] = [""] * 15 + [LATER]
        stream = await drained(provider(server), Stream(mails(40)))
        assert set(stream.kinds.values()) <= {"Accepted", "Deferred"}
        assert list(stream.kinds.values()).count("Accepted") >= 39
        assert server.connections == 2


@pytest.mark.parametrize("manner", MANNERS)
async def test_a_lease_that_is_over_writes_nothing_more(manner: str) -> None:
    """What was taken before and lies ready is owed again."""
    async with serving(manner) as server:
        stream = Stream(mails(60))
        sending = asyncio.create_task(provider(server).drain(stream))
        await stream.count(10)
        stream.writable = False
        stream.waiting.clear()
        await sending
        assert not stream.out
        arrived = server.recipients()
        for key, receipt in stream.receipts.items():
            assert isinstance(receipt, Accepted) is (mail(key).recipient in arrived)


@pytest.mark.parametrize("manner", MANNERS)
async def test_a_lease_that_is_late_holds_nothing_up(manner: str) -> None:
    """While the ledger is away nothing is begun; when it is back the stream goes on, on connections that are there."""
    async with serving(manner) as server:
        stream = Stream(mails(80))
        sending = asyncio.create_task(provider(server).drain(stream))
        for count in (10, 30):
            await stream.count(count)
            stream.writable = False
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            stream.writable = True
        async with asyncio.timeout(60):
            await sending
        assert not stream.out
        assert not stream.waiting
        assert set(stream.kinds.values()) <= {"Accepted", "NotSent"}
        arrived = server.recipients()
        assert len(arrived) == len(set(arrived)) == list(stream.kinds.values()).count("Accepted")


async def test_silence_ends_at_its_stage_only() -> None:
    """Replies that come an octet at a time are no silence, and a slow answer does not make the next one late."""
    async with serving("pipelined") as server:
        server.always = {"MAIL": DRIBBLE, "DOT": DRIBBLE}
        (await drained(provider(server, QUICK), Stream(mails(4)))).assert_all_accepted(4)
        server.always = {"DOT": STALL}
        stream = await drained(provider(server, QUICK), Stream(mails(1)))
        unknown = stream.only()
        assert isinstance(unknown, Unknown)
        assert "the final dot within 0.4 s" in unknown.why
        assert not isinstance(unknown, Deferred)


async def test_a_token_is_read_at_every_log_in(tmp_path: Path) -> None:
    """XOAUTH2: one that has run out makes the stream wait; whoever renews it writes the file anew, and it goes on."""
    file = tmp_path / "token"
    async with serving("pipelined") as server:
        server.token = "ya29.new"
        url = f"smtp://news%40paper.example@127.0.0.1:{server.port}?tls=none&token={file}"
        (way,) = registry.build([url], tmp_path)
        for token, words in ((None, "cannot be read"), ("ya29.old\n", "does not accept our token")):
            if token:
                file.write_text(token)
            stream = Stream(mails(3))
            await way.drain(stream)
            later = stream.only()
            assert isinstance(later, Deferred)
            assert later.scope is Scope.PROVIDER
            assert words in later.why
        file.write_text("ya29.new\n")
        stream = Stream(mails(3))
        await way.drain(stream)
        await way.close()
        stream.assert_all_accepted(3)


async def test_a_server_that_takes_no_token_halts(tmp_path: Path) -> None:
    """It is not the one that was meant."""
    file = tmp_path / "token"
    file.write_text("ya29.new")
    async with serving("pipelined") as server:
        (way,) = registry.build([f"smtp://news@127.0.0.1:{server.port}?tls=none&token={file}"], tmp_path)
        stream = Stream(mails(1))
        await way.drain(stream)
        assert isinstance(stream.only(), Halt)


@pytest.mark.parametrize("entry", ["smtp://a:b@127.0.0.1?token=x", "smtp://127.0.0.1?token=x"])
def test_a_token_takes_the_place_of_a_password(entry: str, tmp_path: Path) -> None:
    """Both, or a token of nobody, are a slip of the operator's."""
    with pytest.raises(ConfigurationError, match="belong together"):
        registry.build([entry], tmp_path)
