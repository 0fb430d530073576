"""What became of one hand-over. The type names the next action, so that nobody else reads reply codes."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Scope(StrEnum):
    """How far a deferral reaches."""

    MESSAGE = "message"
    DOMAIN = "domain"
    """One mailbox provider slows us down, by whichever way its mail goes: others may go on."""
    PROVIDER = "provider"


class Fault(StrEnum):
    """Whose doing a rejection is. Only `ADDRESS` says anything about the reader's address."""

    ADDRESS = "address"
    MESSAGE = "message"
    OURS = "ours"


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took responsibility (RFC 5321 section 6.1). `id` is its own name for the mail, if it gave one."""

    id: str = ""


@dataclass(frozen=True, slots=True)
class Deferred:
    """Not now: try again, not before `after` where the provider said so."""

    why: str
    after: timedelta | None = None
    scope: Scope = Scope.MESSAGE
    code: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """Never: another try would end the same way."""

    why: str
    fault: Fault = Fault.ADDRESS
    code: str = ""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The final dot or the whole request was given to the transport, and no answer came back."""

    why: str


@dataclass(frozen=True, slots=True)
class NotSent:
    """Nothing of this message was written that could make it arrive; it is simply owed again."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class Halt:
    """A fault of ours (authentication, policy, quota): this message was not accepted and nothing more may be sent.

    `account`: it is between us and this provider (a log-in, a quota, a certificate), and another one may carry the
    mail. Otherwise it is our domain's (SPF, DKIM, DMARC), and any other would only spread the damage.
    """

    why: str
    code: str = ""
    account: bool = False


Receipt = Accepted | Deferred | Rejected | Unknown | NotSent | Halt
Standstill = Deferred | Halt
"""Those that can end a hand-over: nothing leaves by this provider now."""
