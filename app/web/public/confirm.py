"""The link in the confirmation mail. Opening it shows a page; only the button on it changes anything.

Mail scanners follow links, so a GET that confirmed would let a machine agree for a person.
"""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.core.language import say
from app.core.signing import Purpose
from app.stages.audience import consent, pending
from app.stages.audience.pending import Renewal
from app.store import published
from app.web.deps import BriefSession, ContainerDep, Now, ReadSession, VisitorDep
from app.web.morning import promise
from app.web.pages import page
from app.web.speech import speak

router = APIRouter(include_in_schema=False)

_RENEWED = {
    Renewal.SENT: (
        say("Check your post."),
        say("We sent a new link to the same address; it works for 7 days."),
    ),
    Renewal.CONFIRMED: (
        say("You’re in."),
        say("This address is confirmed already; no new link is needed. Every paper leads to your preferences."),
    ),
    Renewal.GONE: (
        say("This link has run out."),
        say("No new one was sent, because the paper was stopped since. If you want it again, ask here:"),
    ),
}


@router.api_route("/confirm/{token}", methods=["GET", "HEAD"])
async def ask(request: Request, token: str, session: ReadSession, container: ContainerDep, now: Now) -> HTMLResponse:
    found = await consent.look_up(session, container.signer, container.suppressor, token, now)
    speak(request, found.language)
    already = found.status in consent.IN
    return page(
        request,
        "confirm.html",
        masked=found.address,
        already=already,
        not_mine=f"{request.url.path}/not-mine",
        preferences=container.signer.sign(Purpose.PREFERENCES, found.ref) if already else "",
    )


@router.post("/confirm/{token}")
async def confirm(
    request: Request, token: str, session: BriefSession, container: ContainerDep, visitor: VisitorDep, now: Now
) -> HTMLResponse:
    done = await consent.confirm(session, container.signer, container.suppressor, token, visitor, now)
    speak(request, done.language)
    latest = await published.listed(session, 1)
    return page(
        request,
        "confirmed.html",
        masked=done.address,
        already=done.already,
        comes=promise(container.settings, now, done.zone, done.minute),
        latest=latest[0] if latest else None,
        preferences=container.signer.sign(Purpose.PREFERENCES, done.ref),
    )


@router.post("/confirm/{token}/again")
async def again(request: Request, token: str, session: BriefSession, container: ContainerDep, now: Now) -> HTMLResponse:
    """A new link for one that has run out. The page is the same whether one is sent or already on its way."""
    came = await pending.renew(session, container.signer, container.suppressor, token, now)
    heading, detail = _RENEWED[came]
    return page(request, "message.html", heading=heading, detail=detail, subscribe=came is Renewal.GONE)


@router.post("/confirm/{token}/not-mine")
async def not_mine(
    request: Request, token: str, session: BriefSession, container: ContainerDep, now: Now
) -> HTMLResponse:
    """“I did not ask for this.”"""
    barred = await pending.refuse(session, container.signer, container.suppressor, token, now)
    detail = (
        say("Your address is barred: nobody can sign it up here again, and we keep nothing of it but a fingerprint.")
        if barred
        else say("This address has confirmed before. Every paper ends with a link that stops the next one.")
    )
    heading = say("We will not write again.") if barred else say("Not so fast.")
    return page(request, "message.html", heading=heading, detail=detail, subscribe=False)
