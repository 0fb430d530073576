"""Every error as an answer: problem details for programs, a page with a sentence for people.

4xx is theirs, 5xx is ours. Nothing of a request, an address or a token is repeated in either.
"""

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.routing import Match

from app.core import malformed
from app.core.errors import (
    Conflict,
    InvalidInput,
    InvalidToken,
    MorningPostError,
    NotAuthorized,
    NotFound,
    Refused,
    Stale,
    StorageContention,
    StorageUnavailable,
    TooMany,
)
from app.core.language import Phrase, joined, plural, say
from app.web import replay
from app.web.answers import AnswerWith, answer, wants_problem
from app.web.guard import protect
from app.web.pages import page
from app.web.problems import FieldProblem
from app.web.wording import in_words

_log = structlog.get_logger(__name__)

_STATUS: tuple[tuple[type[MorningPostError], int], ...] = (
    (InvalidInput, 422),
    (NotAuthorized, 401),
    (NotFound, 404),
    (Stale, 412),
    (Conflict, 409),
    (TooMany, 429),
    (Refused, 400),
    (StorageUnavailable, 503),
)
"""The first that fits; whatever is not here is our fault."""

_OUR_FAULT = say("That did not go through, and it is our fault. Nothing changed. Please try again.")
NOT_OURS = say("This link is not one of ours.")
_CUT_SHORT = say(
    "A mail program may have cut it short: open it from the message again, "
    "or copy the whole of it into the address bar."
)
_BAD_ADDRESS = say("The address of the page holds something that we cannot read. Begin on the front page.")
_METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
_ON_PAGES = {
    400: say("The form did not arrive whole. Please go back and send it once more."),
    404: say("It may have moved, or it was never printed."),
    413: say("Please go back and make it shorter."),
    415: say("Please use the form on the front page."),
    405: say("Begin on the front page."),
}


def _invalid_token(request: Request, error: InvalidToken) -> Response:
    asking = "/confirm/" in request.url.path
    if error.expired and asking and not wants_problem(request):
        return page(request, "run_out.html", status=410, again=f"/confirm/{request.path_params['token']}/again")
    if error.expired:
        return answer(request, 410, _worked_for(request))
    return answer(request, 404, _CUT_SHORT, heading=NOT_OURS, subscribe=asking)


def _worked_for(request: Request) -> Phrase:
    path = request.url.path
    if any(f"/{kind}/" in path for kind in ("download", "erase", "move")):
        return say("It worked for one hour. Your preferences page, linked in every paper, sends a new one.")
    if "/new-address/" in path:
        return say("It worked for 24 hours, or until another change was asked for. Nothing was changed.")
    return say("It worked for 7 days.")


def _status_of(error: MorningPostError) -> int:
    if isinstance(error, NotAuthorized) and error.known:
        return 403
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


async def _on_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, MorningPostError)
    if isinstance(error, InvalidToken):
        return _invalid_token(request, error)
    if isinstance(error, StorageContention) and replay.is_wanted(request):
        raise error
    status = _status_of(error)
    if status >= 500:
        _log.error("request failed", path=request.url.path, error=str(error), kind=type(error).__name__)
        return answer(request, status, _OUR_FAULT, headers={"retry-after": "5"} if status == 503 else None)
    if isinstance(error, TooMany):
        detail = joined((error.sentence, _again(error.retry_after)))
        return answer(request, status, detail, headers={"retry-after": str(error.retry_after)})
    fields = [FieldProblem(field=one.field, message=one.message) for one in getattr(error, "errors", ())]
    headers = {"www-authenticate": "Bearer"} if status == 401 else None
    return answer(request, status, error.sentence, fields=fields, headers=headers)


def _again(seconds: int) -> Phrase:
    minutes = -(-seconds // 60)
    return plural(
        "Please try again in a minute.", "Please try again in {number} minutes.", minutes, number=in_words(minutes)
    )


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    detail = str(error.detail)
    if not wants_problem(request):
        detail = _ON_PAGES.get(error.status_code, detail)
    if error.status_code == 405:
        headers = {name: value for name, value in headers.items() if name.lower() != "allow"}
        headers["allow"] = ", ".join(_methods(request))
    return answer(request, error.status_code, detail, headers=headers)


def _methods(request: Request) -> list[str]:
    """What the path does answer to (RFC 9110 section 15.5.6): by every route of it, not only the first."""
    routes = request.app.router.routes
    return [
        method
        for method in _METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]


async def _on_malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # What was sent is not repeated: pydantic's `input` could hold an address.
    fields = [
        FieldProblem(field=malformed.path(item["loc"][1:]), message=malformed.sentence(item)) for item in error.errors()
    ]
    if not wants_problem(request):  # people follow links and press buttons: what they cannot mend they need not be told
        return answer(request, 422, _BAD_ADDRESS)
    detail = "; ".join(f"{one.field}: {one.message}" if one.field else one.message for one in fields)
    return answer(request, 422, detail, fields=fields)


async def _on_answer(_: Request, error: Exception) -> Response:
    assert isinstance(error, AnswerWith)
    return error.response


async def _on_fault(request: Request, _: Exception) -> Response:
    # Starlette answers these outside every layer of ours, and logs the error itself.
    made = answer(request, 500, _OUR_FAULT)
    protect(MutableHeaders(raw=made.raw_headers))
    return made


def install(app: FastAPI) -> None:
    """Registers the handlers."""
    app.add_exception_handler(MorningPostError, _on_error)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_malformed)
    app.add_exception_handler(AnswerWith, _on_answer)
    app.add_exception_handler(Exception, _on_fault)
