"""Numbers of rows: both engines keep 64 bits and answer more with an error of their own, and JSON keeps fewer."""

from typing import Any

from pydantic import BeforeValidator


def _no_truth_value(value: Any) -> Any:
    """Raises ValueError for true and false, which pydantic takes for 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("must be a number")
    return value


NoTruthValue = BeforeValidator(_no_truth_value)
"""For fields of numbers in JSON."""
LARGEST_ID = 2**53 - 1
"""The largest whole number that every reader of JSON takes for what it is (RFC 8259 section 6)."""
