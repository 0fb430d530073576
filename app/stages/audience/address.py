"""Addresses: checked for syntax only (RFC 5321, 5322, 6531), domains as A-labels, and a key for uniqueness. Pure."""

from dataclasses import dataclass

from email_validator import EmailNotValidError, validate_email

from app.core.errors import InvalidInput
from app.core.language import say
from app.core.mail.path import path
from app.core.text import is_clean

_LONGEST = 254  # RFC 3696 erratum 1690: a path of 256 octets, with its angle brackets


@dataclass(frozen=True, slots=True)
class Address:
    """`mail` is what a message is sent to; `key` is the same for every spelling that reaches one mailbox."""

    mail: str
    key: str


def parse(text: str) -> Address:
    """Reads what a person typed. Raises InvalidInput on `email` with a sentence for them."""
    typed = text.strip()
    if not typed:
        raise InvalidInput(say("Please type your email address."), "email")
    if len(typed) > _LONGEST:
        raise InvalidInput(say("That address is too long to be one."), "email")
    if not is_clean(typed):
        raise InvalidInput(say("That address contains characters no address can have."), "email")
    try:
        checked = validate_email(typed, check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError as error:
        raise InvalidInput(_sentence(typed, error), "email") from None
    mail = f"{checked.local_part}@{checked.ascii_domain}"
    try:
        path(mail)
    except ValueError:
        raise InvalidInput(say("That address is too long to be one."), "email") from None
    return Address(mail, mail.casefold())


def _sentence(typed: str, error: EmailNotValidError) -> str:
    local, at, domain = typed.rpartition("@")
    if not at:
        return say("That address has no @ in it.")
    if not local:
        return say("That address is missing the part before the @.")
    if domain and "." not in domain.strip("."):
        return say("That address is missing its ending, such as .org or .com.")
    if not local.isascii():
        return say("We cannot yet write to addresses with letters beyond a–z before the @.")
    # What the library found is said in English alone: there are dozens of such sentences, and few meet one.
    return say("That does not look like an address: {reason}", reason=f"{str(error)[:1].lower()}{str(error)[1:]}")


def mask(mail: str) -> str:
    """The address as a page may show it: enough for its owner to know it, too little for a stranger."""
    local, _, domain = mail.rpartition("@")
    return f"{local[:1]}***@{domain}"
