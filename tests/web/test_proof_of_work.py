"""Where MORNINGPOST_ALTCHA is on, a sign-up carries a proof of work, or goes a slower way."""

import base64
import json
import re
from datetime import timedelta

import altcha
import pytest
from httpx import AsyncClient, Response
from sqlalchemy import func, select

from app.bootstrap import Container
from app.core.clock import FixedClock
from app.core.settings import Settings
from app.core.signing import Purpose
from app.models import SpentProof, TransactionalEmail
from app.stages.audience.proof import LASTS
from app.web import nonce

from .conftest import Readers, form

ONCE_MORE = "Please press the button once more."


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"altcha": "on", "altcha_cost": 1_000, "signups_per_client": 40})


async def solved(client: AsyncClient) -> str:
    """What a client sends that asked for a challenge and did the work."""
    answer = await client.get("/altcha")
    assert answer.status_code == 200
    challenge = answer.json()
    solution = altcha.solve_challenge(altcha.Challenge.from_dict(challenge))
    assert solution is not None
    return base64.b64encode(json.dumps({"challenge": challenge, "solution": solution.to_dict()}).encode()).decode()


async def spent(container: Container) -> int:
    async with container.db.read() as session:
        return await session.scalar(select(func.count()).select_from(SpentProof)) or 0


def shown(answer: Response) -> dict[str, str]:
    """The fields of the form on a page, as a browser without scripts sends them."""
    return dict(re.findall(r'<input [^>]*name="([^"]+)" value="([^"]*)"', answer.text))


async def test_asking_for_a_challenge_changes_nothing_and_is_kept_nowhere(
    client: AsyncClient, readers: Readers
) -> None:
    before = await readers.everything()
    answer = await client.get("/altcha")
    assert answer.headers["cache-control"] == "no-store"
    assert await readers.everything() == before


async def test_a_proof_lets_a_form_and_a_program_in_once(
    client: AsyncClient, container: Container, readers: Readers
) -> None:
    """The second use of either is refused in a sentence, and nobody is written down."""
    proof = await solved(client)
    assert (
        await client.post("/subscribe", data=form(container, email="a@example.org", altcha=proof))
    ).status_code == 200
    again = await client.post("/subscribe", data=form(container, email="b@example.org", altcha=proof))
    assert again.status_code == 422
    assert ONCE_MORE in again.text
    assert 'value="b@example.org"' in again.text
    assert await readers.status("a@example.org") == "pending"

    other = await solved(client)
    assert (await client.post("/subscribe", json={"email": "c@example.org", "altcha": other})).status_code == 202
    for used in (proof, other):
        refused = await client.post("/subscribe", json={"email": "b@example.org", "altcha": used})
        assert refused.status_code == 422
        assert refused.json()["errors"] == [
            {"field": "altcha", "message": "That proof of work was used before. Please solve a new challenge."}
        ]
    assert await readers.status("b@example.org") is None
    assert await spent(container) == 2


@pytest.mark.parametrize("given", ["", "rubbish", "late"])
async def test_a_program_without_a_good_proof_is_told_why(
    client: AsyncClient, readers: Readers, clock: FixedClock, given: str
) -> None:
    """A problem that names the field; missing, made up, run out."""
    if given == "late":
        given = await solved(client)
        clock.move(clock.now() + LASTS)
    refused = await client.post("/subscribe", json={"email": "a@example.org", "altcha": given})
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    assert [error["field"] for error in refused.json()["errors"]] == ["altcha"]
    assert await readers.status("a@example.org") is None


@pytest.mark.parametrize(("ahead", "status"), [(timedelta(hours=12), 202), (timedelta(hours=12, seconds=1), 422)])
async def test_a_challenge_of_a_clock_that_was_ahead_is_taken(
    client: AsyncClient, clock: FixedClock, ahead: timedelta, status: int
) -> None:
    """Up to twelve hours; one beyond has run out, and a new challenge is good."""
    now = clock.now()
    clock.move(now + ahead)
    proof = await solved(client)
    clock.move(now)
    answer = await client.post("/subscribe", json={"email": "a@example.org", "altcha": proof})
    assert answer.status_code == status
    if status == 422:
        assert "has run out" in answer.text
        anew = await client.post("/subscribe", json={"email": "a@example.org", "altcha": await solved(client)})
        assert anew.status_code == 202


@pytest.mark.parametrize("late", [True, False])
async def test_a_form_whose_proof_does_not_hold_is_shown_again(
    client: AsyncClient, container: Container, readers: Readers, clock: FixedClock, *, late: bool
) -> None:
    """Its text is kept, and the widget on that page makes a new proof."""
    proof = await solved(client) if late else "rubbish"
    clock.move(clock.now() + LASTS)
    again = await client.post("/subscribe", data=form(container, email="a@example.org", altcha=proof))
    assert again.status_code == 422
    assert ONCE_MORE in again.text
    assert "<altcha-widget" in again.text
    assert await readers.status("a@example.org") is None
    anew = {**shown(again), "altcha": await solved(client)}
    assert (await client.post("/subscribe", data=anew)).status_code == 200


@pytest.mark.parametrize("as_json", [False, True])
async def test_a_typing_error_in_the_address_does_not_use_the_proof_up(
    client: AsyncClient, container: Container, *, as_json: bool
) -> None:
    """The same proof goes with the address once it is right."""
    proof = await solved(client)

    async def ask(email: str) -> Response:
        if as_json:
            return await client.post("/subscribe", json={"email": email, "altcha": proof})
        return await client.post("/subscribe", data=form(container, email=email, altcha=proof))

    assert (await ask("a@example")).status_code == 422
    assert await spent(container) == 0
    assert (await ask("a@example.org")).is_success


async def test_a_browser_without_scripts_gets_in_by_one_press_more(
    client: AsyncClient, container: Container, readers: Readers, clock: FixedClock
) -> None:
    """The first press says why it takes a second; after a typing error the third is enough."""
    again = await client.post("/subscribe", data=form(container, email="a@example"))
    assert again.status_code == 422
    assert "perhaps because it runs no scripts" in again.text
    clock.move(clock.now() + timedelta(seconds=3))
    wrong = await client.post("/subscribe", data=shown(again))
    assert "missing its ending" in wrong.text
    right = await client.post("/subscribe", data={**shown(wrong), "email": "a@example.org"})
    assert right.status_code == 200
    assert await readers.status("a@example.org") == "pending"


async def test_the_sentences_are_said_in_german(client: AsyncClient, container: Container) -> None:
    """The one over the button, and the one the widget shows."""
    again = await client.post("/subscribe?lang=de", data=form(container, email="a@example.org"))
    assert "vielleicht weil er keine Skripte ausführt" in again.text
    assert 'data-busy="Einen Augenblick: Ihr Browser' in again.text


async def test_without_proofs_a_tenth_gets_in(client: AsyncClient, container: Container, clock: FixedClock) -> None:
    """Four of forty an hour from one network; a proof still opens the door."""
    now = container.clock.now()
    fields = {"website": "", nonce.FIELD: nonce.make(container.signer, now - timedelta(minutes=1), again=True)}
    for who in "abcd":
        assert (await client.post("/subscribe", data={**fields, "email": f"{who}@example.org"})).status_code == 200
    refused = await client.post("/subscribe", data={**fields, "email": "e@example.org"})
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "900")
    proven = {**fields, "email": "e@example.org", "altcha": await solved(client)}
    assert (await client.post("/subscribe", data=proven)).status_code == 200


async def test_the_mark_of_a_second_showing_cannot_be_put_on(
    client: AsyncClient, container: Container, readers: Readers
) -> None:
    """It is signed with the time."""
    fields = form(container, email="a@example.org")
    answer = await client.post("/subscribe", data={**fields, nonce.FIELD: "a" + fields[nonce.FIELD]})
    assert answer.status_code == 422
    assert await readers.status("a@example.org") is None


async def test_every_address_is_answered_alike(client: AsyncClient, readers: Readers, container: Container) -> None:
    """New, pending, active: with a proof as without one."""
    proofs = [await solved(client) for _ in range(3)]
    told = set()
    for proof in proofs:
        answer = await client.post("/subscribe", data=form(container, email="ada@example.org", altcha=proof))
        told.add((answer.status_code, answer.text))
        if await readers.status() == "pending":
            await client.post(f"/confirm/{await _link(readers)}")
    assert len(told) == 1
    assert await readers.status() == "active"


async def _link(readers: Readers) -> str:
    async with readers.container.db.read() as session:
        ref = (await session.scalars(select(TransactionalEmail.ref))).first()
    assert ref is not None
    return readers.container.signer.sign(Purpose.CONFIRM, ref, readers.container.clock.now() + timedelta(days=7))


async def test_the_widget_is_let_run_where_it_is_shown_and_nowhere_else(client: AsyncClient) -> None:
    """The policy opens to our own address only; all it needs is served."""
    front = await client.get("/")
    assert "<altcha-widget" in front.text
    policy = front.headers["content-security-policy"]
    assert "connect-src 'self'; worker-src 'self'" in policy
    assert "unsafe" not in policy
    for path in re.findall(r'"(/static/[^"]*(?:altcha|proof)[^"]*)"', front.text):
        assert (await client.get(path)).status_code == 200
    archive = await client.get("/editions")
    assert "<altcha-widget" not in archive.text
    assert "connect-src" not in archive.headers["content-security-policy"]
