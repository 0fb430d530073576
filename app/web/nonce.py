"""The signed time in a form: proof that a page of ours gave it out, and when. It needs no cookie and no JavaScript.

A form that is refused gets a new one (`renewed`), so that no visitor is refused the same one for good. A time that lies
in the future was given out by a clock that was ahead, and says nothing against who sends it.

It is not tied to one visitor and may be used again while it lasts; how often somebody signs up is for the limits.
"""

import hmac
from datetime import UTC, datetime, timedelta
from enum import Enum

from app.core.clock import TOLERATED
from app.core.signing import Signer

FIELD = "form"
FILLED_AFTER = timedelta(seconds=2)
LASTS = timedelta(hours=12)
_LABEL = "sign-up form"
_AGAIN = "a"


class Age(Enum):
    """What the signed time says."""

    GOOD = "good"
    QUICK = "quick"
    STALE = "stale"
    """Too old, more than 12 hours in the future, not ours, or missing."""


def make(signer: Signer, now: datetime, *, again: bool = False) -> str:
    """The signed time for a form that is shown now; `again` where it came back without a proof of work."""
    at = f"{_AGAIN if again else ''}{int(now.timestamp())}"
    return f"{at}.{_mac(signer, at)}"


def renewed(signer: Signer, given: str, now: datetime) -> str:
    """The signed time for a form that is refused and shown again. Whoever was slow enough once need not wait again."""
    age = judge(signer, given, now)
    again = age is not Age.STALE and shown_again(given)
    return make(signer, now - FILLED_AFTER if age is Age.GOOD else now, again=again)


def judge(signer: Signer, nonce: str, now: datetime) -> Age:
    """Is `nonce` one of ours, and neither too young nor too old?"""
    at, _, mac = nonce.partition(".")
    digits = at.removeprefix(_AGAIN)
    if not (nonce.isascii() and digits.isdecimal() and len(digits) <= 11):
        return Age.STALE
    if not hmac.compare_digest(mac, _mac(signer, at)):
        return Age.STALE
    age = now - datetime.fromtimestamp(int(digits), UTC)
    if not -TOLERATED <= age < LASTS:
        return Age.STALE
    return Age.QUICK if timedelta(0) <= age < FILLED_AFTER else Age.GOOD


def shown_again(nonce: str) -> bool:
    """Was this form shown because its first press had no proof of work? Says nothing unless `judge` calls it good."""
    return nonce.startswith(_AGAIN)


def _mac(signer: Signer, at: str) -> str:
    return signer.mac(_LABEL, at).hex()[:32]
