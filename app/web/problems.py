"""Problem details (RFC 9457): how an error looks to a program."""

from http import HTTPStatus

from fastapi.responses import Response
from pydantic import BaseModel

MEDIA_TYPE = "application/problem+json"


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
    return Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=fields or None)


def as_response(made: Problem, headers: dict[str, str] | None = None) -> Response:
    """The answer that carries a problem."""
    body = made.model_dump_json(exclude_none=True)
    return Response(body, made.status, headers=headers, media_type=MEDIA_TYPE)
