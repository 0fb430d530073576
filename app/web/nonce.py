"""The signed time in a form: proof that a page of ours gave it out, and when. It needs no cookie and no JavaScript.

It is not tied to one visitor and may be used again while it lasts; how often somebody signs up is for the limits.
"""

import hmac
from datetime import UTC, datetime, timedelta
from enum import Enum

from app.core.signing import Signer

FIELD = "form"
FILLED_AFTER = timedelta(seconds=2)
LASTS = timedelta(hours=12)
_LABEL = "sign-up form"


class Age(Enum):
    """What the signed time says."""

    GOOD = "good"
    QUICK = "quick"
    STALE = "stale"
    """Too old, not ours, or missing."""


def make(signer: Signer, now: datetime) -> str:
    """The signed time for a form that is shown now."""
    at = str(int(now.timestamp()))
    return f"{at}.{_mac(signer, at)}"


def judge(signer: Signer, nonce: str, now: datetime) -> Age:
    """Is `nonce` one of ours, and neither too young nor too old?"""
    at, _, mac = nonce.partition(".")
    if not (nonce.isascii() and at.isdecimal() and len(at) <= 11):
        return Age.STALE
    if not hmac.compare_digest(mac, _mac(signer, at)):
        return Age.STALE
    age = now - datetime.fromtimestamp(int(at), UTC)
    if age >= LASTS:
        return Age.STALE
    return Age.GOOD if age >= FILLED_AFTER else Age.QUICK


def _mac(signer: Signer, at: str) -> str:
    return signer.mac(_LABEL, at).hex()[:32]
