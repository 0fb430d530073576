"""Mail scanners open every link, ask for its head and its options: nothing may change. Real mails, real links.

One that also runs the scripts of what it opens is in tests/browser/test_scanner.py.
"""

from httpx import AsyncClient

from app.bootstrap import Container
from app.core.clock import FixedClock

from .conftest import Readers
from .kinds_of_mail import PEOPLE, all_links, every_mail, links, print_and_send, received

LOOKING = ("GET", "HEAD", "OPTIONS")
OTHERS = ["/", "/editions", "/subscribe", "/qr.svg", "/qr.png", "/docs", "/openapi.json", "/healthz", "/readyz"]


async def look(client: AsyncClient, paths: list[str]) -> None:
    """Every way to look, twice. The link that confirmed somebody who has left since has run out."""
    for path in paths * 2:
        for method in LOOKING:
            answer = await client.request(method, path, headers={"user-agent": "Scanner"})
            expected = (405,) if method == "OPTIONS" else (200, 303, 410) if path == "/subscribe" else (200, 410)
            assert answer.status_code in expected, (method, path)


async def test_looking_changes_nothing(readers: Readers, container: Container, clock: FixedClock) -> None:
    """Each link of each kind of mail: to one who waits, one who reads, and one who has left; and every other page."""
    await every_mail(readers, clock)
    found = all_links()
    for page, most in (("confirm", 3), ("unsubscribe", 2), ("preferences", 2), ("editions", 1)):
        assert len([path for path in found if path.startswith(f"/{page}/")]) >= most, page
    before = await readers.everything()
    readers.client.follow_redirects = True
    await look(readers.client, found + OTHERS)
    assert await readers.everything() == before
    statuses = [await readers.status(f"{who}@example.org") for who in PEOPLE]
    assert statuses == ["pending", "active", "left"]


async def test_the_button_of_a_mail_program_works_from_the_header_that_was_sent(
    readers: Readers, container: Container, clock: FixedClock
) -> None:
    """RFC 8058: the URI of List-Unsubscribe, posted to with the body that List-Unsubscribe-Post names."""
    await readers.join()
    await print_and_send(container, clock)
    (mail,) = [mail for mail in received() if mail["List-Unsubscribe"]]
    uri = str(mail["List-Unsubscribe"]).strip("<>")
    name, _, value = str(mail["List-Unsubscribe-Post"]).partition("=")
    answer = await readers.client.post(uri, data={name: value})
    assert answer.status_code == 200
    assert await readers.status() == "left"


async def test_the_page_of_a_sent_edition_is_the_paper_with_nobodys_links(
    readers: Readers, container: Container, clock: FixedClock
) -> None:
    """The stored page, at the address the mail names: its lead is there, no address, no token, no script."""
    await readers.join()
    await print_and_send(container, clock)
    (mail,) = [mail for mail in received() if mail["List-Unsubscribe"]]
    (path,) = [path for path in links(mail) if path.startswith("/editions/")]
    page = await readers.client.get(path)
    assert page.status_code == 200
    assert "The archive that learnt to say where it looked" in page.text
    for personal in ("ada@example.org", "/unsubscribe/", "/preferences/", "<script", "<form"):
        assert personal not in page.text
