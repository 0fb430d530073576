"""How an error is told: problem details to a program, a page with a sentence to a person."""

from collections.abc import Sequence

from fastapi import Request
from fastapi.responses import Response

from app.core.language import say
from app.web.pages import page
from app.web.problems import FieldProblem, as_response, problem

_HEADINGS = {
    401: say("That needs a key."),
    403: say("That is not yours to open."),
    404: say("No such page in any edition."),
    405: say("That page cannot be asked for like this."),
    410: say("This link has run out."),
    413: say("That is too long."),
    414: say("That is too long."),
    415: say("We cannot read that."),
    422: say("Something in that is not right."),
    429: say("One moment."),
    431: say("That is too long."),
}


class AnswerWith(Exception):  # not an error: it only leaves a route by the door that rolls back
    """Ends a route with `response` and rolls its transaction back."""

    def __init__(self, response: Response) -> None:
        super().__init__()
        self.response = response


def wants_problem(request: Request) -> bool:
    """Is a program asking? It calls the API, sends JSON, or accepts JSON and no page."""
    path = request.url.path.removeprefix(request.scope.get("root_path", ""))
    accept = request.headers.get("accept", "")
    return (
        path.startswith(("/api/", "/healthz", "/readyz"))
        or request.headers.get("content-type", "").startswith("application/json")
        or ("json" in accept and "text/html" not in accept)
    )


def answer(
    request: Request,
    status: int,
    detail: str,
    *,
    heading: str = "",
    fields: Sequence[FieldProblem] = (),
    headers: dict[str, str] | None = None,
    subscribe: bool = False,
) -> Response:
    """An error in the form its asker reads. `heading` stands over the page; `subscribe` puts the form on it."""
    if wants_problem(request):
        return as_response(problem(status, f"{heading} {detail}".strip(), list(fields)), headers)
    heading = heading or _HEADINGS.get(status, say("That did not work.") if status < 500 else say("Stop press."))
    made = page(request, "message.html", status=status, heading=heading, detail=detail, subscribe=subscribe)
    made.headers.update(headers or {})
    return made
