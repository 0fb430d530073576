"""What pydantic finds wrong with loose fields, in words for whoever wrote them. Pure.

Its own sentences speak of Python ("valid dictionary", "NoneType", "Value error, ").
"""

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from app.core.errors import FieldError

_SAID = {
    "missing": "is required",
    "extra_forbidden": "is no field here",
    "json_invalid": "is not JSON",
    "none_required": "must be left out or null",
    "string_type": "must be text",
    "string_unicode": "must be text in UTF-8",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "must be a whole number of at most 18 digits",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "date_type": "must be a date such as 2026-11-24",
    "date_parsing": "must be a date such as 2026-11-24",
    "date_from_datetime_parsing": "must be a date such as 2026-11-24",
    "date_from_datetime_inexact": "must be a date without a time, such as 2026-11-24",
    "datetime_type": "must be an instant such as 2026-11-24T06:30:00Z",
    "datetime_parsing": "must be an instant such as 2026-11-24T06:30:00Z",
    "datetime_from_date_parsing": "must be an instant such as 2026-11-24T06:30:00Z",
    "time_type": "must be a time such as 06:30",
    "time_parsing": "must be a time such as 06:30",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "set_type": "must be a list",
    "frozen_set_type": "must be a list",
    "dict_type": "must be an object of named fields",
    "model_type": "must be an object of named fields",
    "model_attributes_type": "must be an object of named fields",
    "dataclass_type": "must be an object of named fields",
    "enum": "must be {expected}",
    "literal_error": "must be {expected}",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "greater_than": "must be more than {gt}",
    "less_than": "must be less than {lt}",
    "string_too_short": "must have at least {min_length} characters",
    "string_too_long": "must be at most {max_length} characters long",
    "too_long": "must have at most {max_length} entries",
    "too_short": "must have at least {min_length} entries",
    "string_pattern_mismatch": "must look like {pattern}",
}


def sentence(item: ErrorDetails) -> str:
    """What is wrong, to be read after the field's name; nothing of what was sent is repeated."""
    kind, values = item["type"], item.get("ctx", {})
    if kind in ("value_error", "assertion_error"):
        return item["msg"].partition(", ")[2]
    if kind == "string_too_short" and values["min_length"] == 1:
        return "must not be empty"
    if kind not in _SAID:
        return item["msg"].replace("Input should", "must")
    return _SAID[kind].format_map({name: _plain(value) for name, value in values.items()})


def field_errors(error: ValidationError, whole: str = "") -> tuple[FieldError, ...]:
    """Each malformed field of `error`; `whole` is the name of all of them together."""
    return tuple(FieldError(path(item["loc"]) or whole, sentence(item)) for item in error.errors(include_url=False))


def path(parts: Sequence[Any]) -> str:
    """`tools.0.headline`."""
    return ".".join(str(part) for part in parts)


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
