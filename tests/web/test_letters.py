"""Fresh links as a browser without scripts uses them: from the button on the preferences page to what they open."""

import asyncio
import csv
import io
import json
import re
from datetime import timedelta

import pytest
from httpx import Response

from app.bootstrap import Container
from app.core.clock import FixedClock
from app.jobs.mailroom import Mailroom
from tests.mail_rules import _html, _lines

from .conftest import SITE, Readers, form
from .kinds_of_mail import links, newest_link, received
from .test_scanners import look

HOUR = timedelta(hours=1)


async def press(readers: Readers, what: str, address: str = "ada@example.org") -> Response:
    path = f"/preferences/{await readers.preferences(address)}/letter"
    return await readers.client.post(path, data={"what": what})


async def post(container: Container) -> None:
    await Mailroom(container, "test", asyncio.Event()).post()


async def mailed(container: Container, kind: str, to: str = "ada@example.org") -> str:
    """The path that the newest letter of a kind to an address links."""
    await post(container)
    return newest_link(kind, to)


async def test_the_page_masks_the_address_and_offers_the_three_letters(readers: Readers) -> None:
    await readers.join()
    page = await readers.client.get(f"/preferences/{await readers.preferences()}")
    assert re.findall(r'name="what" value="(\w+)"', page.text) == ["move", "download", "erase"]
    assert "ada@example.org" not in page.text
    answer = await press(readers, "download")
    assert 'We sent a link to <b class="ink">a***@example.org</b>; it works for one hour.' in answer.text
    assert (await press(readers, "download")).text == answer.text
    assert (await press(readers, "everything")).status_code == 422


async def test_the_data_comes_as_json_and_as_csv(readers: Readers, container: Container, clock: FixedClock) -> None:
    """Both hold the same; the name of the file does not hold the address; after an hour the link is dead."""
    await readers.join()
    await press(readers, "download")
    path = await mailed(container, "download")
    before = await readers.everything()
    page = await readers.client.get(path)
    assert "ada@example.org" not in page.text
    answer = await readers.client.post(path, data={"format": "json"})
    assert answer.headers["content-disposition"] == 'attachment; filename="the-ai-morning-post-my-data.json"'
    told = json.loads(answer.text)
    assert told["profile"]["address"] == "ada@example.org"
    assert [one["act"] for one in told["consents"]] == ["asked", "confirmed"]
    assert [one["kind"] for one in told["letters"]] == ["confirmation", "welcome", "download"]
    table = await readers.client.post(path, data={"format": "csv"})
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert {"part": "profile", "row": "1", "field": "address", "value": "ada@example.org"} in rows
    assert len([row for row in rows if (row["part"], row["field"]) == ("consents", "act")]) == 2
    assert (await readers.client.post(path, data={"format": "xml"})).status_code == 422
    assert await readers.everything() == before
    clock.move(clock.now() + HOUR)
    for method in ("GET", "POST"):
        late = await readers.client.request(method, path)
        assert late.status_code == 410
        assert "It worked for one hour." in late.text


async def test_deleting_takes_one_button_and_a_second_press_says_the_same(
    readers: Readers, container: Container
) -> None:
    """Opening the link deletes nothing; afterwards the person may sign up anew."""
    await readers.join()
    await press(readers, "erase")
    path = await mailed(container, "erase")
    assert "Shall we forget you?" in (await readers.client.get(path)).text
    assert await readers.status() == "active"
    for _ in range(2):
        done = await readers.client.post(path)
        assert (done.status_code, "You are forgotten." in done.text) == (200, True)
        assert await readers.status() is None
    assert "You are forgotten." in (await readers.client.get(path)).text
    await readers.join()
    assert await readers.status() == "active"


async def test_a_change_of_address_from_button_to_objection(readers: Readers, container: Container) -> None:
    """Fresh link, field, letter to the new address, letter to the old one, and back again."""
    await readers.join()
    await press(readers, "move")
    path = await mailed(container, "move")
    wrong = await readers.client.post(path, data={"email": "nonsense"})
    assert wrong.status_code == 422
    assert 'value="nonsense"' in wrong.text
    assert "That address has no @ in it." in wrong.text
    asked = await readers.client.post(path, data={"email": "ada@example.net"})
    assert 'We sent a link to <b class="ink">ada@example.net</b>; it works for 24 hours.' in asked.text
    assert await readers.status("ada@example.net") is None
    here = await mailed(container, "new-address", "ada@example.net")
    assert "Shall we deliver here?" in (await readers.client.get(here)).text
    assert "We deliver here now." in (await readers.client.post(here)).text
    assert await readers.status("ada@example.net") == "active"
    back = await mailed(container, "old-address")
    assert "Put this address back?" in (await readers.client.get(back)).text
    assert "It is put back." in (await readers.client.post(back)).text
    assert await readers.status() == "active"
    assert await readers.status("ada@example.net") is None


async def test_naming_an_address_that_reads_already_is_answered_alike(readers: Readers, container: Container) -> None:
    """Page and letter tell nothing; the page behind the letter does, to the mailbox alone."""
    await readers.join()
    await readers.join("known@example.org")
    await press(readers, "move")
    path = await mailed(container, "move")
    pages = [
        (await readers.client.post(path, data={"email": who})).text.replace(who, "WHO")
        for who in ("unknown@example.org", "known@example.org")
    ]
    assert len({re.sub(r'name="form" value="[^"]*"', "", page) for page in pages}) == 1
    here = await mailed(container, "new-address", "known@example.org")
    refused = await readers.client.post(here)
    assert refused.status_code == 409
    assert "That address has a paper of its own already, so nothing was changed." in refused.text
    assert await readers.status() == "active"


async def test_who_has_left_finds_the_buttons_too(readers: Readers) -> None:
    """But none to move a paper that does not come."""
    token = await readers.join()
    await readers.client.post(f"/unsubscribe/{token}")
    page = await readers.client.get(f"/preferences/{await readers.preferences()}")
    assert re.findall(r'name="what" value="(\w+)"', page.text) == ["download", "erase"]
    assert (await press(readers, "move")).status_code == 409


async def test_signing_up_again_is_answered_by_a_letter_and_a_page_that_tells_nothing(
    readers: Readers, container: Container
) -> None:
    """With the preferences link; once a day."""
    await readers.join()
    for _ in range(2):
        await readers.ask()
    await post(container)
    (mail,) = [one for one in received() if str(one["Subject"]).startswith("You are a reader already")]
    (path,) = [path for path in links(mail) if path.startswith("/preferences/")]
    assert (await readers.client.get(path)).status_code == 200


@pytest.mark.parametrize("language", ["en", "de"])
async def test_looking_at_every_letters_link_changes_nothing(
    readers: Readers, container: Container, language: str
) -> None:
    """Every letter there is, opened by a scanner in every way; and fit to be sent."""
    await readers.join()
    path = f"/preferences/{await readers.preferences()}?lang={language}"
    assert (await readers.client.get(path)).status_code == 200
    for what in ("download", "erase", "move"):
        await press(readers, what)
    move = await mailed(container, "move")
    await readers.client.post(move, data={"email": "ada@example.net"})
    await readers.client.post(await mailed(container, "new-address", "ada@example.net"))
    await readers.ask("ada@example.net")
    await press(readers, "download", "ada@example.net")
    asked = await readers.client.post(f"/subscribe?lang={language}", data=form(container, email="bob@example.org"))
    assert asked.status_code == 200
    await post(container)
    mails = received()
    found = sorted(set().union(*(links(mail) for mail in mails)))
    kinds = {path.split("/")[1] for path in found}
    assert kinds >= {"confirm", "preferences", "download", "erase", "move", "new-address", "old-address"}
    before = await readers.everything()
    await look(readers.client, [f"{path}?lang={language}" for path in found])
    assert await readers.everything() == before
    for mail in mails:
        assert mail["Auto-Submitted"] == "auto-generated"
        html = mail.get_body(("html",))
        text = mail.get_body(("plain",))
        assert html is not None
        assert _html(html.get_content()) == []
        assert text is not None
        assert "1 Press Lane, London" in text.get_content()
        assert "[[" not in html.get_content() + text.get_content()
        assert f"{SITE}/" in text.get_content()
        assert _lines(mail.as_bytes(policy=mail.policy.clone(linesep="\r\n"))) == []
