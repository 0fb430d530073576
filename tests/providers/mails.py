"""Mails to send, and an `Outgoing` that keeps the books as strictly as the ledger does."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage

from app.core.mail.message import Message
from app.core.mail.receipt import Accepted, Receipt, Unknown
from app.core.mail.template import MailTemplate, Pieces, Slot, slot

MARK = "m4rk"
WORDS = ("models", "papers", "benchmarks", "open weights", "a dot .", "façade", "数据")


def template(paragraphs: int = 6) -> MailTemplate:
    """A paper of two parts whose text begins lines with dots, and holds letters of several scripts."""
    lines = [f".{number} {' '.join(WORDS)} " * 3 for number in range(paragraphs)]
    end = slot(MARK, Slot.UNSUBSCRIBE)
    text = "\n".join((*lines, ".", f"Leave: {end}", f"Written to {slot(MARK, Slot.ADDRESS)}", ""))
    body = "".join(f"<p>{line}</p>\n" for line in lines)
    page = f'<html><body>{body}<a href="{end}">Leave</a> {slot(MARK, Slot.ADDRESS)}</body></html>\n'
    return MailTemplate(
        subject="The morning’s edition: models, papers & more",
        sender=("The AI Morning Post", "post@paper.example"),
        headers=(("List-Id", "The AI Morning Post <daily.paper.example>"), ("Feedback-ID", "daily:paper:example")),
        text=Pieces.cut(text, MARK),
        html=Pieces.cut(page, MARK),
        reply_to="editor@paper.example",
    )


PAPER = template()


def mail(number: int, recipient: str = "", paper: MailTemplate = PAPER, return_path: str = "") -> Message:
    """The mail of reader `number`."""
    recipient = recipient or f"reader{number}@inbox.example"
    unsubscribe = f"https://paper.example/unsubscribe/{number:032x}"
    return Message(
        key=number,
        attempt=1,
        recipient=recipient,
        message_id=f"<{number:032x}@paper.example>",
        date=datetime(2026, 11, 23, 6, 30, tzinfo=UTC),
        return_path=return_path or f"bounce+{number}@paper.example",
        template=paper,
        values={Slot.ADDRESS: recipient, Slot.UNSUBSCRIBE: unsubscribe},
        headers=(
            ("List-Unsubscribe", f"<{unsubscribe}>"),
            ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
        ),
    )


def mails(count: int) -> list[Message]:
    return [mail(number) for number in range(1, count + 1)]


class Stream:
    """Owed messages. A message settled twice, or one that was never taken, fails the test at once."""

    def __init__(self, messages: Sequence[Message], at_most: int = 10_000) -> None:
        self.waiting = list(messages)
        self.out: dict[int, Message] = {}
        self.receipts: dict[int, Receipt] = {}
        self.takes: list[int] = []
        self.settled = asyncio.Event()
        self._at_most = at_most
        self.writable = True
        self.noted: set[int] = set()
        """Those that were said to be about to be written."""

    async def take(self, most: int) -> Sequence[Message]:
        self.takes.append(most)
        await asyncio.sleep(0)
        count = min(most, self._at_most)
        taken, self.waiting = self.waiting[:count], self.waiting[count:]
        self.out |= {message.key: message for message in taken}
        return taken

    def may_write(self) -> bool:
        return self.writable

    def written(self, messages: Iterable[Message]) -> None:
        assert all(message.key in self.out for message in messages), "written without having been taken"
        self.noted |= {message.key for message in messages}

    def settle(self, message: Message, receipt: Receipt) -> None:
        assert message.key in self.out, "settled without having been taken, or twice"
        assert message.key in self.noted or not isinstance(receipt, Accepted | Unknown), "written without being noted"
        del self.out[message.key]
        self.receipts[message.key] = receipt
        self.settled.set()

    async def count(self, receipts: int) -> None:
        """Waits until there are so many receipts."""
        while len(self.receipts) < receipts:
            self.settled.clear()
            await self.settled.wait()

    @property
    def kinds(self) -> Mapping[int, str]:
        """The kind of each receipt, by key."""
        return {key: type(receipt).__name__ for key, receipt in sorted(self.receipts.items())}

    def only(self) -> Receipt:
        """The one receipt there is."""
        (receipt,) = self.receipts.values()
        return receipt

    def assert_all_accepted(self, count: int) -> None:
        assert [type(receipt) for receipt in self.receipts.values()] == [Accepted] * count, self.receipts
        assert not self.out
        assert not self.waiting


def parsed(content: bytes) -> EmailMessage:
    """The message as the standard library reads it."""
    return message_from_bytes(content, policy=policy.default)


def assert_is_mail(content: bytes, number: int) -> None:
    """The bytes are the mail of reader `number`, whole and well-formed."""
    assert b"\r" not in content.replace(b"\r\n", b"")
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert all(len(line) <= 998 for line in content.split(b"\r\n"))
    message = parsed(content)
    assert not message.defects
    assert message["To"] == f"reader{number}@inbox.example"
    assert message["Message-ID"] == f"<{number:032x}@paper.example>"
    assert message["Subject"] == "The morning’s edition: models, papers & more"
    link = f"https://paper.example/unsubscribe/{number:032x}"
    assert message["List-Unsubscribe"] == f"<{link}>"
    plain, page = message.iter_parts()
    text = plain.get_content().replace("\r\n", "\n")
    assert text == mail(number).text()
    assert link in text
    assert "\n.\n" in text
    assert page.get_content().replace("\r\n", "\n") == mail(number).html()
