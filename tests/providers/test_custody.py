"""Custody and envelope: the two things that every provider leans on."""

import asyncio
from contextlib import suppress

import pytest

from app.core.mail.path import path
from app.core.mail.receipt import Accepted, Deferred, Fault, NotSent, Rejected, Scope, Unknown
from app.providers.api import Answer
from app.providers.custody import Custody, stand_down
from app.providers.envelope import Envelope, sealed
from tests.providers.mails import Stream, mail, mails


async def taken(count: int) -> tuple[Stream, list[int]]:
    stream = Stream(mails(count))
    return stream, [message.key for message in await stream.take(count)]


async def test_what_is_left_is_settled_by_how_far_it_came() -> None:
    """Not written: owed again. Written without an answer: unknown. Written and refused: owed again."""
    stream, _ = await taken(4)
    first, second, third, fourth = stream.out.values()
    with Custody(stream, [first, second, third, fourth]) as custody:
        custody.written([first, second, third])
        custody.settle(first, Accepted())
        custody.refused([third])
        assert custody.left == (second, third, fourth)
    assert [type(receipt) for _, receipt in sorted(stream.receipts.items())] == [Accepted, Unknown, NotSent, NotSent]
    assert isinstance(stream.receipts[fourth.key], NotSent)


async def test_a_bug_costs_one_hand_over_and_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    """It ends with the block: the next messages are not its victims."""
    stream, _ = await taken(2)
    with Custody(stream, list(stream.out.values())) as custody:
        custody.written(custody.left[:1])
        raise ZeroDivisionError
    assert isinstance(stream.receipts[1], Unknown)
    assert isinstance(stream.receipts[2], Deferred)
    assert "nobody foresaw" in capsys.readouterr().out


async def test_a_cancellation_that_was_swallowed_is_heeded() -> None:
    """asyncio.wait_for of Python 3.11 can lose one; what was taken goes back, and the task ends."""
    stream, _ = await taken(2)

    async def work() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(10)
        with Custody(stream, list(stream.out.values())):
            raise AssertionError("the block must not begin")

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert set(stream.kinds.values()) == {"NotSent"}


async def test_standing_down_is_said_on_one_message() -> None:
    """And on none where nothing is owed."""
    why = Deferred("closed", scope=Scope.PROVIDER)
    stream = Stream(mails(3))
    await stand_down(stream, why)
    assert stream.only() == why
    assert len(stream.waiting) == 2
    await stand_down(Stream([]), why)


@pytest.mark.parametrize(
    "address",
    ["a@b.example", "first.last+tag@sub.paper.example", "o'neil@a.example", '"a b"@a.example', "a..b@a.example",
     "x@xn--bcher-kva.example", "root@localhost", "a@[192.0.2.1]", "a@[IPv6:2001:db8::1]"],
)  # fmt: skip
def test_an_address_that_can_be_written(address: str) -> None:
    """RFC 5321 section 4.1.2, with the dots that some old mailboxes have."""
    assert path(address) == address.encode()


@pytest.mark.parametrize(
    "address",
    ["", "a", "@b.example", "a@", "a@b@c.example", "a b@c.example", "a@b c.example", "<a@b.example>", "a@b.example\r\n",
     "a@b..example", "a@.example", '"a@b.example', '"a\n"@b.example', "ü@b.example", "a@bücher.example",
     "x" * 65 + "@b.example", "a@" + "b" * 256],
)  # fmt: skip
def test_an_address_that_cannot_be_written(address: str) -> None:
    """Each is refused before a server sees it."""
    with pytest.raises(ValueError, match=r"^the address"):
        path(address)


def test_a_message_becomes_an_envelope() -> None:
    """Return path, recipient, and the bytes."""
    assert sealed(mail(1)) == Envelope(b"bounce+1@paper.example", b"reader1@inbox.example", mail(1).as_bytes())


def test_a_bad_return_path_is_our_fault() -> None:
    """The reader has nothing to do with it."""
    refused = sealed(mail(1, return_path="bounce@büro.example"))
    assert isinstance(refused, Rejected)
    assert refused.fault is Fault.OURS


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("3", 3.0), ("0.5", 0.5), ("", None), ("-1", None), ("inf", None), ("nan", None),
     ("Mon, 23 Nov 2026 12:00:00 GMT", None)],
)  # fmt: skip
def test_a_header_of_seconds(value: str, seconds: float | None) -> None:
    """Whatever is no plain number of seconds is as if it were not there."""
    assert Answer(429, {"retry-after": value}, None).seconds("ratelimit-reset", "retry-after") == seconds


def test_an_address_beyond_ascii_is_not_at_fault() -> None:
    """There may be a mailbox; only we cannot write to it. What is no address at all is another thing."""
    refused = [sealed(mail(1, recipient)) for recipient in ("jürgen@paper.example", "ada@@paper.example")]
    assert [(one.fault, one.code) for one in refused if isinstance(one, Rejected)] == [
        (Fault.MESSAGE, "smtputf8"),
        (Fault.ADDRESS, "bad-address"),
    ]
