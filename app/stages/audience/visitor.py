"""Where a request came from; part of the proof of consent."""

from dataclasses import dataclass

from app.core.text import cleaned


@dataclass(frozen=True, slots=True)
class Visitor:
    """The client's address and User-Agent, as the door saw them. Cut to what the record keeps."""

    ip: str = ""
    user_agent: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "user_agent", cleaned(self.user_agent)[:400])
        object.__setattr__(self, "ip", self.ip[:45])
