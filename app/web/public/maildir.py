"""Reads the mails that the outbox keeps: one file a mail, in new/ of a Maildir."""

import re
from dataclasses import dataclass
from datetime import datetime
from email import message_from_binary_file, policy
from email.message import EmailMessage
from pathlib import Path

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.,=-]{0,200}\.eml")


@dataclass(frozen=True, slots=True)
class Kept:
    """One mail in a list."""

    name: str
    subject: str
    to: str
    date: datetime | None


@dataclass(frozen=True, slots=True)
class Opened:
    """One mail, taken apart."""

    kept: Kept
    headers: tuple[tuple[str, str], ...]
    text: str
    html: str | None


def newest(folder: Path, most: int) -> list[Kept]:
    """The last `most` mails, the newest first. A folder that is not there yet holds none."""
    try:
        files = [file for file in (folder / "new").iterdir() if _NAME.fullmatch(file.name)]
    except FileNotFoundError:
        return []
    files.sort(key=lambda file: (file.stat().st_mtime_ns, file.name), reverse=True)
    return [_kept(file.name, _parse(file)) for file in files[:most]]


def file_of(folder: Path, name: str) -> Path | None:
    """The file called `name`; None for a name that is not there, or is not a name at all."""
    if not _NAME.fullmatch(name):
        return None
    file = folder / "new" / name
    return file if file.is_file() and not file.is_symlink() else None


def opened(file: Path) -> Opened:
    """Takes one mail apart. A part it lacks is empty."""
    message = _parse(file)
    text = message.get_body(("plain",))
    html = message.get_body(("html",))
    return Opened(
        kept=_kept(file.name, message),
        headers=tuple((name, str(value)) for name, value in message.items()),
        text=_content(text),
        html=_content(html) if html is not None else None,
    )


def _parse(file: Path) -> EmailMessage:
    with file.open("rb") as stream:
        return message_from_binary_file(stream, policy=policy.default)


def _content(part: object) -> str:
    return str(part.get_content()) if isinstance(part, EmailMessage) else ""


def _kept(name: str, message: EmailMessage) -> Kept:
    date = message["date"]
    return Kept(name, str(message["subject"] or ""), str(message["to"] or ""), date.datetime if date else None)
