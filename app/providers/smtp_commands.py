"""What is asked of a mail server: which answers fit a command, and how long they may take."""

from enum import StrEnum

from app.providers.smtp_replies import Stage
from app.providers.smtp_session import Patience


class Ask(StrEnum):
    """Commands whose answers decide no message."""

    RSET = "RSET"
    LONE_DOT = "the lone dot"
    CHUNK = "BDAT"


Command = Stage | Ask


def stage_of(command: Command) -> Stage:
    """Where in a mail transaction its answer is given."""
    return command if isinstance(command, Stage) else Stage.DOT


def fits(command: Command, code: int) -> bool:
    """RFC 5321 section 4.2.1: the first digit says whether the answer fits the command."""
    return code >= 400 or (300 <= code < 400 if command is Stage.DATA else code < 300)


def seconds_for(command: Command, patience: Patience) -> float:
    """How long the answer may take."""
    match command:
        case Stage.MAIL | Ask.RSET:
            return patience.mail
        case Stage.RCPT:
            return patience.rcpt
        case Stage.DATA | Ask.CHUNK:
            return patience.data
        case _:
            return patience.dot
