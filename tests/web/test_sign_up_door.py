"""What stands before the sign-up: limits, a trap, and a form that only we give out."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from httpx import ASGITransport, AsyncClient, Response

from app.bootstrap import Container
from app.core.clock import FixedClock
from app.core.settings import Settings
from app.main import create_app
from app.web import nonce

from .conftest import SITE, Readers, form


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A site that takes three an hour from a network, five a minute from all, and trusts a proxy on this machine."""
    return settings.model_copy(
        update={"signups_per_client": 3, "signups_per_minute": 5, "trusted_proxies": ("127.0.0.1",)}
    )


@pytest.fixture
async def other(container: Container) -> AsyncIterator[AsyncClient]:
    """A second web process on the same database."""
    async with AsyncClient(transport=ASGITransport(create_app(replace(container))), base_url=SITE) as made:
        yield made


async def ask(client: AsyncClient, who: str, ip: str) -> Response:
    return await client.post("/subscribe", json={"email": f"{who}@example.org"}, headers={"x-forwarded-for": ip})


async def test_a_network_is_told_when_to_come_back(
    client: AsyncClient, container: Container, clock: FixedClock, readers: Readers
) -> None:
    """429 with Retry-After, to a program and on a page, for every address; nothing is written; later it works."""
    for who in ("a", "b", "c"):
        assert (await ask(client, who, "192.0.2.7")).status_code == 202
    for who in ("d", "a"):
        refused = await ask(client, who, "192.0.2.7")
        assert refused.status_code == 429
        assert refused.headers["retry-after"] == "1200"
        assert refused.headers["content-type"] == "application/problem+json"
        assert "in 20 minutes" in refused.json()["detail"]
    fields = form(container, email="d@example.org")
    on_a_page = await client.post("/subscribe", data=fields, headers={"x-forwarded-for": "192.0.2.7"})
    assert on_a_page.status_code == 429
    assert on_a_page.headers["retry-after"] == "1200"
    assert "text/html" in on_a_page.headers["content-type"]
    assert "Please try again in 20 minutes." in on_a_page.text
    assert await readers.status("d@example.org") is None
    clock.move(clock.now() + timedelta(minutes=20))
    assert (await ask(client, "d", "192.0.2.7")).status_code == 202


async def test_an_ipv6_network_is_counted_as_one_and_others_are_not_touched(client: AsyncClient) -> None:
    """Changing the lower 64 bits does not help; a neighbour is let in."""
    for index in range(3):
        assert (await ask(client, f"a{index}", f"2001:db8:1:2::{index}")).status_code == 202
    assert (await ask(client, "b", "2001:db8:1:2:ffff::1")).status_code == 429
    assert (await ask(client, "c", "2001:db8:1:3::1")).status_code == 202


async def test_all_together_are_limited_and_the_refused_use_nothing_up(client: AsyncClient, clock: FixedClock) -> None:
    """Five a minute from five networks, then a wait of a fifth of a minute."""
    for index in range(5):
        assert (await ask(client, f"a{index}", f"192.0.2.{index}")).status_code == 202
    for _ in range(10):
        refused = await ask(client, "b", "192.0.2.77")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "12")
    clock.move(clock.now() + timedelta(seconds=12))
    assert (await ask(client, "b", "192.0.2.77")).status_code == 202


async def test_each_web_process_counts_for_itself(client: AsyncClient, other: AsyncClient) -> None:
    """As the documentation says."""
    for index in range(3):
        await ask(client, f"a{index}", "192.0.2.7")
    assert (await ask(client, "b", "192.0.2.7")).status_code == 429
    assert (await ask(other, "b", "192.0.2.7")).status_code == 202


async def test_the_trap_is_answered_as_ever_and_writes_nothing(
    client: AsyncClient, container: Container, readers: Readers
) -> None:
    """A machine that fills in every field learns nothing from the answer."""
    caught = await client.post("/subscribe", data={**form(container, email="a@example.org"), "website": "x"})
    served = await client.post("/subscribe", data=form(container, email="a@example.org"))
    assert (caught.status_code, caught.text) == (served.status_code, served.text)
    await client.post("/subscribe", data={**form(container, email="b@example.org"), "website": "x"})
    assert await readers.status("b@example.org") is None


@pytest.mark.parametrize("given", [None, "", "rubbish", "1.2", "²³.x", "-5.x", "9" * 30 + ".x", "stale", "forged"])
async def test_a_form_that_is_not_fresh_is_shown_again_with_its_text(
    client: AsyncClient, container: Container, readers: Readers, clock: FixedClock, given: str | None
) -> None:
    """422 and a sentence; the page that comes back has all that the next press needs."""
    fields = form(container, email="a@example.org", timezone="Europe/Paris")
    if given == "stale":
        given = form(container, shown=nonce.LASTS)[nonce.FIELD]
    elif given == "forged":
        at, _, mac = form(container)[nonce.FIELD].partition(".")
        given = f"{int(at) + 1}.{mac}"
    fields = {name: value for name, value in {**fields, nonce.FIELD: given}.items() if value is not None}
    again = await client.post("/subscribe", data=fields)
    assert again.status_code == 422
    assert "Please press the button once more." in again.text
    assert 'value="a@example.org"' in again.text
    assert 'value="Europe/Paris"' in again.text
    assert await readers.status("a@example.org") is None
    clock.move(clock.now() + timedelta(seconds=3))
    shown = dict(re.findall(r'<input [^>]*name="([^"]+)" value="([^"]*)"', again.text))
    assert (await client.post("/subscribe", data=shown)).status_code == 200
    assert await readers.status("a@example.org") == "pending"


def nonce_in(page: Response) -> str:
    found = re.search(r'name="form" value="([^"]+)"', page.text)
    assert found is not None
    return found[1]


async def test_a_form_that_comes_back_at_once_is_shown_again_with_a_new_time(
    client: AsyncClient, container: Container, readers: Readers, clock: FixedClock
) -> None:
    """A quick person only has to press once more, when two seconds are over."""
    fields = form(container, shown=timedelta(seconds=1), email="a@example.org")
    again = await client.post("/subscribe", data=fields)
    assert again.status_code == 422
    fresh = nonce_in(again)
    assert fresh != fields["form"]
    assert (await client.post("/subscribe", data={**fields, "form": fresh})).status_code == 422
    clock.move(clock.now() + nonce.FILLED_AFTER)
    assert (await client.post("/subscribe", data={**fields, "form": fresh})).status_code == 200
    assert await readers.status("a@example.org") == "pending"


@pytest.mark.parametrize(
    ("ahead", "age"),
    [
        (timedelta(seconds=1), nonce.Age.GOOD),
        (timedelta(hours=12), nonce.Age.GOOD),
        (timedelta(hours=12, seconds=1), nonce.Age.STALE),
    ],
)
async def test_a_form_of_a_clock_that_was_ahead_is_taken(
    client: AsyncClient, container: Container, readers: Readers, ahead: timedelta, age: nonce.Age
) -> None:
    """A time in the future is no sign of a machine. One that is more than twelve hours off is refused, but once."""
    fields = form(container, shown=-ahead, email="a@example.org")
    assert nonce.judge(container.signer, fields["form"], container.clock.now()) is age
    answer = await client.post("/subscribe", data=fields)
    if age is nonce.Age.GOOD:
        assert answer.status_code == 200
    else:
        assert answer.status_code == 422
        later = container.clock.now() + nonce.FILLED_AFTER
        assert nonce.judge(container.signer, nonce_in(answer), later) is nonce.Age.GOOD


async def test_whoever_was_slow_enough_once_need_not_wait_again(client: AsyncClient, container: Container) -> None:
    """A form that is shown again for a slip in the address has a new time, which is good at once."""
    fields = form(container, email="no address")
    again = await client.post("/subscribe", data=fields)
    assert again.status_code == 422
    assert nonce_in(again) != fields["form"]
    assert nonce.judge(container.signer, nonce_in(again), container.clock.now()) is nonce.Age.GOOD


async def test_a_form_that_is_shown_again_says_so_still(container: Container) -> None:
    """The press that needs no proof of work stays the second one, whatever the form is shown again for."""
    now, signer = container.clock.now(), container.signer
    for shown in (timedelta(seconds=1), timedelta(minutes=1)):
        given = nonce.make(signer, now - shown, again=True)
        assert nonce.shown_again(nonce.renewed(signer, given, now))
    assert not nonce.shown_again(nonce.renewed(signer, "a1.forged", now))


async def test_every_page_with_the_form_gives_out_a_good_one(client: AsyncClient, container: Container) -> None:
    """Without a cookie; the trap is out of the way of keyboards and screen readers."""
    for path in ("/", "/confirm/x"):
        page = await client.get(path)
        assert "set-cookie" not in page.headers
        given = re.search(r'name="form" value="([^"]+)"', page.text)
        assert given is not None
        later = container.clock.now() + timedelta(seconds=3)
        assert nonce.judge(container.signer, given[1], later) is nonce.Age.GOOD
        assert re.search(r'<div class="elsewhere" aria-hidden="true">', page.text)
        assert re.search(r'<input id="website"[^>]* tabindex="-1" autocomplete="off">', page.text)


@pytest.mark.parametrize("as_json", [False, True])
async def test_a_refused_domain_gets_a_clear_sentence(
    client: AsyncClient, container: Container, *, as_json: bool
) -> None:
    typed = "a@mailinator.com"
    sent = {"json": {"email": typed}} if as_json else {"data": form(container, email=typed)}
    answer = await client.post("/subscribe", **sent)  # type: ignore[arg-type]
    assert answer.status_code == 422
    assert "We do not send the paper to addresses at mailinator.com. Please use another one." in answer.text
