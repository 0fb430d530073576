"""One mail to one reader: a template, the values of its slots, and the headers that are the reader's own."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from functools import lru_cache

from app.core.mail.template import MailTemplate, Slot, header


@dataclass(frozen=True, slots=True)
class Message:
    """What a provider hands over. `key` and `attempt` name the ledger's row and mean nothing to a provider."""

    key: int
    attempt: int
    recipient: str
    message_id: str
    date: datetime
    return_path: str
    template: MailTemplate
    values: Mapping[Slot, str]
    headers: tuple[tuple[str, str], ...] = ()

    def head(self) -> list[bytes]:
        """The headers that are this reader's own, encoded."""
        return [
            header("To", self.recipient),
            header("Message-ID", self.message_id),
            _date(self.date.replace(microsecond=0)),
            *[header(name, value) for name, value in self.headers],
        ]

    def as_bytes(self) -> bytes:
        """The whole message (RFC 5322): CRLF lines, 7-bit, none past 998 octets, no line that begins with a dot."""
        return b"".join(self.head() + self.template.spliced(self.values))

    def text(self) -> str:
        """The plain-text body, for providers that build the message themselves."""
        return self.template.text.fill(self.values)

    def html(self) -> str | None:
        """The HTML body, for providers that build the message themselves."""
        if self.template.html is None:
            return None
        return self.template.html.fill(self.template.values_html(self.values))


@lru_cache(maxsize=64)  # thousands of mails leave within one second
def _date(second: datetime) -> bytes:
    return header("Date", format_datetime(second))
