"""A letter, where letters come from, and the manners of carrying them."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from app.core.mail.message import Message
from app.providers.envelope import Envelope
from app.providers.smtp_replies import Stage


class Manner(StrEnum):
    CHUNKED = "chunked"
    PIPELINED = "pipelined"
    LOCKSTEP = "lockstep"


@dataclass(slots=True, eq=False)
class Letter:
    """A message under way."""

    message: Message
    envelope: Envelope
    begun: float = 0.0
    refused: tuple[Stage, int, str] | None = None
    """The first answer that was a refusal."""
    taken_on: bool = False
    """The server took the recipient."""
    answered: bool = False
    written: bool = False
    """The final dot, or BDAT LAST, is with the transport."""
    decided: bool = False


class Source(Protocol):
    """Where letters come from, and where their ends are told."""

    def next(self) -> Letter | None:
        """The next letter, if one may be begun now."""

    def may_write(self) -> bool:
        """May what was begun still be written?"""

    def written(self, letter: Letter) -> None: ...
    def decided(self, letter: Letter, stage: Stage, code: int, text: str) -> None: ...

    def broken(self, letter: Letter, why: str) -> None:
        """The wire ended before anybody could say what became of it."""

    def unbegun(self, letter: Letter) -> None:
        """Nothing of it counts: it goes over another wire."""

    def wake(self) -> None:
        """The wire wants more, has nothing left to do, or is closed."""
