"""What stands before the sign-up: a limit for each network and for all, a trap, and a form that only we give out.

Nothing here looks at the address, so nothing here can tell whether it is known. Programs send JSON, which has no form,
and meet the limits alone.
"""

from datetime import datetime, timedelta
from math import ceil
from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.responses import Response

from app.core.buckets import TokenBuckets
from app.core.errors import TooMany
from app.core.settings import Settings
from app.web import nonce
from app.web.answers import AnswerWith
from app.web.deps import ContainerDep, Now, VisitorDep
from app.web.fields import SignUp, SignUpDep, form_of, is_form
from app.web.pages import page
from app.web.proxies import block_of

TRAP = "website"
"""A field that no person sees. Whoever fills it in fills in everything."""
_ALL = "all"
_AGAIN = {
    nonce.Age.QUICK: "That was quicker than we can read. Please press the button once more.",
    nonce.Age.STALE: "This form has been open for long, or comes from elsewhere. Please press the button once more.",
}


class Limits:
    """How many sign-ups one network may ask for in an hour, and everybody together in a minute. In memory."""

    def __init__(self, settings: Settings) -> None:
        self._client = TokenBuckets(settings.signups_per_client, timedelta(hours=1))
        self._all = TokenBuckets(settings.signups_per_minute, timedelta(minutes=1))

    def admit(self, ip: str, now: datetime) -> None:
        """Takes a token of each, or none and raises TooMany: who is refused uses nothing up for the others."""
        block = block_of(ip)
        if wait := self._client.wait(block, now):
            raise TooMany("Many sign-ups have come from your network.", ceil(wait))
        if wait := self._all.wait(_ALL, now):
            raise TooMany("Many people are signing up just now.", ceil(wait))
        self._client.take(block, now)
        self._all.take(_ALL, now)


async def admitted(request: Request, wish: SignUpDep, container: ContainerDep, visitor: VisitorDep, now: Now) -> SignUp:
    """The sign-up, if it may go on to be written down. Opens no transaction; raises TooMany or AnswerWith."""
    cast("Limits", request.app.state.limits).admit(visitor.ip, now)
    if not is_form(request):
        return wish
    form = await form_of(request)
    if form.get(TRAP):
        raise AnswerWith(page(request, "asked.html", typed=wish.email.strip()))
    given = str(form.get(nonce.FIELD, ""))
    age = nonce.judge(container.signer, given, now)
    if age is not nonce.Age.GOOD:
        raise AnswerWith(ask_again(request, wish, notice=_AGAIN[age], given=given if age is nonce.Age.QUICK else ""))
    return wish


def ask_again(request: Request, wish: SignUp, *, error: str = "", notice: str = "", given: str = "") -> Response:
    """The form once more with its text kept: `error` stands under the field, `notice` over the button.

    `given` is the form's own nonce, to be kept; without one it gets a new one.
    """
    text = {"typed": wish.email, "timezone": wish.timezone, "error": error, "notice": notice}
    if given:
        text["nonce"] = given
    return page(request, "subscribe.html", status=422, carried=wish.origin().fields(), **text)


AdmittedDep = Annotated[SignUp, Depends(admitted)]
