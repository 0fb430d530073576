"""The API's own description (OpenAPI 3.1): every status that can come, and what it looks like."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

from app.web.problems import MEDIA_TYPE, TITLES, Problem

_REF = "#/components/schemas/"
Operation = dict[str, Any]

_WORDS: Mapping[int, str] = {
    400: "The request cannot be understood",
    401: "No key, or one that is not known",
    403: "The key lacks the scope",
    404: "There is no such thing",
    409: "Its present state does not allow this",
    412: "It changed since the version that If-Match names",
    413: "The body is too large",
    415: "The body is not JSON",
    422: "A field is malformed; `errors` says which and why",
    428: "If-Match is missing",
    429: "Too many requests; `Retry-After` says in how many seconds to try again",
    500: "A fault of ours; nothing changed",
    503: "The database does not answer; `Retry-After` says when to try again",
}


_NOT_OURS = ("", "Validation Error")
"""What FastAPI says of a status where a route says nothing."""


def describe(app: FastAPI) -> None:
    """Makes `app.openapi()` complete what FastAPI knows of its routes."""
    known = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(known())
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # FastAPI's own way (Extending OpenAPI)


def problem(status: int, words: str = "") -> dict[str, Any]:
    """A response that carries a problem (RFC 9457)."""
    return {
        "description": words or _WORDS.get(status, TITLES[status]),
        "content": {MEDIA_TYPE: {"schema": {"$ref": f"{_REF}Problem"}}},
    }


def _complete(made: dict[str, Any]) -> None:
    schemas = made["components"]["schemas"]
    ours = Problem.model_json_schema(ref_template=_REF + "{model}")
    schemas.update(ours.pop("$defs"), Problem=ours)
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            _answers(path, method, operation)


def _answers(path: str, method: str, operation: Operation) -> None:
    responses = operation["responses"]
    for status in sorted(_statuses(path, method, operation)):
        said = responses.get(str(status), {})
        if MEDIA_TYPE not in said.get("content", {}):
            words = said.get("description", "")
            responses[str(status)] = problem(status, "" if words in _NOT_OURS else words)
        if not path.startswith(("/api/", "/healthz", "/readyz")):  # people get a page
            responses[str(status)]["content"]["text/html"] = {"schema": {"type": "string"}}
    if (
        path.startswith("/api/") and method == "patch"
    ):  # a change always names what it was made of, where that has a version
        for one in operation.get("parameters", ()):
            if one["name"] == "If-Match":
                one["required"] = True
                one["schema"] = {"type": "string"}
    operation["responses"] = dict(sorted(responses.items()))


def _statuses(path: str, method: str, operation: Operation) -> set[int]:
    """Beside those of success."""
    found = {int(status) for status in operation["responses"] if status.isdigit() and int(status) >= 400}
    found.add(500)
    names = {one["name"] for one in operation.get("parameters", ())}
    if path.startswith("/api/"):
        found |= {401, 403, 503}
        found |= {404} if "{" in path else set()
        found |= {409} if method != "get" else set()
        found |= {422} if names or "requestBody" in operation else set()
    if "requestBody" in operation:
        found |= {400, 413, 415}
    if "If-Match" in names:
        found |= {412, 428} if method == "patch" else {412}
    return found
