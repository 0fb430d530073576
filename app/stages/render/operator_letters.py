"""Letters to operators: plain text, in English as all that operators read."""

import secrets
from collections.abc import Mapping
from datetime import date
from typing import Any

from app.core.language import ENGLISH
from app.core.mail.template import MailTemplate, Pieces
from app.core.publication import Publication
from app.models.content import EditionKind
from app.stages.render.templates import render
from app.stages.render.wording import full_date

HELD = "held"
FAULT = "fault"
CLOCK = "clock"


def held_template(publication: Publication, told: Mapping[str, Any]) -> MailTemplate:
    """The letter that says that an edition is held, or waits for an approval, why, and what to do.

    `told`: `edition` (its id), `date`, `kind`, `why`, `by` (`store.holding.Holder`), and `candidates`,
    the (id, headline) of what could lead.
    """
    day = date.fromisoformat(told["date"])
    weekly = told["kind"] == EditionKind.WEEKLY
    state = "Waits for your approval" if told["by"] == "approval" else "Held"
    subject = f"{state}: the {'weekly' if weekly else 'paper'} of {full_date(day)}"
    words = render(
        "held.txt.j2", ENGLISH, paper=publication, subject=subject, day=full_date(day), told=told, weekly=weekly
    )
    return _letter(publication, subject, words)


def fault_template(publication: Publication, told: Mapping[str, Any]) -> MailTemplate:
    """The letter that says that a provider refuses us, why, and what to do.

    `told`: `provider`, `why`, `instead` (the provider that carries on, or None), and `edition` (its id), `date` and
    `kind` of the edition that was paused, or None.
    """
    day = full_date(date.fromisoformat(told["date"])) if told["date"] else ""
    subject = f"Service mail waits: {told['provider']} refuses us"
    if day:
        subject = f"Paused: the edition of {day}"
    elif told.get("instead"):
        subject = f"{told['provider']} refuses us; mail leaves by {told['instead']}"
    words = render("fault.txt.j2", ENGLISH, paper=publication, subject=subject, day=day, told=told)
    return _letter(publication, subject, words)


def clock_template(publication: Publication, told: Mapping[str, Any]) -> MailTemplate:
    """The letter that says that a clock is wrong, whose, and what to do.

    `told`: `what` (`off`: a machine's differs from the database's; `jumped`: the one that decides), `seconds` ahead,
    `machine`, `at` (what the wrong one said, in UTC) and `sqlite` (the machine's own is the one that decides).
    """
    amount = _amount(abs(told["seconds"]))
    off = told["what"] == "off"
    subject = f"The clock of {told['machine']} is wrong by {amount}" if off else f"The clock jumped by {amount}"
    words = render(
        "clock.txt.j2", ENGLISH, paper=publication, subject=subject, told=told, off=off, amount=amount,
        way="ahead of" if told["seconds"] > 0 else "behind",
    )  # fmt: skip
    return _letter(publication, subject, words)


def _amount(seconds: int) -> str:
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= 2 * length:
            return f"{seconds // length} {unit}s"
    return f"{seconds} seconds"


def _letter(publication: Publication, subject: str, words: str) -> MailTemplate:
    return MailTemplate(
        subject=subject,
        sender=publication.sender,
        reply_to=publication.reply_to,
        headers=(("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All")),
        text=Pieces.cut(words, secrets.token_hex(8)),
        html=None,
    )
