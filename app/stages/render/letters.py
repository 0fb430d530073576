"""The words of letters that carry one link, in every language. Pure."""

from dataclasses import dataclass

from app.core.language import Phrase, say


@dataclass(frozen=True, slots=True)
class Words:
    """`after` follows another address that the letter names (`Slot.OTHER_ADDRESS`); `by_hand` stands over the link."""

    subject: Phrase
    preheader: Phrase
    heading: Phrase
    opening: Phrase
    button: Phrase
    by_hand: Phrase
    lasts: Phrase
    hint: Phrase
    """Over the address in HTML, for whom the button does not work."""
    after: Phrase | None = None


def linked(kind: str, paper: str) -> Words:
    """The words of a letter of `kind` (core/signing.Purpose) from the paper of this name. Raises KeyError."""
    return _WORDS[kind](paper)


def _download(paper: str) -> Words:
    return Words(
        subject=say("Your data at {paper}: the link you asked for", paper=paper),
        preheader=say("One button, two kinds of file."),
        heading=say("Your data, as a file."),
        opening=say(
            "Somebody, we hope it was you, asked for what {paper} keeps about you: your choices, what you agreed to, "
            "and which papers were sent.",
            paper=paper,
        ),
        button=say("Get my data"),
        by_hand=say("To download it, open this address and press the button on the page:"),
        lasts=_one_hour(),
        hint=_hint(),
    )


def _erase(paper: str) -> Words:
    return Words(
        subject=say("Delete everything about you at {paper}", paper=paper),
        preheader=say("Nothing is deleted until you press the button on the page."),
        heading=say("Shall we forget you?"),
        opening=say(
            "Somebody, we hope it was you, asked {paper} to delete everything it keeps about you. Nothing is deleted "
            "until you press the button on the page behind the link.",
            paper=paper,
        ),
        button=say("Delete my data"),
        by_hand=say("To delete it, open this address and press the button on the page:"),
        lasts=_one_hour(),
        hint=_hint(),
    )


def _move(paper: str) -> Words:
    return Words(
        subject=say("Change the address that {paper} comes to", paper=paper),
        preheader=say("The link opens a page with one field."),
        heading=say("Where shall we deliver?"),
        opening=say(
            "Somebody, we hope it was you, asked to have {paper} sent to another address. The link opens a page where "
            "you say which. Your choices stay as they are.",
            paper=paper,
        ),
        button=say("Change my address"),
        by_hand=say("To change it, open this address and type the new one:"),
        lasts=_one_hour(),
        hint=_hint(),
    )


def _new_address(paper: str) -> Words:
    return Words(
        subject=say("Confirm your new address for {paper}", paper=paper),
        preheader=say("Press one button and the next paper comes here."),
        heading=say("Shall we deliver here?"),
        opening=say(
            "A reader of {paper}, we hope it was you, asked to have it sent to this address from now on. Nothing comes "
            "until you say so.",
            paper=paper,
        ),
        button=say("Yes, deliver here"),
        by_hand=say("To confirm, open this address and press the button on the page:"),
        lasts=say("The link works for 24 hours. If you did not ask for this, do nothing: you are not on the list."),
        hint=_hint(),
    )


def _old_address(paper: str) -> Words:
    return Words(
        subject=say("{paper} goes to another address now", paper=paper),
        preheader=say("If that was not you, one button puts yours back."),
        heading=say("Your address was changed."),
        opening=say(
            "You, or somebody who reads your mail, asked for it and confirmed it: from now on {paper} goes to another "
            "address:",
            paper=paper,
        ),
        after=say("If that was you, there is nothing left to do. If it was not, have your address put back."),
        button=say("It was not me: put it back"),
        by_hand=say("To put it back, open this address and press the button on the page:"),
        lasts=say("The link works for 7 days."),
        hint=_hint(),
    )


def _already(paper: str) -> Words:
    return Words(
        subject=say("You are a reader already: {paper}", paper=paper),
        preheader=say("Nothing has changed. Your preferences are behind the link."),
        heading=say("It comes already."),
        opening=say(
            "Somebody, we hope it was you, asked for {paper} to be sent to this address. It is sent here already, so "
            "there is nothing to confirm and nothing has changed. What comes, how often and when, a rest and the way "
            "out are in your preferences.",
            paper=paper,
        ),
        button=say("Preferences"),
        by_hand=say("Your preferences are at this address:"),
        lasts=say("No paper in your mailbox? Look where your mail program keeps what it takes for junk."),
        hint=say("If the button does not work, open this address:"),
    )


def _hint() -> Phrase:
    return say("The button opens a page that asks once more. If it does not work, open this address:")


def _one_hour() -> Phrase:
    return say(
        "The link works for one hour. If you did not ask for this, do nothing: without this mail nobody gets any "
        "further."
    )


_WORDS = {
    "already": _already,
    "download": _download,
    "erase": _erase,
    "move": _move,
    "new-address": _new_address,
    "old-address": _old_address,
}
