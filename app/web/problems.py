"""Problem details (RFC 9457): how an error looks to a program."""

from collections.abc import Mapping

from fastapi.responses import Response
from pydantic import BaseModel

MEDIA_TYPE = "application/problem+json"


TITLES: Mapping[int, str] = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    408: "Request Timeout",
    409: "Conflict",
    410: "Gone",
    412: "Precondition Failed",
    413: "Content Too Large",
    414: "URI Too Long",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    428: "Precondition Required",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Timeout",
}
"""RFC 9110 section 15, and RFC 6585. Ours, since Python's own table says other words from one version to the next."""


class FieldProblem(BaseModel):
    """One malformed field, and what is wrong with it."""

    field: str
    message: str


class Problem(BaseModel):
    """An error. `title` is the status in words, `detail` a sentence about this one."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] | None = None


def problem(status: int, detail: str, fields: list[FieldProblem] | None = None) -> Problem:
    """A problem of no type but its status (RFC 9457 section 4.2.1)."""
    return Problem(title=TITLES.get(status, "Error"), status=status, detail=detail, errors=fields or None)


def as_response(made: Problem, headers: dict[str, str] | None = None) -> Response:
    """The answer that carries a problem."""
    body = made.model_dump_json(exclude_none=True)
    return Response(body, made.status, headers=headers, media_type=MEDIA_TYPE)
