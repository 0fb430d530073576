"""What an answer of Resend means: a pure table, from status and error name (resend.com/docs/api-reference/errors)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from app.core.log import mask
from app.core.mail.message import Message
from app.core.mail.receipt import Accepted, Deferred, Fault, Halt, Receipt, Rejected, Scope, Unknown

LONGEST_WAIT = 30.0
"""Seconds that a stream waits for its turn with messages in hand; beyond, they go back."""


@dataclass(frozen=True, slots=True)
class Again:
    """The same call may be made again, not before `after` seconds. `uncertain`: this one may have been carried out."""

    why: str
    code: str
    after: float = 0.0
    uncertain: bool = False


@dataclass(frozen=True, slots=True)
class Refused:
    """A message of the call is at fault; `receipt` is its receipt where the call held only one."""

    receipt: Rejected


Outcome = Sequence[Receipt] | Again | Refused


class Verdict(StrEnum):
    """The kinds of outcome an error can have."""

    HALT = "halt"
    OURS = "ours"
    WAIT = "wait"
    AGAIN = "again"
    REFUSED = "refused"


# By the error's name first: one status has several.
NAMES = {
    "rate_limit_exceeded": Verdict.WAIT,
    "daily_quota_exceeded": Verdict.HALT,
    "monthly_quota_exceeded": Verdict.HALT,
    "invalid_from_address": Verdict.HALT,  # the same for every reader
    "invalid_idempotent_request": Verdict.OURS,  # one key, two contents
    "invalid_idempotency_key": Verdict.OURS,
    "concurrent_idempotent_requests": Verdict.AGAIN,  # our earlier try is still under way; its answer will come
}
STATUSES = {
    401: Verdict.HALT,  # no key, or one for other things
    403: Verdict.HALT,  # a wrong key; or validation_error: the domain of From is not verified
    404: Verdict.HALT,  # not Resend's API
    405: Verdict.HALT,
    408: Verdict.AGAIN,
    429: Verdict.WAIT,
    451: Verdict.HALT,  # security_error
}


def read(status: int, body: Any, messages: Sequence[Message], retry_after: float | None) -> Outcome:
    """The receipts of `messages`, in order, or what to do instead. `retry_after` is in seconds."""
    if 200 <= status < 300:
        return _accepted(body, messages)
    name, text = _error(body)
    why = mask(f"Resend answered {status} {name}: {text}")[:300]
    code = (name or str(status))[:24]
    match _verdict(status, name, text):
        case Verdict.HALT:
            return [Halt(why, code, account=True)] * len(messages)
        case Verdict.OURS:
            return [Rejected(why, Fault.OURS, code)] * len(messages)
        case Verdict.WAIT:
            return _wait(why, 1.0 if retry_after is None else retry_after, code, len(messages))
        case Verdict.AGAIN:
            return Again(why, code, uncertain=True)
        case Verdict.REFUSED:
            return Refused(Rejected(why, _fault(text), code))


def _verdict(status: int, name: str, text: str) -> Verdict:
    if name in NAMES:
        return NAMES[name]
    if status in (400, 422) and "api key" in text.lower():  # a wrong key was also seen as a validation_error
        return Verdict.HALT
    if status in STATUSES:
        return STATUSES[status]
    if status >= 500:
        return Verdict.AGAIN
    return Verdict.REFUSED if status >= 400 else Verdict.HALT


def _fault(text: str) -> Fault:
    """Only a complaint about the field `to` says anything about the reader's address."""
    return Fault.ADDRESS if "`to`" in text else Fault.MESSAGE


def _wait(why: str, seconds: float, code: str, count: int) -> Outcome:
    if seconds > LONGEST_WAIT:
        return [Deferred(why, timedelta(seconds=seconds), Scope.PROVIDER, code)] * count
    return Again(why, code, after=seconds)


def _error(body: Any) -> tuple[str, str]:
    if not isinstance(body, dict):
        return "", "no JSON"
    return str(body.get("name") or ""), " ".join(str(body.get("message") or "").split())


def _accepted(body: Any, messages: Sequence[Message]) -> Outcome:
    """One id for each message, in order; in permissive validation those that were refused are listed by index."""
    if not isinstance(body, dict) or not isinstance(body.get("data"), list):
        return Again("Resend answered without a list of ids", "no-ids", uncertain=True)
    refused = _refused(body.get("errors"), len(messages))
    ids = [str(item.get("id") or "") if isinstance(item, dict) else "" for item in body["data"]]
    if len(ids) + len(refused) != len(messages):
        lost = Unknown(f"Resend named {len(ids)} ids for {len(messages) - len(refused)} messages")
        return [refused.get(index, lost) for index in range(len(messages))]
    each = iter(ids)
    return [refused[index] if index in refused else Accepted(next(each)[:200]) for index in range(len(messages))]


def _refused(errors: Any, count: int) -> dict[int, Receipt]:
    found: dict[int, Receipt] = {}
    for item in errors if isinstance(errors, list) else ():
        index = item.get("index") if isinstance(item, dict) else None
        if isinstance(index, int) and 0 <= index < count:
            text = mask(" ".join(str(item.get("message") or "").split()))[:300]
            found[index] = Rejected(text, _fault(text), "validation_error")
    return found
