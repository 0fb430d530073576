"""The words of consent, in every language, under the version that the record names."""

import pytest

from app.core.languages import language_of
from app.stages.audience import wording

WORDS = {
    "en": "Send me The AI Morning Post by email each morning. One message asks me to confirm; nothing else is sent "
    "until I do. I can leave at any time, in one click.",
    "de": "Schicken Sie mir The AI Morning Post jeden Morgen per E-Mail. Eine Nachricht bittet mich um Bestätigung; "
    "vorher wird nichts weiter verschickt. Ich kann jederzeit mit einem Klick abbestellen.",
}


@pytest.mark.parametrize("tag", WORDS)
def test_a_change_of_words_is_a_new_version(tag: str) -> None:
    """Where this fails, raise VERSION in app/stages/audience/wording.py, and write the new words here."""
    assert wording.consent("The AI Morning Post").in_(language_of(tag)) == WORDS[tag]
    assert wording.VERSION == 1


def test_the_fingerprint_is_of_the_words_in_their_language() -> None:
    """Two languages, two hashes; each fits the column."""
    english, german = (wording.fingerprint("The AI Morning Post", language_of(tag)) for tag in ("en", "de"))
    assert english == wording.fingerprint("The AI Morning Post")
    assert (english[:2], german[:5]) == ("1:", "1-de:")
    assert english[2:40] != german[5:43]
    assert max(len(english), len(german)) <= 64
