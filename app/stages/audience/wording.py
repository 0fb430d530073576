"""The words a reader agrees to. The record keeps their version and hash; a change of text is a new version."""

import hashlib

CONSENT = (
    "Send me {publication} by email each morning. One message asks me to confirm; nothing else is sent "
    "until I do. I can leave at any time, in one click."
)
VERSION = 1


def fingerprint(publication: str) -> str:
    """The version and SHA-256 of the text as `publication` shows it, as `1:hex` (64 characters at most)."""
    digest = hashlib.sha256(CONSENT.format(publication=publication).encode()).hexdigest()
    return f"{VERSION}:{digest[:60]}"
