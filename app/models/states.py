"""Every state and every edge between states. A move that is not listed here does not happen."""

from collections.abc import Mapping
from enum import StrEnum


class SubscriberStatus(StrEnum):
    PENDING = "pending"
    ACTIVE = "active"
    PAUSED = "paused"
    LEFT = "left"
    ERASED = "erased"


class Frequency(StrEnum):
    """Which days a reader wants: every day, Monday to Friday, or Saturday."""

    DAILY = "daily"
    WEEKDAYS = "weekdays"
    WEEKLY = "weekly"


class MailForm(StrEnum):
    """How a reader wants the mail: with its plain-text twin, or as text alone."""

    HTML = "html"
    TEXT = "text"


class EditionStatus(StrEnum):
    DRAFT = "draft"
    READY = "ready"
    HELD = "held"
    FROZEN = "frozen"
    SENDING = "sending"
    PAUSED = "paused"
    SENT = "sent"
    PARTIALLY_SENT = "partially_sent"
    CANCELLED = "cancelled"


class DeliveryStatus(StrEnum):
    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    EXPIRED = "expired"


class StoryStatus(StrEnum):
    """What is gathered is a candidate; what an editor wrote or took is ready."""

    CANDIDATE = "candidate"
    READY = "ready"
    DISMISSED = "dismissed"


SUBSCRIBER_EDGES: Mapping[tuple[SubscriberStatus, SubscriberStatus], str] = {
    (SubscriberStatus.PENDING, SubscriberStatus.ACTIVE): "pressed the button behind the confirmation link",
    (SubscriberStatus.ACTIVE, SubscriberStatus.LEFT): "unsubscribed",
    (SubscriberStatus.ACTIVE, SubscriberStatus.PAUSED): "asked for a rest until a date",
    (SubscriberStatus.PAUSED, SubscriberStatus.ACTIVE): "the date came, or the reader was back earlier",
    (SubscriberStatus.PAUSED, SubscriberStatus.LEFT): "unsubscribed",
    (SubscriberStatus.PENDING, SubscriberStatus.LEFT): "unsubscribed before confirming",
    (
        SubscriberStatus.LEFT,
        SubscriberStatus.ACTIVE,
    ): "signed up again and confirmed, or undid leaving",
    **{
        (status, SubscriberStatus.ERASED): "asked to be forgotten; what is left is nobody's"
        for status in SubscriberStatus
        if status is not SubscriberStatus.ERASED
    },
}

EDITION_EDGES: Mapping[tuple[EditionStatus, EditionStatus], str] = {
    (EditionStatus.DRAFT, EditionStatus.READY): "enough material",
    (EditionStatus.DRAFT, EditionStatus.HELD): "too little material, or an operator holds it",
    (EditionStatus.READY, EditionStatus.HELD): "too little material, lint found an error, or an operator holds it",
    (EditionStatus.HELD, EditionStatus.READY): "enough material, or an operator lets it go or overrules lint",
    (EditionStatus.READY, EditionStatus.FROZEN): "rendered; its content never changes again",
    (EditionStatus.FROZEN, EditionStatus.SENDING): "the first readers were released",
    (EditionStatus.FROZEN, EditionStatus.PAUSED): "an operator paused it",
    (EditionStatus.SENDING, EditionStatus.PAUSED): "an operator paused it, or a fault of ours did",
    **{
        (status, EditionStatus.CANCELLED): "an operator cancelled it; who has not got it does not get it"
        for status in (EditionStatus.FROZEN, EditionStatus.SENDING, EditionStatus.PAUSED)
    },
    (EditionStatus.PAUSED, EditionStatus.FROZEN): "resumed before anybody was released",
    (EditionStatus.PAUSED, EditionStatus.SENDING): "resumed",
    (EditionStatus.SENDING, EditionStatus.SENT): "nothing is owed and nothing failed through us",
    (
        EditionStatus.SENDING,
        EditionStatus.PARTIALLY_SENT,
    ): "nothing is owed, but some readers went without through us",
    (EditionStatus.PAUSED, EditionStatus.SENT): "paused until its day was over, and nothing is owed",
    (EditionStatus.PAUSED, EditionStatus.PARTIALLY_SENT): "paused until its day was over: some readers went without",
    (EditionStatus.SENT, EditionStatus.SENDING): "readers were released after it had ended",
    (EditionStatus.PARTIALLY_SENT, EditionStatus.SENDING): "readers were released after it had ended",
    (EditionStatus.PARTIALLY_SENT, EditionStatus.SENT): "a late answer settled the last unknown hand-over",
}

STORY_EDGES: Mapping[tuple[StoryStatus, StoryStatus], str] = {
    (StoryStatus.CANDIDATE, StoryStatus.READY): "an editor took it into a section",
    (StoryStatus.CANDIDATE, StoryStatus.DISMISSED): "an editor does not want it",
    (StoryStatus.DISMISSED, StoryStatus.CANDIDATE): "an editor wants to see it again",
    (StoryStatus.READY, StoryStatus.DISMISSED): "an editor withdrew it before it was printed",
}

DELIVERY_EDGES: Mapping[tuple[DeliveryStatus, DeliveryStatus], str] = {
    (DeliveryStatus.QUEUED, DeliveryStatus.SENDING): "begun, in a group whose reader still stands",
    (
        DeliveryStatus.QUEUED,
        DeliveryStatus.SKIPPED,
    ): "the reader left, or it was cancelled, before the hand-over",
    (DeliveryStatus.QUEUED, DeliveryStatus.EXPIRED): "too late to be news",
    (DeliveryStatus.QUEUED, DeliveryStatus.ACCEPTED): "the answer to an earlier attempt came late: cancels the resend",
    (DeliveryStatus.SENDING, DeliveryStatus.ACCEPTED): "the provider took responsibility, for this attempt or before",
    (DeliveryStatus.SENDING, DeliveryStatus.REJECTED): "the provider refused for good",
    (DeliveryStatus.SENDING, DeliveryStatus.QUEUED): "deferred, or nothing of the message was written",
    (DeliveryStatus.SENDING, DeliveryStatus.UNKNOWN): "the whole message was written and no answer came, or we died",
    (DeliveryStatus.SENDING, DeliveryStatus.EXPIRED): "deferred past its expiry",
    (DeliveryStatus.UNKNOWN, DeliveryStatus.ACCEPTED): "the answer came late",
    (DeliveryStatus.UNKNOWN, DeliveryStatus.REJECTED): "the answer came late",
    (DeliveryStatus.UNKNOWN, DeliveryStatus.QUEUED): "to be sent again: nobody is lost",
    (DeliveryStatus.EXPIRED, DeliveryStatus.QUEUED): "an operator has it tried again",
    (DeliveryStatus.REJECTED, DeliveryStatus.QUEUED): "an operator has it tried again: it was no fault of the address",
    (DeliveryStatus.UNKNOWN, DeliveryStatus.EXPIRED): "too late to be sent again",
}

EDGES: Mapping[type[StrEnum], Mapping[tuple[StrEnum, StrEnum], str]] = {
    SubscriberStatus: SUBSCRIBER_EDGES,  # type: ignore[dict-item]  # Mapping is invariant in its keys
    EditionStatus: EDITION_EDGES,  # type: ignore[dict-item]
    StoryStatus: STORY_EDGES,  # type: ignore[dict-item]
    DeliveryStatus: DELIVERY_EDGES,  # type: ignore[dict-item]
}


def allowed(from_: StrEnum, to: StrEnum) -> bool:
    """Is there an edge between two states of one kind?"""
    return (from_, to) in EDGES[type(from_)]
