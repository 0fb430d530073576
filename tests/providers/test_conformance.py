"""What every provider promises (core/mail/provider.py), tried on each of them. A new provider is one more `Way`."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from app.core.errors import ConfigurationError
from app.core.mail.message import Message
from app.core.mail.provider import Provider
from app.core.mail.receipt import Accepted, Deferred, Fault, Rejected, Scope, Unknown
from app.core.mail.template import Slot
from app.providers import registry
from tests.providers.mails import PAPER, Stream, mail, mails, template
from tests.providers.resend_server import KEY, ResendServer
from tests.providers.smtp_server import SmtpServer


@dataclass
class Way:
    """A provider, what has arrived through it (addresses, in order), and how to take its server away."""

    provider: Provider
    arrived: Callable[[], list[str]]
    take_away: Callable[[], Awaitable[None]]


def to_address(content: bytes) -> str:
    found = re.search(rb"^To: (.*)\r\n", content, re.MULTILINE)
    assert found
    return found[1].decode()


def outbox(folder: Path) -> Way:
    (provider,) = registry.build(["outbox:"], folder)

    async def take_away() -> None:
        folder.mkdir(exist_ok=True)
        folder.rename(folder.with_name("elsewhere"))
        folder.write_text("no folder")

    new = folder / "outbox" / "new"
    return Way(provider, lambda: [to_address(path.read_bytes()) for path in sorted(new.glob("*"))], take_away)


@pytest.fixture(params=["outbox", "smtp", "resend"])
async def way(
    request: pytest.FixtureRequest, tmp_path: Path, smtp_server: SmtpServer, resend_server: ResendServer
) -> AsyncIterator[Way]:
    match request.param:
        case "outbox":
            made = outbox(tmp_path / "var")
        case "smtp":
            (provider,) = registry.build([f"smtp://127.0.0.1:{smtp_server.port}?tls=none&connections=3"], tmp_path)
            made = Way(provider, smtp_server.recipients, smtp_server.stop)
        case _:
            (provider,) = registry.build([f"resend://{KEY}@127.0.0.1:{resend_server.port}?scheme=http"], tmp_path)
            made = Way(provider, resend_server.recipients, resend_server.stop)
    yield made
    await made.provider.close()


def addresses(messages: list[Message]) -> list[str]:
    return sorted(message.recipient for message in messages)


async def test_every_message_arrives_once_and_is_settled_once(way: Way) -> None:
    """`Stream` fails on a second receipt."""
    stream = Stream(mails(130))
    await way.provider.drain(stream)
    stream.assert_all_accepted(130)
    assert sorted(way.arrived()) == addresses(mails(130))


async def test_an_empty_take_ends_the_drain(way: Way) -> None:
    """Nothing is owed: nothing is sent, nothing is settled."""
    stream = Stream([])
    await way.provider.drain(stream)
    assert stream.receipts == {}
    assert way.arrived() == []


async def test_a_stream_that_gives_less_than_was_asked_is_drained_to_its_end(way: Way) -> None:
    """`take` may give fewer messages than wanted; only an empty answer means stop."""
    stream = Stream(mails(20), at_most=1)
    await way.provider.drain(stream)
    stream.assert_all_accepted(20)


async def test_two_drains_at_once_share_a_stream(way: Way) -> None:
    """`take` is safe for concurrent callers, and each message goes out once."""
    stream = Stream(mails(60), at_most=7)
    await asyncio.gather(way.provider.drain(stream), way.provider.drain(stream))
    stream.assert_all_accepted(60)
    assert sorted(way.arrived()) == addresses(mails(60))


@pytest.mark.parametrize("steps", [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144])
async def test_cancelling_at_any_moment_settles_everything_taken(way: Way, steps: int) -> None:
    """Accepted means arrived; whatever arrived is accepted or unknown; the rest is owed again."""
    stream = Stream(mails(12), at_most=4)
    task = asyncio.create_task(way.provider.drain(stream))
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert not stream.out
    assert len(stream.receipts) + len(stream.waiting) == 12
    await asyncio.sleep(0.02)
    arrived = way.arrived()
    assert len(arrived) == len(set(arrived))
    for key, receipt in stream.receipts.items():
        match receipt:
            case Accepted():
                assert mail(key).recipient in arrived
            case Unknown():
                pass
            case _:
                assert mail(key).recipient not in arrived


async def test_after_a_cancelled_drain_the_next_one_works(way: Way) -> None:
    """No lock is left locked, no connection half-way through a message is used again."""
    for pause in (0.0, 0.002, 0.01):
        task = asyncio.create_task(way.provider.drain(Stream(mails(30))))
        await asyncio.sleep(pause)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    stream = Stream(mails(30))
    await way.provider.drain(stream)
    stream.assert_all_accepted(30)


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("jörg@inbox.example", Fault.MESSAGE),
        ("a b@inbox.example", Fault.ADDRESS),
        ("a@b@inbox.example", Fault.ADDRESS),
        ("x" * 65 + "@a.example", Fault.ADDRESS),
    ],
)
async def test_an_address_that_cannot_be_written_is_rejected_alone(way: Way, address: str, fault: Fault) -> None:
    """The others get their paper. An address that only SMTPUTF8 could write may be a good one: we are at fault."""
    stream = Stream([mail(1), mail(2, address), mail(3)])
    await way.provider.drain(stream)
    rejected = stream.receipts[2]
    assert isinstance(rejected, Rejected)
    assert rejected.fault is fault
    assert rejected.why.startswith("the address")
    assert [stream.kinds[1], stream.kinds[3]] == ["Accepted", "Accepted"]
    assert sorted(way.arrived()) == addresses([mail(1), mail(3)])


async def test_an_address_cannot_smuggle_a_command(way: Way) -> None:
    """Line breaks and angle brackets never reach the server."""
    tricks = [
        "a@b.example>\r\nRCPT TO:<c@d.example",
        "a@b.example\r\nBcc: c@d.example",
        "<a@b.example>",
        "a@b.example\0",
    ]
    stream = Stream([mail(number, trick) for number, trick in enumerate(tricks)])
    await way.provider.drain(stream)
    assert set(stream.kinds.values()) == {"Rejected"}
    assert way.arrived() == []


async def test_a_message_that_cannot_be_made_is_rejected_alone(way: Way) -> None:
    """A slot without a value, a header with a line break: a fault of ours, and not of all messages."""
    slotless = replace(mail(2), values={Slot.ADDRESS: "x"})
    broken = replace(mail(3), headers=(("List-Unsubscribe", "<https://a.example>\r\nBcc: x@y.example"),))
    subject = mail(4, paper=replace(PAPER, subject="Morning\r\nBcc: x@y.example"))
    stream = Stream([mail(1), slotless, broken, subject, mail(5)])
    await way.provider.drain(stream)
    for key in (2, 3, 4):
        rejected = stream.receipts[key]
        assert isinstance(rejected, Rejected)
        assert rejected.fault is Fault.OURS
    assert sorted(way.arrived()) == addresses([mail(1), mail(5)])


async def test_a_text_only_mail_is_carried(way: Way) -> None:
    """Service mail may have no HTML part."""
    paper = replace(PAPER, html=None)
    stream = Stream([mail(1, paper=paper)])
    await way.provider.drain(stream)
    stream.assert_all_accepted(1)


async def test_a_provider_that_is_away_keeps_the_stream_waiting(way: Way) -> None:
    """The drain ends by itself, raises nothing, and blames nobody's address."""
    await way.provider.close()
    await way.take_away()
    stream = Stream(mails(250))
    await way.provider.drain(stream)
    assert not stream.out
    assert len(stream.waiting) >= 149
    for receipt in stream.receipts.values():
        assert isinstance(receipt, Deferred)
        assert receipt.scope is Scope.PROVIDER
        assert receipt.why
    with pytest.raises(ConfigurationError):
        await way.provider.check()


async def test_check_passes_and_sends_nothing(way: Way) -> None:
    """It may be asked at every start."""
    await way.provider.check()
    await way.provider.check()
    assert way.arrived() == []


async def test_closing_twice_is_closing_once(way: Way) -> None:
    """And a drain after it opens what it needs."""
    await way.provider.close()
    await way.provider.drain(Stream([mail(1)]))
    await way.provider.close()
    await way.provider.close()
    stream = Stream([mail(2)])
    await way.provider.drain(stream)
    stream.assert_all_accepted(1)


async def test_a_bug_in_the_books_is_not_hidden(way: Way) -> None:
    """An error of `take` is the caller's: it comes out, and nothing stays unsettled."""

    class Broken(Stream):
        async def take(self, most: int) -> list[Message]:
            if self.takes:
                raise RuntimeError("the ledger is gone")
            return list(await super().take(most))

    stream = Broken(mails(5), at_most=1)
    with pytest.raises((RuntimeError, ExceptionGroup)):
        await way.provider.drain(stream)
    assert not stream.out


async def test_large_mails_are_carried_whole(way: Way) -> None:
    """Far beyond any buffer on the way."""
    stream = Stream([mail(1, paper=template(400))])
    await way.provider.drain(stream)
    stream.assert_all_accepted(1)
