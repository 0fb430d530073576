"""Addresses by the million: what `address.parse` gives, without asking the library for each. Pure.

The library judges the parts before and after the @ apart, but for the whole length. Domains repeat, so each is
judged by the library once; of the local parts only those that no rule can touch are waved through.
"""

import re
from functools import lru_cache

from app.core.errors import InvalidInput
from app.stages.audience import address
from app.stages.audience.address import Address

_PLAIN = re.compile(r"([A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*)@([A-Za-z0-9.-]+)")  # a dot-atom, RFC 5322 section 3.2.3
_LONGEST_LOCAL = 64  # RFC 5321 section 4.5.3.1.1
_SURELY_SHORT = 200  # well below the limit of the whole, which no other part has a say in
# The library folds the case of the mailboxes that RFC 2142 names; anything short enough to be one is left to it.
_FOLDED = re.compile(
    r"(?i:info|marketing|sales|support|abuse|noc|security|postmaster|hostmaster|usenet|news|webmaster|www|uucp|ftp)"
)


def parse(text: str) -> tuple[str, str]:
    """`mail` and `key` of `address.parse(text)` for every text, errors included."""
    return _waved_through(text) or _judged(address.parse(text))


def _judged(found: Address) -> tuple[str, str]:
    return found.mail, found.key


def _waved_through(text: str) -> tuple[str, str] | None:
    plain = _PLAIN.fullmatch(text)
    if plain is None or len(text) > _SURELY_SHORT:
        return None
    local, domain = plain[1], plain[2]
    known = None if len(local) > _LONGEST_LOCAL or _FOLDED.fullmatch(local) else _domain(domain)
    if known is None:
        return None
    mail = f"{local}@{known}"
    return mail, mail.lower()


@lru_cache(maxsize=50_000)
def _domain(domain: str) -> str | None:
    """The domain as the library writes it; None where it has something to say about it."""
    try:
        return address.parse(f"x@{domain}").mail[2:]
    except InvalidInput:
        return None
