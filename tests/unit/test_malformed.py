"""What is wrong with loose fields, in words for whoever wrote them."""

import re
from datetime import date, datetime
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from app.core.days import Day
from app.core.malformed import field_errors
from app.core.numbers import NoTruthValue

PYTHON = re.compile(r"None|True|False|dict|tuple|NoneType|Value error|Assertion|instance|<class|Input should|Field req")


class Loose(BaseModel):
    """A field of each kind."""

    model_config = ConfigDict(extra="forbid")

    text: Annotated[str, Field(min_length=1, max_length=3)] = "x"
    whole: Annotated[int, Field(ge=1, le=9), NoTruthValue] = 1
    part: Annotated[float, Field(gt=0, lt=1.5)] = 0.5
    truth: bool = True
    day: Day | None = None
    at: datetime | None = None
    one_of: Literal["a", "b"] = "a"
    many: Annotated[list[int], Field(max_length=2)] = []
    inner: "Loose | None" = None

    @field_validator("text")
    @classmethod
    def _not_no(cls, value: str) -> str:
        if value == "no":
            raise ValueError("must not be no, or None of it")
        return value


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("text", "", "must not be empty"),
        ("text", "long", "must be at most 3 characters long"),
        ("text", 7, "must be text"),
        ("text", {}, "must be text"),
        ("whole", 0, "must be 1 or more"),
        ("whole", 10, "must be 9 or less"),
        ("whole", True, "must be a number"),
        ("whole", "one", "must be a whole number"),
        ("whole", 1.5, "must be a whole number"),
        ("whole", 10**40, "must be 9 or less"),
        ("part", 0, "must be more than 0"),
        ("part", 1.5, "must be less than 1.5"),
        ("part", "x", "must be a number"),
        ("truth", "perhaps", "must be true or false"),
        ("truth", [], "must be true or false"),
        ("day", 0, "must be a date such as 2026-11-24"),
        ("day", "0", "must be a date such as 2026-11-24"),
        ("day", "2026-13-01", "must be a date such as 2026-11-24"),
        ("day", "2026-11-24T00:00:00", "must be a date such as 2026-11-24"),
        ("at", "soon", "must be an instant such as 2026-11-24T06:30:00Z"),
        ("one_of", "c", "must be 'a' or 'b'"),
        ("many", 1, "must be a list"),
        ("many", [1, 2, 3], "must have at most 2 entries"),
        ("inner", [], "must be an object of named fields"),
        ("other", 1, "is no field here"),
    ],
)
def test_each_kind_has_a_sentence(field: str, value: Any, said: str) -> None:
    """None of them speaks of Python, or repeats what was sent."""
    with pytest.raises(ValidationError) as caught:
        Loose.model_validate({field: value})
    (found,) = field_errors(caught.value)
    assert (found.field, found.message) == (field, said)
    assert not PYTHON.search(found.message)


def test_a_rule_of_our_own_says_what_it_says() -> None:
    with pytest.raises(ValidationError) as caught:
        Loose.model_validate({"inner": {"text": "no"}})
    (found,) = field_errors(caught.value)
    assert (found.field, found.message) == ("inner.text", "must not be no, or None of it")


def test_dates_are_dates() -> None:
    assert Loose(day="2026-11-24").day == Loose(day=date(2026, 11, 24)).day == date(2026, 11, 24)
