"""Subjects that filters and people take for spam, or that pretend to be something else."""

import re
from collections.abc import Iterator

from app.stages.render.lint.problem import Problem, error, warning
from app.stages.render.lint.proof import Proof

RULE = "subject"
LONGEST, PREHEADER = 50, 110
"""What a phone shows of a subject, and of the line beside it (docs/editions.md)."""
_ANSWER = re.compile(r"^\s*(re|fwd?|aw|wg|antw|sv|vs)\s*(\[\d+\]\s*)?:", re.IGNORECASE)
_EMOJI = re.compile("[\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]")
_MONEY = re.compile(r"[$€£¥]\s?\d|\d\s?[$€£¥]|\$\$|\b(USD|EUR|GBP)\s?\d", re.IGNORECASE)
_PHRASES = re.compile(
    r"\b(for free|free|act now|buy now|order now|click here|limited time|urgent|winner|congratulations|guaranteed?|"
    r"risk[- ]free|no obligation|earn money|make money|cash|cheap|discount|miracle|100\s?% off|special offer)\b",
    re.IGNORECASE,
)
_LETTERS_ENOUGH = 10


def subject(proof: Proof) -> Iterator[Problem]:
    """False answers are errors (15 U.S.C. 7704(a)(2): a subject must not mislead); the rest is a matter of taste."""
    words = proof.content.subject
    if found := _ANSWER.match(words):
        yield error(
            RULE, "subject", f"It begins with “{found[0].strip()}”, as if it answered or passed on a mail; it does not."
        )
    if _shouts(words):
        yield warning(RULE, "subject", "It is in capitals, which filters count against it.")
    if "!" in words:
        yield warning(RULE, "subject", "It has an exclamation mark; filters count them, and the paper does not shout.")
    for pattern, what in ((_MONEY, "an amount of money"), (_EMOJI, "a pictogram"), (_PHRASES, "a word of advertising")):
        if found := pattern.search(words):
            yield warning(RULE, "subject", f"“{found[0].strip()}” is {what}, which filters weigh.")
    if len(words) > LONGEST:
        yield warning(RULE, "subject", f"It has {len(words)} characters; phones cut it after about {LONGEST}.")
    beside = proof.content.preheader
    if len(beside) > PREHEADER:
        yield warning(RULE, "preheader", f"It has {len(beside)} characters; inboxes cut it after about {PREHEADER}.")
    if words.casefold().strip(" .…") in beside.casefold():
        yield warning(RULE, "preheader", "It repeats the subject, beside which it is read.")


def _shouts(words: str) -> bool:
    """More than two thirds capitals; an acronym or two is no shouting."""
    letters = [sign for sign in words if sign.isalpha()]
    return len(letters) >= _LETTERS_ENOUGH and sum(map(str.isupper, letters)) * 3 > len(letters) * 2
