"""What a receiver demands of the bytes of a newsletter (Gmail, Yahoo and Microsoft sender rules and the RFCs named).

A DKIM signature is the work of whoever carries the mail, so it is not among these.
"""

import email
import email.policy
import re
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote, urlsplit

from lxml import etree

ONCE = ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version")
AT_MOST_ONCE = (
    "Reply-To",
    "Sender",
    "List-Id",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Feedback-ID",
    "Auto-Submitted",
    "Precedence",
)
NEVER = ("Return-Path", "Cc", "Bcc")
LITERAL = ("list-unsubscribe", "list-unsubscribe-post", "message-id", "feedback-id", "list-id")
CLIPPED_AT = 102_000
FORBIDDEN_TAGS = {"script", "form", "iframe", "object", "embed", "base"}


def check_newsletter(
    raw: bytes, *, now: datetime | None = None, postal_address: str = "", secure: bool = True
) -> list[str]:
    """Every rule that `raw`, as handed to the transport, breaks, in words; empty for a mail that is fit to send.

    `now` is the moment of the hand-over; `postal_address` must then stand in both parts. `secure=False` lets the links
    be http, for a service under test on this machine.
    """
    message = email.message_from_bytes(raw, policy=email.policy.default)
    return [
        *_lines(raw),
        *_headers(raw, message),
        *_addresses(message),
        *_date(message, now),
        *_list_headers(raw, message, "https" if secure else "http"),
        *_parts(message, postal_address),
    ]


def _lines(raw: bytes) -> list[str]:
    """RFC 5322 section 2.1.1, RFC 5321 sections 2.3.8 and 4.5.2."""
    found = []
    if re.search(rb"(?<!\r)\n|\r(?!\n)|\0", raw):
        found.append("a bare CR, a bare LF or a NUL")
    if not raw.endswith(b"\r\n"):
        found.append("the last line does not end in CRLF")
    if max(map(len, raw.split(b"\r\n"))) > 998:
        found.append("a line of more than 998 octets")
    if not raw.isascii():
        found.append("8-bit octets in a message that declares none")
    return found


def _head(raw: bytes) -> list[bytes]:
    return re.split(rb"\r\n(?![ \t])", raw.partition(b"\r\n\r\n")[0])


def _headers(raw: bytes, message: EmailMessage) -> list[str]:
    counts = {name: len(message.get_all(name, [])) for name in (*ONCE, *AT_MOST_ONCE, *NEVER)}
    found = [f"{name} stands {counts[name]} times" for name in ONCE if counts[name] != 1]
    found += [f"{name} stands more than once" for name in AT_MOST_ONCE if counts[name] > 1]
    found += [f"{name} does not belong in a message that is handed over" for name in NEVER if counts[name]]
    for line in _head(raw):
        name, colon, value = line.partition(b":")
        if not colon or not re.fullmatch(rb"[!-9;-~]+", name):
            found.append(f"not a header: {line[:40]!r}")
        read_by_programs = value.partition(b"<")[2] if name.lower() == b"list-id" else value
        if name.lower().decode("ascii", "replace") in LITERAL and b"=?" in read_by_programs:
            found.append(f"{name.decode()} holds an encoded word where a program reads it")
    if not re.fullmatch(r"<[^<>@\s]+@[^<>@\s]+>", str(message["Message-ID"] or "")):
        found.append("Message-ID is not <unique@domain>")
    return found


def _addresses(message: EmailMessage) -> list[str]:
    found = []
    recipients = message["To"].addresses if message["To"] else ()
    if len(recipients) != 1:
        found.append(f"{len(recipients)} recipients")
    for one in (*recipients, *(message["From"].addresses if message["From"] else ())):
        if not one.addr_spec.isascii():
            found.append("an address that is not ASCII")
        if len(one.username) > 64 or len(one.domain) > 255 or len(one.addr_spec) > 254 or not one.domain:
            found.append("an address that is too long or has no domain")
    return found


def _date(message: EmailMessage, now: datetime | None) -> list[str]:
    stamp = message["Date"].datetime if message["Date"] else None
    if stamp is None:
        return ["Date cannot be read"]
    if now is not None and abs(stamp - now) > timedelta(minutes=5):
        return ["Date is more than five minutes from the hand-over"]
    return []


def _list_headers(raw: bytes, message: EmailMessage, scheme: str) -> list[str]:
    """RFC 2369, RFC 2919, RFC 8058 section 3.1."""
    found = []
    lines = [line for line in _head(raw) if line.lower().startswith(b"list-unsubscribe:")]
    uris = re.findall(rb"<([^<>]*)>", lines[0]) if lines else []
    web = [uri for uri in uris if uri.startswith((scheme + ":").encode())]
    if len(web) != 1 or uris[0] != web[0] or any(not uri.startswith((b"mailto:", web[0])) for uri in uris):
        found.append(f"List-Unsubscribe has not exactly one {scheme} address, first")
    if lines and (len(lines[0]) > 996 or b"\r\n" in lines[0]):
        found.append("List-Unsubscribe is folded or too long")
    reader = str(message["To"] or "").strip("<>").casefold()
    if web and (
        len(urlsplit(web[0]).path.rpartition(b"/")[2]) < 32
        or (reader and reader in unquote(web[0].decode()).casefold())
    ):
        found.append("List-Unsubscribe names its reader openly, or has no token")
    if b"List-Unsubscribe-Post: List-Unsubscribe=One-Click" not in _head(raw):
        found.append("List-Unsubscribe-Post is not the exact words of RFC 8058")
    list_id = str(message["List-Id"] or "")
    if not re.fullmatch(r"[^<>]*<[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+>", list_id) or len(list_id) > 255:
        found.append("List-Id is not `name <label.domain>`")
    if message["Precedence"] != "bulk" or message["Auto-Submitted"]:
        found.append("not marked as bulk mail, or marked as an automatic answer")
    if not re.fullmatch(r"([^:\s]*:){0,3}[^:\s]{5,15}", str(message["Feedback-ID"] or "")):
        found.append("Feedback-ID does not end in a sender of 5 to 15 characters")
    return found


def _parts(message: EmailMessage, postal_address: str) -> list[str]:
    if message.get_content_type() != "multipart/alternative":
        return ["not multipart/alternative"]
    parts: list[Any] = list(message.iter_parts())
    if [part.get_content_type() for part in parts] != ["text/plain", "text/html"]:
        return ["the parts are not text, then HTML"]
    found = [f"{part.get_content_type()} is not UTF-8 in a 7-bit encoding" for part in parts if not _encoded(part)]
    text, html = (part.get_content() for part in parts)
    url = re.search(r"<([^<>]*)>", str(message["List-Unsubscribe"] or "<>"))
    for name, body in (("text", text), ("HTML", html)):
        if not body.strip():
            found.append(f"the {name} part is empty")
        if url is None or not url[1] or url[1] not in body:
            found.append(f"the {name} part lacks the unsubscribe address")
        if " ".join(postal_address.split()) not in " ".join(body.split()):
            found.append(f"the {name} part lacks the postal address")
    if "unsubscribe" not in text.lower():
        found.append("the text part does not say how to unsubscribe")
    return [*found, *_html(html)]


def _encoded(part: Any) -> bool:
    transfer = part["Content-Transfer-Encoding"]
    return part.get_content_charset() == "utf-8" and transfer in ("quoted-printable", "base64")


def _html(html: str) -> list[str]:
    found = []
    for element in etree.fromstring(html, etree.HTMLParser()).iter(etree.Element):
        if element.tag in FORBIDDEN_TAGS or (element.tag == "link" and element.get("rel") == "stylesheet"):
            found.append(f"<{element.tag}> in the HTML part")
        for name, value in element.items():
            if name.startswith("on") or value.strip().lower().startswith("javascript:"):
                found.append(f"a script in {name} of <{element.tag}>")
    if "@import" in html:
        found.append("@import in the HTML part")
    if len(html.encode()) >= CLIPPED_AT:
        found.append("the HTML part is so large that Gmail clips it")
    return found
