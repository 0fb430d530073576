"""Which language an answer is in: what its address asks for, or the reader's own, or the browser's; else English."""

from urllib.parse import urlencode

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.routing import Match

from app.core.language import ENGLISH, Language
from app.core.languages import available, best, find

PARAMETER = "lang"
"""Of the address. No cookie remembers it; links within the site carry it on."""

ELSEWHERE = ("/subscribe",)
"""Paths of forms, where GET only leads to another page."""


def speak(request: Request, tag: str) -> None:
    """Says whose page this is: a reader who chose the language `tag`. An empty or unknown one changes nothing."""
    request.state.spoken = find(tag)


def language_for(request: Request) -> Language:
    """The language of the answer to `request`."""
    return (
        asked_for(request)
        or getattr(request.state, "spoken", None)
        or best(request.headers.get("accept-language", ""))
        or ENGLISH
    )


def asked_for(request: Request) -> Language | None:
    """The language that the address names, where we have it."""
    return find(request.query_params.get(PARAMETER, ""))


def kept(request: Request) -> str:
    """What a link within the site ends in, so that a language once chosen is kept: ?lang=de, or nothing."""
    chosen = asked_for(request)
    return f"?{urlencode({PARAMETER: chosen.tag})}" if chosen else ""


def others(request: Request) -> list[tuple[Language, str]]:
    """This page in the other languages, as relative links; none for a page that only a form leads to."""
    if not _can_be_opened(request):
        return []
    shown = language_for(request)
    rest = [(name, value) for name, value in request.query_params.multi_items() if name != PARAMETER]
    return [(one, f"?{urlencode([*rest, (PARAMETER, one.tag)])}") for one in available() if one != shown]


def _can_be_opened(request: Request) -> bool:
    """Does the path answer to GET, and with a page of its own?"""
    if request.url.path.removeprefix(request.scope.get("root_path", "")) in ELSEWHERE:
        return False
    scope = {**request.scope, "method": "GET"}
    return request.method == "GET" or any(route.matches(scope)[0] is Match.FULL for route in request.app.router.routes)


def mark(headers: MutableHeaders, language: Language) -> None:
    """What a cache must know (RFC 9110 sections 8.5 and 12.5.5): the language, and that the browser's wish counts."""
    headers["content-language"] = language.tag
    headers.add_vary_header("Accept-Language")
