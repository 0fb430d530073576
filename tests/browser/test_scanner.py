"""A mail scanner with a real browser: it opens every link, runs what runs there, moves the mouse over all of it."""

from typing import Any

from httpx import ASGITransport, AsyncClient
from playwright.sync_api import Page

from tests.browser.conftest import Opening
from tests.browser.reader import DESKTOP
from tests.browser.site import Site
from tests.web.conftest import Readers
from tests.web.kinds_of_mail import PEOPLE, all_links, every_mail


class Bench:
    """What the rows say, and the mails whose links are opened."""

    def __init__(self, site: Site) -> None:
        client = AsyncClient(transport=ASGITransport(site.app), base_url=site.url)
        self.site = site
        self.readers = Readers(client, site.container)

    def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        return self.site.run(self.readers.everything())

    def statuses(self) -> list[str | None]:
        return [self.site.run(self.readers.status(f"{who}@example.org")) for who in PEOPLE]


def hover_over_everything(page: Page) -> None:
    """Moves the mouse over each link, button and field, and presses nothing."""
    for x, y in page.evaluate(_PLACES):
        page.mouse.move(x, y)
    page.mouse.wheel(0, 4000)


_PLACES = """() => [...document.querySelectorAll("a, button, input, select")]
  .map(element => element.getBoundingClientRect())
  .filter(box => box.width && box.top >= 0 && box.bottom <= innerHeight)
  .map(box => [box.left + box.width / 2, box.top + box.height / 2])"""


def test_a_scanner_that_runs_scripts_changes_nothing(site: Site, opened: Opening, database_url: str) -> None:
    """Every link of every kind of mail, twice, with scripts, redirects and a mouse: the rows stay as they are."""
    bench = Bench(site)
    site.run(every_mail(bench.readers, site.clock))
    found = all_links(site.url)
    assert len(found) > 8
    before = bench.rows()
    scanner = opened(DESKTOP)
    scanner.expected.update((404, 410))
    for path in found * 2:
        answer = scanner.page.goto(path, wait_until="load")
        assert answer is not None
        assert answer.status in (200, 410), path
        hover_over_everything(scanner.page)
    scanner.page.wait_for_load_state("networkidle")
    assert bench.rows() == before
    assert bench.statuses() == ["pending", "active", "left"]
