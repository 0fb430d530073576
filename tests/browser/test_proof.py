"""The proof of work in a real browser: shown while it is made, good for one sign-up, in nobody's way."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import Route, expect
from sqlalchemy import func, select

from app.core.clock import FixedClock
from app.models import SpentProof
from tests.browser.conftest import Opening
from tests.browser.paper import status_of
from tests.browser.reader import DESKTOP, PHONE, Device, Reader
from tests.browser.site import Site

ADA = "ada@example.org"
BUSY = "One moment: your browser does a sum that keeps machines out."
ONCE_MORE = "perhaps because it runs no scripts"


@pytest.fixture
def site(engine_url: str, clock: FixedClock) -> Iterator[Site]:
    with Site(engine_url, clock, altcha="on") as served:
        yield served


def spent(site: Site) -> int:
    async def count() -> int:
        async with site.container.db.read() as session:
            return await session.scalar(select(func.count()).select_from(SpentProof)) or 0

    return site.run(count())


def fill(reader: Reader) -> None:
    reader.open("/")
    reader.page.get_by_label("Email address").fill(ADA)
    reader.site.pass_time()


@pytest.mark.parametrize(
    ("database_url", "device"),
    [("sqlite", DESKTOP), ("postgresql", replace(PHONE, scheme="dark"))],
    indirect=["database_url"],
    ids=str,
)
def test_one_press_is_enough_and_the_same_proof_is_not_taken_twice(
    site: Site, opened: Opening, device: Device, database_url: str
) -> None:
    """The field, Enter, a line while the sum is done, the answer; then the same request for somebody else."""
    reader = opened(device)
    held: list[Route] = []
    reader.page.route("**/altcha", lambda route: held.append(route))  # noqa: PLW0108  # it marks the handler, and no builtin can be marked
    fill(reader)
    expect(reader.page.get_by_text(BUSY)).to_be_hidden()
    reader.page.get_by_label("Email address").press("Enter")
    expect(reader.page.get_by_role("status").get_by_text(BUSY)).to_be_visible()
    reader.step("sum")
    with reader.page.expect_request("**/subscribe*") as sent:
        held[0].continue_()
    reader.reads("Check your post.")
    assert status_of(site, ADA) == "pending"
    assert spent(site) == 1

    body = sent.value.post_data
    assert body is not None
    again = reader.page.request.post(
        f"{site.url}/subscribe",
        data=body.replace("ada%40", "eve%40"),
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert again.status == 422
    assert "The sum that keeps machines out did not hold" in again.text()
    assert status_of(site, "eve@example.org") is None
    assert spent(site) == 1


def test_without_scripts_it_takes_one_press_more(site: Site, opened: Opening) -> None:
    """With a sentence that says why, and the address kept."""
    reader = opened(replace(PHONE, javascript=False))
    fill(reader)
    reader.expected.add(422)
    reader.press("Send me the paper")
    reader.sees(ONCE_MORE)
    reader.step("once-more")
    expect(reader.page.get_by_label("Email address")).to_have_value(ADA)
    site.pass_time()
    reader.press("Send me the paper")
    reader.reads("Check your post.")
    assert status_of(site, ADA) == "pending"
    assert spent(site) == 0


def test_a_sum_that_fails_shuts_nobody_out(site: Site, opened: Opening) -> None:
    """Where no challenge is to be had, the form goes its way without a proof, as one without scripts does."""
    reader = opened(DESKTOP)
    reader.page.route("**/altcha", lambda route: route.fulfill(status=500))
    reader.expected.update({422, 500})
    fill(reader)
    reader.press("Send me the paper")
    reader.sees(ONCE_MORE)
    site.pass_time()
    reader.press("Send me the paper")
    reader.reads("Check your post.")
    assert status_of(site, ADA) == "pending"
    assert all("ALTCHA" in complaint for complaint in reader.complaints)
    reader.complaints.clear()


@contextmanager
def neighbour(page: str) -> Iterator[str]:
    """Another site on this machine, of one page; gives its address."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_in_the_frame_of_another_site_one_press_is_enough(site: Site, opened: Opening) -> None:
    """As on the front page: the sum is made in the frame, and what comes of it is said there."""
    reader = opened(DESKTOP)
    frame = f'<!doctype html><html lang="en"><title>A neighbour</title><iframe title="Paper" src="{site.url}/embed">'
    with neighbour(frame) as elsewhere:
        reader.page.goto(elsewhere)
        form = reader.page.frame_locator("iframe")
        form.get_by_label("Email address").fill(ADA)
        site.pass_time()
        form.get_by_role("button").click()
        expect(form.get_by_text("Check your post.")).to_be_visible()
    assert status_of(site, ADA) == "pending"
    assert spent(site) == 1
    reader.complaints = [one for one in reader.complaints if elsewhere not in one]
