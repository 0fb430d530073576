"""What a receipt means for the ledger. Pure: the same receipt, attempt and time give the same decision."""

from datetime import datetime, timedelta
from typing import NamedTuple, assert_never

from app.core.mail.receipt import Accepted, Deferred, Fault, Halt, NotSent, Receipt, Rejected, Scope, Unknown
from app.models.states import DeliveryStatus

# A newspaper is stale by the evening: the first steps are short, and everything ends at `expires_at`.
BACKOFF = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30, 60, 120, 240))
UNKNOWN_AFTER = timedelta(minutes=10)
UNKNOWN_SPREAD = timedelta(minutes=10)
_JITTER = 0.2


class Decision(NamedTuple):
    """The row's next state; `due_at` where it is to be looked at again."""

    status: DeliveryStatus
    due_at: datetime | None = None
    provider_id: str = ""
    code: str = ""
    why: str = ""
    fault: Fault | None = None


def decide(
    receipt: Receipt, attempt: int, now: datetime, expires_at: datetime | None, chance: float, *, several: bool = False
) -> Decision:
    """`attempt` counts from 1; `chance` is a random number in [0, 1) that spreads retries.

    `expires_at` is None where nothing may be expired now.

    `several`: there are other providers, and what one of them does not take now need not wait for it.
    """
    match receipt:
        case Accepted(id=provider_id):
            return Decision(DeliveryStatus.ACCEPTED, provider_id=provider_id)
        case Rejected(why=why, fault=fault, code=code):
            return Decision(DeliveryStatus.REJECTED, code=code, why=why, fault=fault)
        case Unknown(why=why):
            return Decision(DeliveryStatus.UNKNOWN, unknown_until(now, chance), code="unknown", why=why)
        case NotSent(why=why):
            return _later(now + timedelta(seconds=1), expires_at, "not-sent", why)
        case Halt(why=why, code=code):
            # Not the reader's fault and not a try: owed as soon as the stream runs again.
            return _later(now, expires_at, code or "halt", why)
        case Deferred(why=why, code=code):
            elsewhere = several and receipt.scope is Scope.PROVIDER
            wait = timedelta(0) if elsewhere else _wait(attempt, receipt.after, chance)
            return _later(now + wait, expires_at, code or "deferred", why)
        case _:
            assert_never(receipt)


def unknown_until(now: datetime, chance: float) -> datetime:
    """When an unknown hand-over is sent again, where the policy is to resend: 10 to 20 minutes on."""
    return now + UNKNOWN_AFTER + UNKNOWN_SPREAD * chance


def _wait(attempt: int, after: timedelta | None, chance: float) -> timedelta:
    step = BACKOFF[min(attempt, len(BACKOFF)) - 1]
    return max(step * (1 + _JITTER * (2 * chance - 1)), after or timedelta(0))


def _later(due_at: datetime, expires_at: datetime | None, code: str, why: str) -> Decision:
    if expires_at is not None and due_at >= expires_at:
        return Decision(DeliveryStatus.EXPIRED, code=code, why=why)
    return Decision(DeliveryStatus.QUEUED, due_at, code=code, why=why)
