"""Asking for the paper."""

from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import BaseModel

from app.bootstrap import Container
from app.core.errors import InvalidInput
from app.core.languages import language_of
from app.stages.audience import consent, proof
from app.stages.audience import wording as consent_wording
from app.web import nonce
from app.web.answers import AnswerWith
from app.web.deps import BriefSession, ContainerDep, Now, VisitorDep
from app.web.fields import SignUp, form_of, form_schema, is_form
from app.web.openapi import problem
from app.web.pages import page
from app.web.public.door import AdmittedDep, ask_again, bad_proof

router = APIRouter(tags=["readers"])

_ASKED = "Check your post. We sent a link to {address}; it works for 7 days."


class Asked(BaseModel):
    """The same for every address, known or not."""

    message: str


def _agreed_to(container: Container, wish: SignUp) -> str:
    """Which words stood under the button: the form names the language it was shown in."""
    return consent_wording.fingerprint(container.settings.publication_name, language_of(wish.language))


_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {"schema": SignUp.model_json_schema()},
        "application/x-www-form-urlencoded": {"schema": form_schema()},
    },
}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    202: {"content": {"text/html": {"schema": {"type": "string"}}}},
    **{status: problem(status) for status in (422, 429)},
}


@router.head("/subscribe", include_in_schema=False)
@router.get(
    "/subscribe",
    status_code=303,
    response_class=RedirectResponse,
    summary="The address in the browser of whoever has just signed up",
)
async def asked_for(container: ContainerDep) -> Response:
    """The address in the browser of whoever has just signed up: the form stands on the front page."""
    return RedirectResponse(f"{container.settings.public_url}/", 303)


@router.post(
    "/subscribe",
    status_code=202,
    response_model=Asked,
    responses=_ANSWERS,
    openapi_extra={"requestBody": _BODY},
    summary="Ask for the paper",
    description="Sends a confirmation link to the address. JSON is answered with 202, a form with a page. "
    "The answer never tells whether the address was known. A form without the signed time of our own page is shown "
    "on a page of ours first.",
)
@router.post("/embed", include_in_schema=False)
async def subscribe(
    request: Request,
    admitted: AdmittedDep,
    session: BriefSession,
    container: ContainerDep,
    visitor: VisitorDep,
    now: Now,
) -> Response:
    wish, by_form = admitted.wish, is_form(request)
    method: Literal["form", "api"] = "form" if by_form else "api"
    try:
        if admitted.proof:  # in the same transaction: an address that is refused does not use it up
            await proof.spend(session, admitted.proof)
        await consent.subscribe(
            session,
            address=wish.email,
            zone=wish.timezone,
            method=method,
            origin=wish.origin(),
            language=wish.language,
            early=wish.early(),
            wording=_agreed_to(container, wish) if by_form else "",
            suppressor=container.suppressor,
            domains=container.domains,
            visitor=visitor,
            now=now,
        )
    except InvalidInput as error:
        if by_form:
            given = nonce.renewed(container.signer, str((await form_of(request)).get(nonce.FIELD, "")), now)
            raise AnswerWith(_once_more(request, wish, error, given)) from error
        raise
    typed = wish.email.strip()
    if by_form:
        return page(request, "asked.html", typed=typed)
    return JSONResponse({"message": _ASKED.format(address=typed)}, 202)


def _once_more(request: Request, wish: SignUp, error: InvalidInput, given: str) -> Response:
    if any(one.field == proof.FIELD for one in error.errors):
        return bad_proof(request, wish, given)
    return ask_again(request, wish, error=error, given=given)
