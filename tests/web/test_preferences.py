"""The preferences page, as a browser without scripts uses it; and the choices after leaving."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any

import pytest
from httpx import Response
from sqlalchemy import select, update

from app.bootstrap import Container
from app.core.clock import FixedClock
from app.models import Consent, Subscriber
from app.models.states import Frequency, MailForm
from app.web.zones import place_of, zones

from .conftest import Readers
from .test_confirm import tampered

CHOSEN: dict[str, Any] = {
    "sections": ["tools", "movers"],
    "frequency": "weekly",
    "delivery_time": "07:30",
    "zone": "Asia/Tokyo",
    "form": "text",
    "first_name": "Ada",
    "action": "save",
}


async def row(container: Container, address: str = "ada@example.org") -> Subscriber:
    async with container.db.read() as session:
        found = await session.scalar(select(Subscriber).where(Subscriber.address == address))
    assert found is not None
    return found


def hidden_fields(page: str, button: str) -> dict[str, list[str]]:
    """What a browser sends when the button called `button` is pressed: its form's hidden fields and itself."""
    (form,) = [one for one in re.findall(r"<form.*?</form>", page, re.DOTALL) if f">{button}</button>" in one]
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', form):
        fields.setdefault(name, []).append(unescape(value))
    for name, value in re.findall(rf'<button[^>]* name="(\w+)" value="(\w+)">{button}<', form):
        fields[name] = [value]
    return fields


async def test_the_page_shows_what_is_kept_and_changes_nothing(readers: Readers) -> None:
    """Masked, kept nowhere, no cookie, no script; twice the same."""
    await readers.join()
    token = await readers.preferences()
    before = await readers.everything()
    for _ in range(2):
        page = await readers.client.get(f"/preferences/{token}")
        assert page.status_code == 200
        assert "a***@example.org, a reader since 23 November 2026" in page.text
        assert "ada@example.org" not in page.text
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["cache-control"] == "no-store"
        assert "set-cookie" not in page.headers
        assert "<script" not in page.text
    assert page.text.count('name="sections"') == 6
    assert page.text.count("checked") == 9  # the lead, six sections, a frequency, a form
    assert "Next paper: Tuesday 24 November, 06:30 in London, where it is now 12:00." in page.text
    assert await readers.everything() == before


async def test_saving_says_which_paper_follows_and_undo_puts_it_back(readers: Readers, container: Container) -> None:
    await readers.join()
    token = await readers.preferences()
    page = await readers.client.post(f"/preferences/{token}", data=CHOSEN)
    assert page.status_code == 200
    # Saturday's edition is frozen at 05:30 in London; past 07:30 in Tokyo, where it comes on Sunday
    assert "Saved. Sunday’s paper will follow these settings." in page.text
    assert "Next paper: Sunday 29 November, 07:30 in Tokyo, where it is now 21:00." in page.text
    kept = await row(container)
    assert (kept.sections, kept.frequency, kept.minute, kept.zone, kept.form, kept.first_name) == (
        0b10100,
        Frequency.WEEKLY,
        450,
        "Asia/Tokyo",
        MailForm.TEXT,
        "Ada",
    )
    assert page.text.count("checked") == 5
    assert '<option value="Asia/Tokyo" selected>Tokyo</option>' in page.text

    undone = await readers.client.post(f"/preferences/{token}", data=hidden_fields(page.text, "Undo"))
    assert undone.status_code == 200
    assert "Undone. Tuesday’s paper will follow the settings you had before." in undone.text
    assert ">Undo<" not in undone.text
    kept = await row(container)
    assert (kept.sections, kept.frequency, kept.minute, kept.zone, kept.form, kept.first_name) == (
        63,
        Frequency.DAILY,
        None,
        "",
        MailForm.HTML,
        "",
    )
    async with container.db.read() as session:
        acts = (await session.scalars(select(Consent.act).where(Consent.method == "link").order_by(Consent.id))).all()
    assert acts == ["confirmed", "changed", "changed"]


async def test_saving_what_is_kept_already_offers_no_undo(readers: Readers) -> None:
    await readers.join()
    token = await readers.preferences()
    await readers.client.post(f"/preferences/{token}", data=CHOSEN)
    again = await readers.client.post(f"/preferences/{token}", data=CHOSEN)
    assert "Saved." in again.text
    assert ">Undo<" not in again.text


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("sections", [], "Choose at least one section: with none there would be no paper to send."),
        ("sections", ["lead"], "One of these sections is not in the paper."),
        ("frequency", "hourly", "Choose one of the ways we offer."),
        ("delivery_time", "07:15", "such as 06:30"),
        ("zone", "../etc/passwd", "We do not know that time zone."),
        ("form", "", "Choose one of the ways we offer."),
        ("first_name", "two\nlines", "The first name is one line of at most 80 characters."),
    ],
)
async def test_a_wrong_field_is_told_beside_it_and_the_rest_keeps_what_was_chosen(
    readers: Readers, field: str, value: Any, sentence: str
) -> None:
    await readers.join()
    token = await readers.preferences()
    before = await readers.everything()
    page = await readers.client.post(f"/preferences/{token}", data={**CHOSEN, field: value})
    assert page.status_code == 422
    assert "Not saved yet." in page.text
    assert page.text.count(sentence) == 2
    assert f'id="{field}-error"' in page.text
    if field != "delivery_time":
        assert "<option selected>07:30</option>" in page.text
    assert await readers.everything() == before


async def test_an_unknown_button_and_an_empty_body_change_nothing(readers: Readers) -> None:
    await readers.join()
    token = await readers.preferences()
    before = await readers.everything()
    for sent in ({"data": {"action": "explode"}}, {}, {"content": b"\xff"}):
        answer = await readers.client.post(f"/preferences/{token}", **sent)
        assert answer.status_code == 422
    assert await readers.everything() == before


async def test_markup_in_a_name_stays_text(readers: Readers) -> None:
    await readers.join()
    page = await readers.client.post(
        f"/preferences/{await readers.preferences()}", data={**CHOSEN, "first_name": '"><b>x'}
    )
    assert 'value="&#34;&gt;&lt;b&gt;x"' in page.text


async def test_a_rest_and_its_end(readers: Readers, container: Container) -> None:
    """By a date or by a button; the page says until when, and offers to start at once."""
    await readers.join()
    token = await readers.preferences()
    page = await readers.client.post(f"/preferences/{token}", data={"action": "pause", "until": "2026-12-07"})
    assert "Held until Monday 7 December. It starts again by itself." in page.text
    assert "Next paper: Monday 7 December, 06:30 in London" in page.text
    assert await readers.status() == "paused"
    assert "Held until Monday 7 December." in (await readers.client.get(f"/preferences/{token}")).text

    page = await readers.client.post(f"/preferences/{token}", data=hidden_fields(page.text, "Start now"))
    assert "Started again. The next paper comes on Tuesday at 06:30." in page.text
    assert await readers.status() == "active"
    page = await readers.client.post(f"/preferences/{token}", data=hidden_fields(page.text, "One week"))
    assert "Held until Monday 30 November." in page.text


@pytest.mark.parametrize("until", ["2026-11-23", "2027-11-24", "20261207", "2026-02-30", "", "soon"])
async def test_a_rest_that_cannot_be_is_refused_in_a_sentence(readers: Readers, until: str) -> None:
    await readers.join()
    page = await readers.client.post(
        f"/preferences/{await readers.preferences()}", data={"action": "pause", "until": until}
    )
    assert page.status_code == 422
    assert 'id="until-error"' in page.text
    assert await readers.status() == "active"


async def test_somebody_who_has_not_confirmed_is_told_so(readers: Readers) -> None:
    await readers.ask()
    token = await readers.preferences()
    before = await readers.everything()
    page = await readers.client.get(f"/preferences/{token}")
    assert page.status_code == 200
    assert "is not confirmed yet" in page.text
    assert 'action="/subscribe"' in page.text
    assert (await readers.client.post(f"/preferences/{token}", data=CHOSEN)).status_code == 409
    assert await readers.everything() == before


async def test_somebody_who_left_is_told_so_and_may_start_again(readers: Readers) -> None:
    leaving = await readers.join()
    token = await readers.preferences()
    await readers.client.post(f"/unsubscribe/{leaving}")
    refused = await readers.client.post(f"/preferences/{token}", data=CHOSEN)
    assert refused.status_code == 409
    page = await readers.client.get(f"/preferences/{token}")
    assert "No paper goes to" in page.text
    found = re.search(r'action="(/unsubscribe/[^"]+)"', page.text)
    assert found
    back = await readers.client.post(found[1], data=hidden_fields(page.text, "Start the paper again"))
    assert back.status_code == 200
    assert await readers.status() == "active"


async def test_a_tampered_or_foreign_link_is_answered_as_elsewhere(readers: Readers) -> None:
    leaving = await readers.join()
    for wrong in (*tampered(await readers.preferences()), leaving):
        for answer in (
            await readers.client.get(f"/preferences/{wrong}"),
            await readers.client.post(f"/preferences/{wrong}", data=CHOSEN),
        ):
            assert answer.status_code == 404
            assert "This link is not one of ours." in answer.text


async def test_the_confirmed_page_and_the_leaving_page_lead_to_preferences(readers: Readers) -> None:
    confirmed = await readers.client.post(f"/confirm/{await readers.ask()}")
    leave = await readers.client.get(f"/unsubscribe/{await readers.leaving()}")
    for page in (confirmed, leave):
        found = re.search(r'href="(/preferences/[^"]+)"', page.text)
        assert found
        assert (await readers.client.get(found[1])).status_code == 200


async def left(readers: Readers) -> tuple[str, Response]:
    """Somebody who joined and has just pressed the button to leave."""
    token = await readers.join()
    return f"/unsubscribe/{token}", await readers.client.post(f"/unsubscribe/{token}")


async def test_after_leaving_undo_brings_the_paper_back(readers: Readers, container: Container) -> None:
    """No survey, no second question; pressing twice is pressing once."""
    path, page = await left(readers)
    assert "You’re out." in page.text
    for _ in range(2):
        back = await readers.client.post(path, data=hidden_fields(page.text, "Undo"))
        assert back.status_code == 200
        assert "You’re back." in back.text
        assert 'href="/preferences/' in back.text
    assert await readers.status() == "active"
    async with container.db.read() as session:
        acts = (await session.scalars(select(Consent.act).order_by(Consent.id))).all()
    assert acts == ["asked", "confirmed", "left", "undone"]


async def test_after_leaving_weekly_or_a_rest_is_offered(readers: Readers, container: Container) -> None:
    path, page = await left(readers)
    await readers.client.post(path, data=hidden_fields(page.text, "Weekly instead"))
    assert (await row(container)).frequency is Frequency.WEEKLY
    assert await readers.status() == "active"
    page = await readers.client.post(path)
    assert '<option value="2026-12-07">Monday 7 December (two weeks)</option>' in page.text
    back = await readers.client.post(path, data={"back": "pause", "until": "2026-12-07"})
    assert "held until Monday 7 December" in back.text
    assert await readers.status() == "paused"


async def test_looking_again_after_leaving_still_offers_undo(readers: Readers) -> None:
    path, _ = await left(readers)
    assert ">Undo</button>" in (await readers.client.get(path)).text


async def test_who_never_confirmed_is_offered_no_way_back(readers: Readers) -> None:
    await readers.ask()
    path = f"/unsubscribe/{await readers.leaving()}"
    page = await readers.client.post(path)
    assert "You’re out." in page.text
    assert ">Undo</button>" not in page.text
    assert (await readers.client.post(path, data={"back": "undo"})).status_code == 409
    assert await readers.status() == "left"


async def test_a_mail_programs_click_is_never_taken_for_another_button(readers: Readers) -> None:
    """Whatever else stands in its form."""
    token = await readers.join()
    body = {"List-Unsubscribe": "One-Click", "back": "undo"}
    for _ in range(2):
        answer = await readers.client.post(f"/unsubscribe/{token}", data=body)
        assert (answer.status_code, answer.text) == (200, "You're out.\n")
    assert await readers.status() == "left"


async def test_a_zone_beyond_the_list_stays_chosen(readers: Readers, container: Container) -> None:
    """A browser may have said Etc/GMT+3 at sign-up; saving something else must not lose it."""
    await readers.join()
    async with container.db.write() as session:
        await session.execute(update(Subscriber).values(zone="Etc/GMT+3"))
    page = await readers.client.get(f"/preferences/{await readers.preferences()}")
    assert '<option value="Etc/GMT+3" selected>Etc/GMT+3</option>' in page.text


async def test_the_next_paper_is_not_one_that_is_here_already(readers: Readers, clock: FixedClock) -> None:
    """A later hour on the same morning gives tomorrow's paper, not this one again."""
    from .kinds_of_mail import print_and_send

    clock.move(datetime(2026, 11, 23, 7, 0, tzinfo=UTC))
    await readers.join()
    await print_and_send(readers.container, clock)
    evening = {**CHOSEN, "frequency": "daily", "zone": "", "delivery_time": "18:00"}
    page = await readers.client.post(f"/preferences/{await readers.preferences()}", data=evening)
    assert "Saved. Tuesday’s paper will follow these settings." in page.text
    clock.move(clock.now() + timedelta(days=1))
    assert (
        "Next paper: Tuesday 24 November, 18:00"
        in (await readers.client.get(f"/preferences/{await readers.preferences()}")).text
    )


def test_zones_are_offered_by_their_part_of_the_world() -> None:
    offered = dict(zones())
    assert ("Europe/London", "London") in offered["Europe"]
    assert place_of("America/Argentina/Buenos_Aires") == "Buenos Aires, Argentina"
    assert next(iter(offered)) == "Africa"
