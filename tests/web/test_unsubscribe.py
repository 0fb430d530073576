"""Leaving: RFC 8058 for mail programs, one button for people."""

from datetime import timedelta
from typing import Any

import pytest
from httpx import AsyncClient
from sqlalchemy import delete, select

from app.bootstrap import Container
from app.core.clock import FixedClock
from app.core.signing import Purpose
from app.models import Consent, Subscriber

from .conftest import Readers

ONE_CLICK: list[dict[str, Any]] = [
    {"data": {"List-Unsubscribe": "One-Click"}},
    {"files": {"List-Unsubscribe": (None, "One-Click")}},
    {
        "content": b"List-Unsubscribe=One-Click",
        "headers": {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"},
    },
]


async def how(container: Container) -> list[str]:
    """The methods of every recorded leaving."""
    async with container.db.read() as session:
        return list((await session.scalars(select(Consent.method).where(Consent.act == "left"))).all())


@pytest.mark.parametrize("sent", ONE_CLICK, ids=["urlencoded", "multipart", "with charset"])
async def test_one_click_answers_200_in_plain_text_at_once(
    readers: Readers, container: Container, sent: dict[str, Any]
) -> None:
    """Never a redirect, never a cookie, no second step; twice is once."""
    token = await readers.join()
    for _ in range(2):
        answer = await readers.client.post(f"/unsubscribe/{token}", **sent)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert "set-cookie" not in answer.headers
        assert await readers.status() == "left"
    assert await how(container) == ["one-click"]


@pytest.mark.parametrize("end", ["/", "//", "/?utm_source=x"])
async def test_a_slash_at_the_end_changes_nothing(readers: Readers, end: str) -> None:
    """Some mail programs and rewriting gateways add one."""
    token = await readers.join()
    answer = await readers.client.post(f"/unsubscribe/{token}{end}", data={"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, await readers.status()) == (200, "left")


async def test_one_click_for_somebody_erased_is_200_too(readers: Readers, container: Container) -> None:
    token = await readers.join()
    async with container.db.write() as session:
        await session.execute(delete(Subscriber))
    answer = await readers.client.post(f"/unsubscribe/{token}", **ONE_CLICK[0])
    assert answer.status_code == 200


async def test_one_click_works_for_as_long_as_anybody_keeps_the_mail(readers: Readers, clock: FixedClock) -> None:
    token = await readers.join()
    clock.move(clock.now() + timedelta(days=3650))
    assert (await readers.client.post(f"/unsubscribe/{token}", **ONE_CLICK[0])).status_code == 200
    assert await readers.status() == "left"


async def test_the_link_shows_one_button_and_changes_nothing(readers: Readers) -> None:
    token = await readers.join()
    before = await readers.everything()
    page = await readers.client.get(f"/unsubscribe/{token}")
    assert page.status_code == 200
    assert page.text.count("<form") == page.text.count("<button") == 1
    assert "a***@example.org" in page.text
    assert await readers.everything() == before


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"data": {}},
        {"content": b"rubbish", "headers": {"content-type": "multipart/form-data; boundary=x"}},
        {"content": b"\xff\x00", "headers": {"content-type": "application/octet-stream"}},
    ],
    ids=["bare", "empty form", "broken form", "bytes"],
)
async def test_a_persons_own_press_shows_that_they_are_out(
    readers: Readers, container: Container, sent: dict[str, Any]
) -> None:
    """A body that cannot be read keeps nobody on the list."""
    token = await readers.join()
    page = await readers.client.post(f"/unsubscribe/{token}", **sent)
    assert page.status_code == 200
    assert "You’re out." in page.text
    assert await readers.status() == "left"
    assert await how(container) == ["link"]
    assert "You’re out." in (await readers.client.get(f"/unsubscribe/{token}")).text


async def test_leaving_before_confirming_works(readers: Readers) -> None:
    await readers.ask()
    answer = await readers.client.post(f"/unsubscribe/{await readers.leaving()}", **ONE_CLICK[0])
    assert answer.status_code == 200
    assert await readers.status() == "left"


async def test_a_link_that_is_not_ours_is_refused_in_either_way(readers: Readers, container: Container) -> None:
    token = await readers.join()
    confirm = container.signer.sign(Purpose.CONFIRM, "abcdefghijklmnop", container.clock.now() + timedelta(days=1))
    for wrong in (token[:-2], token + "A", confirm, "x"):
        by_click = await readers.client.post(f"/unsubscribe/{wrong}", **ONE_CLICK[0])
        assert (by_click.status_code, by_click.text) == (404, "This link is not one of ours.\n")
        for by_hand in (
            await readers.client.post(f"/unsubscribe/{wrong}"),
            await readers.client.get(f"/unsubscribe/{wrong}"),
        ):
            assert by_hand.status_code == 404
            assert "This link is not one of ours." in by_hand.text
            assert 'action="/subscribe"' not in by_hand.text
    assert await readers.status() == "active"


async def test_a_slash_too_many_is_not_redirected(client: AsyncClient) -> None:
    """A redirected POST is a lost one-click."""
    assert (await client.post("/unsubscribe/x/", **ONE_CLICK[0])).status_code == 404
