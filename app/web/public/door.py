"""What stands before the sign-up: a limit for each network and for all, a trap, a form that only we give out, a proof.

Nothing here looks at the address, so nothing here can tell whether it is known. Programs send JSON, which has no form,
and meet the limits and the proof of work alone.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Annotated, cast

from fastapi import Depends, Request
from fastapi.responses import Response

from app.core.buckets import TokenBuckets
from app.core.errors import InvalidInput, TooMany
from app.core.language import say
from app.core.settings import Settings
from app.stages.audience.proof import Proof, Proofs
from app.web import nonce
from app.web.answers import AnswerWith
from app.web.deps import ContainerDep, Now, VisitorDep
from app.web.fields import SignUp, SignUpDep, form_of, is_form
from app.web.pages import page
from app.web.proxies import block_of

TRAP = "website"
"""A field that no person sees. Whoever fills it in fills in everything."""
UNPROVEN_SHARE = 10
"""Without a proof of work a form gets one part in so many of either limit."""
_ALL = "all"
# A form on another site cannot have a signed time. It is not let in past the door, but shown the way: here it gets one.
_ELSEWHERE = say("You come from another site, so we ask here once more. Please press the button once more.")
_AGAIN = {
    nonce.Age.QUICK: say("That was quicker than we can read. Please press the button once more."),
    nonce.Age.STALE: say(
        "This form has been open for long, or comes from elsewhere. Please press the button once more."
    ),
}
_NO_PROOF = say(
    "Your browser did not do the sum that keeps machines out, perhaps because it runs no scripts. "
    "Please press the button once more."
)
_BAD_PROOF = say("The sum that keeps machines out did not hold, or has run out. Please press the button once more.")


@dataclass(frozen=True, slots=True)
class Admitted:
    """A sign-up that may go on, and the proof of work that it uses up if it is written down."""

    wish: SignUp
    proof: Proof | None = None


class _Pair:
    """A bucket for each network, and one for everybody."""

    def __init__(self, client: int, everybody: int) -> None:
        self._client = TokenBuckets(client, timedelta(hours=1))
        self._all = TokenBuckets(everybody, timedelta(minutes=1))

    def admit(self, block: str, now: datetime) -> None:
        if wait := self._client.wait(block, now):
            raise TooMany(say("Many sign-ups have come from your network."), ceil(wait))
        if wait := self._all.wait(_ALL, now):
            raise TooMany(say("Many people are signing up just now."), ceil(wait))
        self._client.take(block, now)
        self._all.take(_ALL, now)


class Limits:
    """How many sign-ups one network may ask for in an hour, and everybody together in a minute. In memory."""

    def __init__(self, settings: Settings) -> None:
        client, everybody = settings.signups_per_client, settings.signups_per_minute
        self._asked = _Pair(client, everybody)
        self._unproven = _Pair(max(client // UNPROVEN_SHARE, 1), max(everybody // UNPROVEN_SHARE, 1))

    def admit(self, ip: str, now: datetime) -> None:
        """Takes a token of each, or none and raises TooMany: who is refused uses nothing up for the others."""
        self._asked.admit(block_of(ip), now)

    def admit_unproven(self, ip: str, now: datetime) -> None:
        """The same for a form without a proof of work, of which fewer are let in."""
        self._unproven.admit(block_of(ip), now)


async def admitted(
    request: Request, wish: SignUpDep, container: ContainerDep, visitor: VisitorDep, now: Now
) -> Admitted:
    """The sign-up, if it may go on to be written down. Opens no transaction.

    Raises TooMany, AnswerWith, or InvalidInput where a program's proof of work does not hold.
    """
    limits = cast("Limits", request.app.state.limits)
    _once(request, limits.admit, visitor.ip, now)
    proofs = container.proofs
    if not is_form(request):
        return Admitted(wish, await _read(proofs, wish.altcha, now) if proofs else None)
    form = await form_of(request)
    if form.get(TRAP):
        raise AnswerWith(page(request, "asked.html", typed=wish.email.strip()))
    given = str(form.get(nonce.FIELD, ""))
    age = nonce.judge(container.signer, given, now)
    if nonce.FIELD not in form:
        again = nonce.make(container.signer, now, again=True)  # without scripts this page is the one press more
        raise AnswerWith(ask_again(request, wish, notice=_ELSEWHERE, given=again))
    if age is not nonce.Age.GOOD:
        raise AnswerWith(
            ask_again(request, wish, notice=_AGAIN[age], given=nonce.renewed(container.signer, given, now))
        )
    if proofs is None:
        return Admitted(wish)
    if not wish.altcha:
        if not nonce.shown_again(given):
            again = nonce.make(container.signer, now, again=True)
            raise AnswerWith(ask_again(request, wish, notice=_NO_PROOF, given=again))
        _once(request, limits.admit_unproven, visitor.ip, now)
        return Admitted(wish)
    try:
        return Admitted(wish, await _read(proofs, wish.altcha, now))
    except InvalidInput as error:
        raise AnswerWith(bad_proof(request, wish, nonce.renewed(container.signer, given, now))) from error


def _once(request: Request, admit: Callable[[str, datetime], None], ip: str, now: datetime) -> None:
    """A request that is carried out again (web/replay) counts once in each limit."""
    counted = request.scope["state"].setdefault("counted", set())
    if admit.__name__ not in counted:
        admit(ip, now)
        counted.add(admit.__name__)


async def _read(proofs: Proofs, text: str, now: datetime) -> Proof:
    """In a thread, since it takes milliseconds of work in which others would wait."""
    return await asyncio.to_thread(proofs.read, text, now)


def bad_proof(request: Request, wish: SignUp, given: str) -> Response:
    """The form once more, where a proof of work was sent and is worth nothing."""
    return ask_again(request, wish, notice=_BAD_PROOF, given=given)


def ask_again(
    request: Request, wish: SignUp, *, error: InvalidInput | None = None, notice: str = "", given: str = ""
) -> Response:
    """The form once more with its text kept: `error` stands under its field, `notice` over the button.

    `given` is its nonce, and never the one that it was sent with; without one it gets a new one.
    """
    wrong = {one.field: one.message for one in error.errors} if error else {}
    at_name = wrong.pop("first_name", "")
    text = {"typed": wish.email, "timezone": wish.timezone, "notice": notice, "first_name": wish.first_name}
    text |= {"name_error": at_name, "error": next(iter(wrong.values()), "")}
    if given:
        text["nonce"] = given
    return page(request, "subscribe.html", status=422, carried=wish.origin().fields(), **text)


AdmittedDep = Annotated[Admitted, Depends(admitted)]
