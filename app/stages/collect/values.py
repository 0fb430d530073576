"""Reads single values out of a stranger's JSON: a value that is not what it should be is None. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

LARGEST = 2**31 - 1
"""What a column of counts holds."""


def count(value: Any) -> int | None:
    """A whole number from 0 on; a float that is whole counts as one, a truth value does not."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value <= LARGEST and value == int(value) else None


def number(value: Any) -> float | None:
    """A number from 0 on."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 0 <= value <= LARGEST else None


def text(value: Any) -> str:
    """A string; empty for anything else."""
    return value if isinstance(value, str) else ""


def matching(pattern: re.Pattern[str], value: Any) -> str | None:
    """A string that is wholly of `pattern`."""
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


def strings(value: Any) -> tuple[str, ...]:
    """The strings of a list; empty for anything else."""
    return tuple(one for one in value if isinstance(one, str)) if isinstance(value, list) else ()


def items(value: Any) -> Sequence[Any]:
    """A list; an empty one for anything else."""
    return value if isinstance(value, list) else ()


def mapping(value: Any) -> Mapping[str, Any]:
    """An object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def instant(value: Any) -> datetime | None:
    """An ISO 8601 instant, in UTC."""
    try:
        at = datetime.fromisoformat(text(value))
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
