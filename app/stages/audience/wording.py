"""The words a reader agrees to. The record keeps their version and hash; a change of text is a new version."""

import hashlib

from app.core.language import ENGLISH, Language, Phrase, say

VERSION = 1


def consent(publication: str) -> Phrase:
    """What stands under the button of the form."""
    return say(
        "Send me {publication} by email each morning. One message asks me to confirm; nothing else is sent "
        "until I do. I can leave at any time, in one click.",
        publication=publication,
    )


def fingerprint(publication: str, language: Language = ENGLISH) -> str:
    """The version and SHA-256 of the text as it is shown in `language`, as `1:hex`, or `1-de:hex` where translated.

    64 characters at most.
    """
    digest = hashlib.sha256(consent(publication).in_(language).encode()).hexdigest()
    version = str(VERSION) if language == ENGLISH else f"{VERSION}-{language.tag}"
    return f"{version}:{digest}"[:62]
