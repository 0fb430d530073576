"""A change of address: the field behind the fresh link, the button at the new address, the objection at the old one."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse
from starlette.datastructures import FormData

from app.core.errors import InvalidInput
from app.core.signing import Purpose
from app.stages.audience import address as addresses
from app.stages.audience import fresh, moving
from app.web.answers import AnswerWith
from app.web.deps import BriefSession, ContainerDep, Now, ReadSession, VisitorDep
from app.web.fields import form_of
from app.web.pages import page
from app.web.speech import speak

router = APIRouter(include_in_schema=False)

Form = Annotated[FormData, Depends(form_of)]


@router.api_route("/move/{token}", methods=["GET", "HEAD"])
async def where(request: Request, token: str, session: ReadSession, container: ContainerDep, now: Now) -> HTMLResponse:
    reader = (await fresh.open_letter(session, container.signer, Purpose.MOVE, token, now)).reader
    speak(request, reader.language)
    return page(request, "move.html", masked=addresses.mask(reader.address), typed="", error="")


@router.post("/move/{token}")
async def move(
    request: Request, token: str, form: Form, session: BriefSession, container: ContainerDep, now: Now
) -> HTMLResponse:
    """Mails the new address. The page is the same for every address, known here or not."""
    signer, typed = container.signer, str(form.get("email", ""))
    try:
        reader, new = await moving.ask(session, signer, container.suppressor, container.domains, token, typed, now)
    except InvalidInput as error:
        reader = (await fresh.open_letter(session, signer, Purpose.MOVE, token, now)).reader
        speak(request, reader.language)
        masked = addresses.mask(reader.address)
        again = page(request, "move.html", status=422, masked=masked, typed=typed, error=error.sentence)
        raise AnswerWith(again) from error
    speak(request, reader.language)
    return page(request, "move_asked.html", typed=new)


@router.api_route("/new-address/{token}", methods=["GET", "HEAD"])
async def here(request: Request, token: str, session: ReadSession, container: ContainerDep, now: Now) -> HTMLResponse:
    found = await moving.look_up(session, container.signer, Purpose.NEW_ADDRESS, token, now)
    speak(request, found.language)
    return page(request, "move_here.html", masked=found.address, already=found.already, back=False)


@router.post("/new-address/{token}")
async def moved(
    request: Request, token: str, session: BriefSession, container: ContainerDep, visitor: VisitorDep, now: Now
) -> HTMLResponse:
    done = await moving.move(session, container.signer, container.suppressor, token, visitor, now)
    speak(request, done.language)
    preferences = container.signer.sign(Purpose.PREFERENCES, done.ref)
    return page(request, "moved.html", masked=done.address, back=False, preferences=preferences)


@router.api_route("/old-address/{token}", methods=["GET", "HEAD"])
async def back(request: Request, token: str, session: ReadSession, container: ContainerDep, now: Now) -> HTMLResponse:
    found = await moving.look_up(session, container.signer, Purpose.OLD_ADDRESS, token, now)
    speak(request, found.language)
    return page(request, "move_here.html", masked=found.address, already=found.already, back=True)


@router.post("/old-address/{token}")
async def put_back(
    request: Request, token: str, session: BriefSession, container: ContainerDep, visitor: VisitorDep, now: Now
) -> HTMLResponse:
    done = await moving.put_back(session, container.signer, container.suppressor, token, visitor, now)
    speak(request, done.language)
    preferences = container.signer.sign(Purpose.PREFERENCES, done.ref)
    return page(request, "moved.html", masked=done.address, back=True, preferences=preferences)
