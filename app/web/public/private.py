"""What needs a fresh link from the reader's own mailbox: to ask for one, to download one's data, to be forgotten."""

import re
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from starlette.datastructures import FormData

from app.core.errors import InvalidInput, InvalidToken
from app.core.language import say
from app.core.signing import Purpose
from app.stages.audience import address as addresses
from app.stages.audience import belongings, erasure, fresh
from app.web.deps import BriefSession, ContainerDep, Now, ReadSession
from app.web.fields import form_of
from app.web.pages import page
from app.web.speech import speak

router = APIRouter(include_in_schema=False)

Form = Annotated[FormData, Depends(form_of)]


@router.post("/preferences/{token}/letter")
async def letter(
    request: Request, token: str, form: Form, session: BriefSession, container: ContainerDep, now: Now
) -> HTMLResponse:
    """Mails the link for `what`. The page is the same whether one is sent or already on its way."""
    reader = await fresh.ask(session, container.signer, token, str(form.get("what", "")), now)
    speak(request, reader.language)
    return page(request, "letter_sent.html", masked=addresses.mask(reader.address))


@router.api_route("/download/{token}", methods=["GET", "HEAD"])
async def offer(request: Request, token: str, session: ReadSession, container: ContainerDep, now: Now) -> HTMLResponse:
    reader = (await fresh.open_letter(session, container.signer, Purpose.DOWNLOAD, token, now)).reader
    speak(request, reader.language)
    return page(request, "download.html", masked=addresses.mask(reader.address))


@router.post("/download/{token}")
async def download(token: str, form: Form, session: ReadSession, container: ContainerDep, now: Now) -> Response:
    """The file itself, as JSON or CSV. Its name does not hold the address."""
    reader = (await fresh.open_letter(session, container.signer, Purpose.DOWNLOAD, token, now)).reader
    mine = await belongings.of(session, container.suppressor, reader)
    match form.get("format"):
        case "json":
            kind, text = "application/json", belongings.as_json(mine)
        case "csv":
            kind, text = "text/csv; charset=utf-8", belongings.as_csv(mine)
        case _:
            raise InvalidInput(say("The file comes as JSON or CSV."), "format")
    name = re.sub(r"[^a-z0-9]+", "-", container.settings.publication_name.lower()).strip("-") or "newspaper"
    disposition = f'attachment; filename="{name}-my-data.{form.get("format")}"'
    return Response(text, media_type=kind, headers={"content-disposition": disposition, "cache-control": "no-store"})


@router.api_route("/erase/{token}", methods=["GET", "HEAD"])
async def shall_we(
    request: Request, token: str, session: ReadSession, container: ContainerDep, now: Now
) -> HTMLResponse:
    try:
        reader = (await fresh.open_letter(session, container.signer, Purpose.ERASE, token, now)).reader
    except InvalidToken:
        if await fresh.erased_already(session, container.signer, token, now):
            return page(request, "erased.html")
        raise
    speak(request, reader.language)
    return page(request, "erase.html", masked=addresses.mask(reader.address))


@router.post("/erase/{token}")
async def erase(request: Request, token: str, session: BriefSession, container: ContainerDep, now: Now) -> HTMLResponse:
    """Forgets the reader. A second press finds nothing left and says the same."""
    language = await erasure.erase_by_link(session, container.signer, container.suppressor, token, now)
    speak(request, language or "")
    return page(request, "erased.html")
