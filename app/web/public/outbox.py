"""The outbox in a browser, in development only: every mail that would have gone out.

A mail's HTML is shown in a sandboxed frame with a policy of its own: no script runs, nothing is loaded from elsewhere.
"""

import re
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse, HTMLResponse

from app.core.errors import NotFound
from app.core.language import say
from app.core.settings import VAR
from app.web.deps import ContainerDep
from app.web.guard import SITE_POLICY
from app.web.pages import page
from app.web.public import maildir

_MOST = 200
_SANDBOX = "allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
_HEAD = re.compile(r"<head[^>]*>", re.IGNORECASE)


def outbox(container: ContainerDep) -> Path:
    """The Maildir. Raises NotFound in production, and where mail leaves by another way."""
    settings = container.settings
    if settings.production or not any(url.startswith("outbox:") for url in settings.providers):
        raise NotFound(say("It may have moved, or it was never printed."))
    return VAR / "outbox"


def mail(name: str, folder: Annotated[Path, Depends(outbox)]) -> Path:
    """One mail's file. Raises NotFound."""
    file = maildir.file_of(folder, name)
    if file is None:
        raise NotFound(say("There is no such mail in the outbox."))
    return file


Outbox = Annotated[Path, Depends(outbox)]
Mail = Annotated[Path, Depends(mail)]

router = APIRouter(include_in_schema=False)


@router.api_route("/outbox", methods=["GET", "HEAD"])
def listing(request: Request, folder: Outbox) -> HTMLResponse:
    return page(request, "outbox.html", mails=maildir.newest(folder, _MOST), most=_MOST)


@router.api_route("/outbox/{name}", methods=["GET", "HEAD"])
def one(request: Request, file: Mail) -> HTMLResponse:
    made = page(request, "mail.html", mail=maildir.opened(file), sandbox=_SANDBOX)
    made.headers["content-security-policy"] = f"{SITE_POLICY}; frame-src 'self'"
    return made


@router.api_route("/outbox/{name}/html", methods=["GET", "HEAD"])
def html(file: Mail, container: ContainerDep) -> HTMLResponse:
    body = maildir.opened(file).html
    if body is None:
        raise NotFound(say("This mail has no HTML part."))
    origin = "/".join(container.settings.public_url.split("/")[:3])
    policy = (
        f"sandbox {_SANDBOX}; default-src 'none'; style-src 'unsafe-inline'; "
        f"img-src 'self' data: {origin}; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
    )
    # Links leave the frame, as they would leave a mail program.
    shown = _HEAD.sub(lambda head: f'{head[0]}<base target="_top">', body, count=1)
    return HTMLResponse(shown, headers={"content-security-policy": policy})


@router.api_route("/outbox/{name}/eml", methods=["GET", "HEAD"])
def raw(file: Mail) -> FileResponse:
    return FileResponse(file, media_type="message/rfc822", filename=file.name)
