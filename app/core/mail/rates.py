"""How fast mail may leave for each of the large mailbox providers. Pure.

A ceiling, not a wish: it keeps the first minutes of a large list from looking like an outbreak. Where a mailbox
provider wants less, it says so, and is left alone for a while (`tokens.bar`).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from app.core.mail.mailboxes import GROUPS

DEFAULTS: Mapping[str, float] = {
    "gmail": 100,
    "microsoft": 100,
    "microsoft-365": 100,
    "yahoo": 50,
    "apple": 50,
    "comcast": 50,
    "orange": 20,
}
"""Messages a second, where mail leaves by SMTP. Where they come from: docs/decisions, "Limits by mailbox provider"."""
SLOWEST, FASTEST = 0.001, 10_000
_OFF = "off"
_WORD = re.compile(r"([a-z0-9-]+)=(?:(off)|(\d{1,5}(?:\.\d{1,4})?))", re.ASCII)


@dataclass(frozen=True, slots=True)
class DomainRates:
    """What MORNINGPOST_DOMAIN_RATES says."""

    named: Mapping[str, float | None] = field(default_factory=dict)
    """Messages a second by domain group; None where there shall be no limit."""
    defaults: bool = True

    def of(self, *, smtp: bool) -> dict[str, float]:
        """The limits of one provider; those that nobody named are for mail that leaves by SMTP."""
        known = {**(DEFAULTS if self.defaults and smtp else {}), **self.named}
        return {group: rate for group, rate in known.items() if rate is not None}


def parse(words: Iterable[str]) -> DomainRates:
    """`gmail=40`, `gmail=off` or, for none of the defaults, `off`. Raises ValueError with a sentence."""
    named: dict[str, float | None] = {}
    defaults = True
    for word in words:
        if word == _OFF:
            defaults = False
            continue
        match = _WORD.fullmatch(word)
        if match is None or (match[3] and not SLOWEST <= float(match[3]) <= FASTEST):
            raise ValueError(
                f"{word!r} is not a limit: write gmail=40 for 40 messages a second (from {SLOWEST} to {FASTEST}),"
                " gmail=off for no limit, or off for none of the defaults"
            )
        if match[1] not in GROUPS:
            raise ValueError(f"there is no group {match[1]!r}; known are {', '.join(sorted(GROUPS))}")
        if match[1] in named:
            raise ValueError(f"{match[1]} is given twice")
        named[match[1]] = float(match[3]) if match[3] else None
    return DomainRates(named, defaults)
