"""What each receipt means for a row, as a table."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.mail.receipt import Accepted, Deferred, Fault, Halt, NotSent, Receipt, Rejected, Unknown
from app.models.states import DeliveryStatus as Status
from app.models.states import allowed
from app.stages.send.policy import BACKOFF, decide
from tests.people import NOON, minutes

LATER = NOON + timedelta(hours=12)


@pytest.mark.parametrize(
    ("receipt", "status", "due"),
    [
        (Accepted("x"), Status.ACCEPTED, None),
        (Rejected("no such user", code="5.1.1"), Status.REJECTED, None),
        (Unknown("no answer"), Status.UNKNOWN, NOON + minutes(15)),
        (NotSent("stopped"), Status.QUEUED, NOON + timedelta(seconds=1)),
        (Halt("535"), Status.QUEUED, NOON),
        (Deferred("451 greylisted"), Status.QUEUED, NOON + minutes(1)),
        (Deferred("429", after=timedelta(minutes=7)), Status.QUEUED, NOON + minutes(7)),
    ],
)
def test_a_receipt_names_the_next_state(receipt: Receipt, status: Status, due: object) -> None:
    """At the first attempt, in the middle of every spread."""
    made = decide(receipt, 1, NOON, LATER, 0.5)
    assert (made.status, made.due_at) == (status, due)
    assert allowed(Status.SENDING, made.status)


def test_a_rejection_keeps_whose_fault_it_is() -> None:
    """Only a fault of the address counts the reader as done."""
    assert decide(Rejected("spam", Fault.MESSAGE), 1, NOON, LATER, 0).fault is Fault.MESSAGE


@given(st.integers(1, 40), st.floats(0, 1, exclude_max=True))
def test_retries_wait_longer_and_never_outlive_the_paper(attempt: int, chance: float) -> None:
    """Every deferral is either due before the expiry, or expired."""
    made = decide(Deferred("later"), attempt, NOON, LATER, chance)
    step = BACKOFF[min(attempt, len(BACKOFF)) - 1]
    assert made.status is Status.QUEUED
    assert made.due_at is not None
    assert step * 0.8 <= made.due_at - NOON <= step * 1.2
    assert decide(Deferred("later"), attempt, LATER - timedelta(seconds=30), LATER, chance).status is Status.EXPIRED
