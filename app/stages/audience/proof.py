"""Proof of work before a sign-up: ALTCHA's second protocol, PBKDF2 over a counter (see the package `altcha`).

A challenge is only signed, never stored: making one costs nothing. The protocol's `expiresAt` is left out, because the
library and the widget each judge it by their own machine's clock; the expiry stands in the signed `data` instead.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import altcha

from app.core.clock import TOLERATED
from app.core.db import Session
from app.core.errors import InvalidInput
from app.core.signing import Signer
from app.store import proofs

FIELD = "altcha"
LASTS = timedelta(minutes=10)
ALGORITHM = "PBKDF2/SHA-256"
_PREFIX = "00"
"""What the derived key begins with: one counter in 256 does, and nobody knows which."""
_LABEL = "altcha challenge"
_LONGEST = 4_000
_MISSING = "This needs a proof of work: solve a challenge of /altcha and send its solution along."
_WRONG = "That is not a solution to a challenge of ours."
_EXPIRED = "That proof of work has run out. Please solve a new challenge."
_USED = "That proof of work was used before. Please solve a new challenge."


@dataclass(frozen=True, slots=True)
class Proof:
    """A right solution, by the challenge's nonce. Whether it was used before is known only to `spend`."""

    nonce: str
    until: datetime


class Proofs:
    """Makes challenges and reads solutions. `cost` is the number of PBKDF2 iterations of one attempt."""

    def __init__(self, signer: Signer, cost: int) -> None:
        self._key = signer.mac(_LABEL)
        self._cost = cost

    def challenge(self, now: datetime) -> dict[str, Any]:
        """A fresh challenge as the widget reads it."""
        until = int((now + LASTS).timestamp())
        made = altcha.create_challenge(
            ALGORITHM, self._cost, key_prefix=_PREFIX, data={"until": until}, hmac_secret=self._key
        )
        challenge: dict[str, Any] = made.to_dict()
        return challenge

    def read(self, text: str, now: datetime) -> Proof:
        """The proof in what the widget sent. Takes milliseconds of work. Raises InvalidInput on `altcha`.

        A challenge that lasts for longer was given out by a clock that was ahead: by 12 hours at most, else it has run
        out.
        """
        if not text:
            raise InvalidInput(_MISSING, FIELD)
        payload = _payload(text)
        parameters = payload.challenge.parameters
        until = parameters.data.get("until") if isinstance(parameters.data, dict) else None
        if type(until) is not int or not self._solves(payload):
            raise InvalidInput(_WRONG, FIELD)
        if not 0 < until - now.timestamp() <= (LASTS + TOLERATED).total_seconds():
            raise InvalidInput(_EXPIRED, FIELD)
        return Proof(parameters.nonce, datetime.fromtimestamp(until, UTC))

    def _solves(self, payload: altcha.Payload) -> bool:
        return altcha.verify_solution(payload, self._key).verified


def _payload(text: str) -> altcha.Payload:
    if len(text) <= _LONGEST:
        try:
            return altcha.Payload.from_base64(text)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            pass
    raise InvalidInput(_WRONG, FIELD)


async def spend(session: Session, proof: Proof) -> None:
    """Uses a proof up, if this transaction commits. Raises InvalidInput where it was used before."""
    if not await proofs.spend(session, proof.nonce, proof.until):
        raise InvalidInput(_USED, FIELD)
