"""`resend://KEY@api.resend.com`: the Resend API (resend.com/docs/api-reference).

Up to 100 mails a call, personalised by us; a key that makes a repeated call harmless for 24 hours; answers in the
order of the request. Resend builds the message: it carries our List-* headers and sets Date; whether it keeps our
Message-ID it does not say, so that counts as a no.
"""

import asyncio
import hashlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from app.core.errors import ConfigurationError
from app.core.mail.message import Message
from app.core.mail.provider import Capabilities, Outgoing
from app.core.mail.receipt import Deferred, Halt, Receipt, Rejected, Scope, Standstill, Unknown
from app.core.text import is_printable_ascii
from app.providers.api import Api, Failure, Pace
from app.providers.custody import Custody, stand_down
from app.providers.resend_answers import Again, Outcome, Refused, read
from app.providers.resend_mail import written
from app.providers.urls import ProviderUrl

BATCH = 100
BACKOFF = (1.0, 2.0, 4.0, 8.0)
"""Seconds before each further try of a call whose outcome is not known, or that the server could not serve."""

NO_CONNECTION = "unreachable"

log = structlog.get_logger(__name__)
_jitter = random.SystemRandom().uniform


@dataclass(frozen=True, slots=True)
class Part:
    """One mail of a call, as JSON."""

    message: Message
    json: bytes


@dataclass(frozen=True, slots=True)
class Call:
    """One request, made once: a retry sends the same bytes under the same key."""

    messages: tuple[Message, ...]
    body: bytes
    key: str


class ResendProvider:
    """One call at a time in each drain, at the pace that the answers ask for."""

    capabilities = Capabilities(
        raw=False, batch=BATCH, idempotency=timedelta(hours=24), keeps_message_id=False, return_path=False
    )

    def __init__(self, name: str, base: str, key: str, backoff: Sequence[float] = BACKOFF) -> None:
        self.name = name
        self._api = Api(base, {"Authorization": f"Bearer {key}", "User-Agent": "ai-morning-post"})
        self._pace = Pace()
        self._backoff = tuple(backoff)

    @classmethod
    def from_url(cls, url: ProviderUrl) -> "ResendProvider":
        """`resend://KEY@api.resend.com`; `?scheme=http` for a stand-in on this machine."""
        url.allow("scheme")
        if not (url.user and url.host) or url.password:
            raise url.wrong("write resend://KEY@api.resend.com, with the API key before the @")
        if not is_printable_ascii(url.user) or " " in url.user:
            raise url.wrong("the API key has characters that no key has")
        scheme = url.choice("scheme", "https", ("https", "http"))
        if scheme == "http" and not url.loopback:
            raise url.wrong("scheme=http would send the API key in clear; it is for this machine only")
        host = f"[{url.host}]" if ":" in url.host else url.host
        return cls(url.name, f"{scheme}://{host}" + (f":{url.port}" if url.port else ""), url.user)

    async def drain(self, outgoing: Outgoing) -> None:
        """Sends batches until nothing is owed, or Resend refuses us or fails."""
        while True:
            # Before taking: what was taken must be written at once or not at all.
            await self._pace.ready()
            messages = await outgoing.take(BATCH)
            if not messages:
                return
            with Custody(outgoing, messages) as custody:
                trouble = await self._hand_over(custody)
            if trouble:
                log.warning("mail cannot leave", why=trouble.why, code=trouble.code)
                await stand_down(outgoing, trouble)
                return

    async def check(self) -> None:
        """Asks for the list of domains. Raises ConfigurationError where the key is not accepted."""
        try:
            answer = await self._api.call("GET", "/domains")
        except Failure as failure:
            raise ConfigurationError(f"Resend at {self._api.base} cannot be reached: {failure.why}") from None
        named = answer.body.get("name") if isinstance(answer.body, dict) else None
        # A key that may do nothing but send is the right one to use, and may not list domains.
        if answer.status in (401, 403) and named != "restricted_api_key":
            raise ConfigurationError(f"Resend does not accept the API key (it answered {answer.status})")
        if answer.status not in (200, 401, 429) or answer.body is None:
            raise ConfigurationError(f"Resend at {self._api.base} answered {answer.status}, which is not expected")

    async def close(self) -> None:
        """Closes connections."""
        await self._api.close()

    async def _hand_over(self, custody: Custody) -> Standstill | None:
        """Settles what can be; gives the reason to stop, with what was not begun left in custody."""
        waiting = [_parts(custody, await asyncio.to_thread(_write_all, custody.left))]
        while waiting:
            parts = waiting.pop()
            if not parts:
                continue
            outcome = await self._answered(_call(parts), custody)
            if isinstance(outcome, Refused):
                if len(parts) > 1:  # one of them is at fault; the others shall not sink with it
                    half = len(parts) // 2
                    waiting += (parts[half:], parts[:half])
                    continue
                outcome = [outcome.receipt]
            for part, receipt in zip(parts, outcome, strict=True):
                custody.settle(part.message, receipt)
            if reason := _reason_to_stop(outcome):
                return reason
        return None

    async def _answered(self, call: Call, custody: Custody) -> Sequence[Receipt] | Refused:
        """What came of `call`, with retries under its key while that can help."""
        again, uncertain = Again("", ""), False
        for pause in (0.0, *self._backoff):
            await asyncio.sleep(max(pause * _jitter(0.8, 1.2), again.after))
            outcome = await self._once(call, lambda: custody.written(call.messages))
            if not isinstance(outcome, Again):
                return _doubted(outcome) if uncertain else outcome
            again, uncertain = outcome, uncertain or outcome.uncertain
            if uncertain:
                continue
            custody.refused(call.messages)
            if again.code == NO_CONNECTION:
                break
        receipt = Unknown(again.why) if uncertain else Deferred(again.why, scope=Scope.PROVIDER, code=again.code)
        return [receipt] * len(call.messages)

    async def _once(self, call: Call, given: Callable[[], None]) -> Outcome:
        await self._pace.ready()
        headers = {"Idempotency-Key": call.key, "x-batch-validation": "permissive"}
        try:
            answer = await self._api.call("POST", "/emails/batch", call.body, headers, given)
        except Failure as failure:
            return Again(failure.why, NO_CONNECTION, uncertain=failure.written)
        self._pace.heed(answer)
        return read(answer.status, answer.body, call.messages, answer.seconds("retry-after", "ratelimit-reset"))


def _doubted(outcome: Sequence[Receipt] | Refused) -> Sequence[Receipt] | Refused:
    """An earlier try of the call may have been carried out: that the server refuses us now does not undo it."""
    if isinstance(outcome, Refused):
        return outcome
    return [Unknown(one.why) if isinstance(one, Halt | Deferred) else one for one in outcome]


def _reason_to_stop(receipts: Sequence[Receipt]) -> Standstill | None:
    """After an outage the next batch would only become unknown too."""
    for receipt in receipts:
        match receipt:
            case Halt() | Deferred(scope=Scope.PROVIDER):
                return receipt
            case Unknown(why=why):
                return Deferred(why, scope=Scope.PROVIDER, code=NO_CONNECTION)
    return None


def _write_all(messages: Sequence[Message]) -> list[bytes | Rejected]:
    """Runs in a thread: a full batch is some megabytes."""
    return [written(message) for message in messages]


def _parts(custody: Custody, made: Sequence[bytes | Rejected]) -> tuple[Part, ...]:
    """Settles what could not be made; gives the rest."""
    parts = []
    for message, json in zip(custody.left, made, strict=True):
        if isinstance(json, Rejected):
            custody.settle(message, json)
        else:
            parts.append(Part(message, json))
    return tuple(parts)


def _call(parts: Sequence[Part]) -> Call:
    messages = tuple(part.message for part in parts)
    names = "\n".join(f"{message.message_id} {message.attempt}" for message in messages)
    key = f"morning-post/{hashlib.sha256(names.encode()).hexdigest()}"
    return Call(messages, b"[" + b",".join(part.json for part in parts) + b"]", key)
