"""The exception tree. Its base classes are the `except` clauses a caller wants.

MorningPostError
├── ConfigurationError     the service cannot start like this; a sentence for the operator, exit code 2
├── Refused                the caller asked for something that cannot be done; theirs to change (4xx, exit 2)
│   ├── InvalidInput       a field is malformed (422); `field` names it
│   ├── InvalidToken       a signed link is unknown, tampered with or has run out
│   ├── NotAuthorized      no key, a wrong key, or a key without the scope
│   ├── NotFound           there is no such thing
│   ├── Conflict           it exists, but its state does not allow this
│   │   └── Stale          somebody changed it since the caller last looked (412)
│   └── TooMany            it may be asked again, in `retry_after` seconds (429)
├── SourceError            a source of trends did not answer with data we can use
└── StorageError           the database did not take or give what was asked (5xx); nothing was half-written
    └── StorageUnavailable it cannot be reached, is locked or is full: later may work
        └── StorageContention another transaction was in the way: the whole transaction may be tried again at once
"""

from dataclasses import dataclass
from typing import cast


class MorningPostError(Exception):
    """Base of every error this service raises on purpose; its text is a sentence for a person."""

    @property
    def sentence(self) -> str:
        """The text as it was raised: a phrase stays one, where `str()` of an error gives its English."""
        return str(self) if not self.args or type(self.args[0]) is str else cast("str", self.args[0])


class ConfigurationError(MorningPostError):
    """A setting is missing or wrong."""


class Refused(MorningPostError):
    """The request cannot be carried out as asked."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One malformed field and what is wrong with it, in words."""

    field: str
    message: str


class InvalidInput(Refused):
    """One or more fields are malformed. `errors` lists each."""

    def __init__(self, message: str, field: str = "", errors: tuple[FieldError, ...] = ()) -> None:
        super().__init__(message)
        self.errors = errors or ((FieldError(field, message),) if field else ())


class InvalidToken(Refused):
    """The link is not one we signed, or it has run out (`expired`)."""

    def __init__(self, message: str = "This link is not valid.", *, expired: bool = False) -> None:
        super().__init__(message)
        self.expired = expired


class NotAuthorized(Refused):
    """`known` is true when the key is good but lacks the scope (403 rather than 401)."""

    def __init__(self, message: str, *, known: bool = False) -> None:
        super().__init__(message)
        self.known = known


class NotFound(Refused):
    """There is no such thing."""


class Conflict(Refused):
    """The thing exists, but its present state does not allow this."""


class Stale(Conflict):
    """It was changed since the caller last looked at it."""


class TooMany(Refused):
    """More than is taken at once. `retry_after` is in whole seconds."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class SourceError(MorningPostError):
    """A source of trends could not be read. `retry_after` is in seconds where the source said so."""

    def __init__(self, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StorageError(MorningPostError):
    """The database refused; the transaction was rolled back whole."""


class StorageUnavailable(StorageError):
    """The database cannot be reached, is locked, or its disk is full."""


class StorageContention(StorageUnavailable):
    """The transaction lost against another one (a deadlock, a serialisation failure); done again it may succeed."""
