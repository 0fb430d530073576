"""Dates as people and programs write them: years, months and days (ISO 8601), and never a count of seconds. Pure."""

import re
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator

_WRITTEN = re.compile(r"\d{4}-\d{2}-\d{2}")


def _as_written(value: Any) -> Any:
    """Raises ValueError for what pydantic would take for an instant, as the number 0 for the first of January 1970."""
    is_day = isinstance(value, date) and not isinstance(value, datetime)
    if not (is_day or (isinstance(value, str) and _WRITTEN.fullmatch(value))):
        raise ValueError("must be a date such as 2026-11-24")
    return value


Day = Annotated[date, BeforeValidator(_as_written)]
"""A date, or one written as 2026-11-24."""
