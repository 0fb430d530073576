"""Every page there is, as it is seen and as it is heard: axe finds nothing grave, and nothing is pushed sideways.

A page of the application that no scene here opens fails the last test: add a `View` of it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from axe_playwright_python.base import AXE_SCRIPT
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import Opening
from tests.browser.paper import SLUG, print_paper
from tests.browser.reader import DESKTOP, Reader, Scheme, sideways
from tests.browser.site import Site, link_in
from tests.browser.steps import ADA, join, link_of, sign_up

WIDTHS = (320, 390, 768, 1280)
LOOKS: tuple[tuple[str, int, Scheme], ...] = (("desktop", 1280, "light"), ("phone", 390, "dark"))
MOVED = "moved@example.org"
GRAVE = ("serious", "critical")
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
}
ELSEWHERE = {
    "/editions/{slug}/edition.json": "data",
    "/editions/{slug}/card.png": "a picture",
    "/sitemap-{page:int}.xml": "for search engines",
    "/docs": "drawn by Swagger UI, as it comes",
    "/outbox/{name}/html": "a mail in its frame, for development; the edition is looked at as a page",
    "/outbox/{name}/eml": "a file to download",
    "/charts/{name}.png": "a picture",
}


@dataclass(frozen=True)
class View:
    """One state of the page at `route`. `reach` brings the reader there from where the view before it ended."""

    name: str
    route: str
    reach: Callable[[Reader], None]


def at(path: str, status: int = 200) -> Callable[[Reader], None]:
    return lambda reader: reader.open(path, status=status)


def press(*names: str) -> Callable[[Reader], None]:
    def pressed(reader: Reader) -> None:
        for name in names:
            reader.press(name)
            reader.page.wait_for_load_state()

    return pressed


def mailed(path: str, status: int = 200) -> Callable[[Reader], None]:
    return lambda reader: reader.open(link_of(reader, path), status=status)


def wrong_address(reader: Reader) -> None:
    reader.expected.add(422)
    sign_up(reader, "ada@localhost")


def wrong_rest(reader: Reader) -> None:
    """A browser that does not know date fields sends what was typed."""
    reader.expected.add(422)
    reader.page.evaluate("document.querySelector('#until').type = 'text'")
    reader.page.get_by_label("Until a date").fill("soon")
    reader.press("Pause until then")
    reader.page.wait_for_load_state()


def preferences(reader: Reader) -> None:
    reader.open(link_in(reader.site.mail_to(ADA, "You are in"), "/preferences/"))


def ask_for(button: str) -> Callable[[Reader], None]:
    """Asks on the preferences page for a fresh link, which is in the outbox then."""

    def ask(reader: Reader) -> None:
        preferences(reader)
        reader.press(button)
        reader.page.wait_for_load_state()
        reader.site.post()

    return ask


def fresh(button: str, path: str) -> Callable[[Reader], None]:
    """Asks for a fresh link, and opens it."""

    def opened(reader: Reader) -> None:
        ask_for(button)(reader)
        reader.open(link_of(reader, path))

    return opened


def new_address(typed: str) -> Callable[[Reader], None]:
    def send(reader: Reader) -> None:
        reader.expected.add(422)
        reader.page.get_by_label("New email address").fill(typed)
        reader.press("Send a link there")
        reader.page.wait_for_load_state()
        reader.site.post()

    return send


def put_back(reader: Reader) -> None:
    reader.site.post()
    reader.open(link_of(reader, "/old-address/"))


def confirmation(reader: Reader) -> None:
    reader.site.post()
    reader.open(link_of(reader, "/confirm/"))


def a_week_later(reader: Reader) -> None:
    link = link_of(reader, "/confirm/")
    reader.site.pass_time(timedelta(days=8))
    reader.open(link, status=410)


SCENES: dict[str, tuple[Callable[[Reader], object], list[View]]] = {
    "before-the-first-paper": (
        lambda reader: None,
        [
            View("front-page-empty", "/", at("/")),
            View("back-numbers-empty", "/editions", at("/editions")),
            View("no-paper-today", "/editions/{slug}", at(f"/editions/{SLUG}", 404)),
            View("outbox-empty", "/outbox", at("/outbox")),
        ],
    ),
    "the-paper": (
        lambda reader: print_paper(reader.site),
        [
            View("front-page", "/", at("/")),
            View("back-numbers", "/editions", at("/editions")),
            View("edition", "/editions/{slug}", at(f"/editions/{SLUG}")),
            View("no-such-page", "/nowhere", at("/nowhere", 404)),
            View("how-we-count", "/how-we-count", at("/how-we-count")),
            View("poster", "/qr", at("/qr")),
            View("embedded form", "/embed", at("/embed")),
            View("wrong-address", "/subscribe", wrong_address),
        ],
    ),
    "signing-up": (
        lambda reader: None,
        [
            View("asked", "/subscribe", sign_up),
            View("confirm", "/confirm/{token}", confirmation),
            View("outbox", "/outbox", at("/outbox")),
            View("mail", "/outbox/{name}", lambda reader: reader.page.get_by_role("link", name="Confirm").click()),
            View("link-of-others", "/confirm/{token}", at("/confirm/nonsense", 404)),
            View("link-has-run-out", "/confirm/{token}", a_week_later),
            View("new-link", "/confirm/{token}/again", press("Send me a new link")),
        ],
    ),
    "not-asked": (
        sign_up,
        [
            View("confirm-or-bar", "/confirm/{token}", confirmation),
            View("barred", "/confirm/{token}/not-mine", press("I did not ask for this")),
        ],
    ),
    "choosing": (
        join,
        [
            View("confirmed", "/confirm/{token}", lambda reader: None),
            View("in-already", "/confirm/{token}", lambda reader: reader.open(confirm_link(reader))),
            View("preferences", "/preferences/{token}", mailed("/preferences/")),
            View("wrong-date", "/preferences/{token}", wrong_rest),
            View("paused", "/preferences/{token}", press("Two weeks")),
        ],
    ),
    "ones-own-data": (
        join,
        [
            View("letter-sent", "/preferences/{token}/letter", ask_for("Download my data")),
            View("download", "/download/{token}", mailed("/download/")),
            View("move", "/move/{token}", fresh("Change my address", "/move/")),
            View("wrong-new-address", "/move/{token}", new_address("ada@localhost")),
            View("move-asked", "/move/{token}", new_address(MOVED)),
            View(
                "new-address",
                "/new-address/{token}",
                lambda reader: reader.open(link_of(reader, "/new-address/", MOVED)),
            ),
            View("moved", "/new-address/{token}", press("Yes, deliver here")),
            View("old-address", "/old-address/{token}", put_back),
            View("put-back", "/old-address/{token}", press("Put it back")),
            View("erase", "/erase/{token}", fresh("Delete my data", "/erase/")),
            View("erased", "/erase/{token}", press("Delete my data")),
        ],
    ),
    "leaving": (
        join,
        [
            View("unsubscribe", "/unsubscribe/{token}", mailed("/unsubscribe/")),
            View("left", "/unsubscribe/{token}", press("Unsubscribe")),
            View("preferences-of-one-who-left", "/preferences/{token}", mailed("/preferences/")),
            View("left-again", "/unsubscribe/{token}", mailed("/unsubscribe/")),
            View("back", "/unsubscribe/{token}", press("Undo")),
        ],
    ),
}


def confirm_link(reader: Reader) -> str:
    mails = [mail for mail in reader.site.mails() if "Confirm" in str(mail["Subject"])]
    part = mails[0].get_body(("plain",))
    assert part is not None
    return str(next(word for word in part.get_content().split() if "/confirm/" in word))


def grave(page: Page) -> list[str]:
    """What axe finds serious or critical, a line each."""
    # The checker is half a megabyte: a page that has it already is not given it again.
    script = "" if page.evaluate("'axe' in window") else AXE_SCRIPT
    found: dict[str, Any] = Axe(script).run(page, options=RULES).response
    return [
        f"{one['id']} ({one['impact']}): {node['html'][:160]}"
        for one in found["violations"]
        if one["impact"] in GRAVE
        for node in one["nodes"]
    ]


def faults(reader: Reader, view: View) -> Iterator[str]:
    """Every fault of the page that is open: on a desk in light, on a phone in dark, at every width. Keeps pictures."""
    page = reader.page
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        if (beyond := sideways(page)) > 0:
            yield f"{view.name}: {beyond} px lie beyond the right edge at {width} px"
    for name, width, scheme in LOOKS:
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        yield from (f"{view.name} on a {name}, {scheme}: {line}" for line in grave(page))
        reader.picture(f"{view.name}-{name}-{scheme}")


@pytest.mark.parametrize("scene", SCENES)
def test_every_page_can_be_read_by_everybody(site: Site, opened: Opening, scene: str) -> None:
    """Axe, four widths, light and dark; the browser's console stays empty."""
    reader = opened(DESKTOP, bypass_csp=True)
    begin, views = SCENES[scene]
    begin(reader)
    found: list[str] = []
    for view in views:
        view.reach(reader)
        found += faults(reader, view)
    assert not found, "\n".join(found)


def test_the_pages_hold_longer_words(site: Site, opened: Opening) -> None:
    """In German, whose words are longer, nothing is pushed sideways on the narrowest phone, and axe is content."""
    print_paper(site)
    join(opened(DESKTOP))
    reader = opened(DESKTOP, bypass_csp=True, locale="de-DE")
    reader.page.set_viewport_size({"width": min(WIDTHS), "height": 900})
    found: list[str] = []
    links = [link_of(reader, f"/{one}/") for one in ("preferences", "unsubscribe")]
    for path in ("/", "/editions", "/how-we-count", *links):
        reader.open(f"{path}?lang=de")  # she signed up in English, and her own language wins over the browser's
        assert reader.page.locator("html").get_attribute("lang") == "de"
        name = path.removeprefix(site.url).strip("/").partition("/")[0] or "front-page"
        reader.picture(f"{name}-german")
        found += [f"{path} is pushed sideways"] * (sideways(reader.page) > 0) + grave(reader.page)
    assert not found, "\n".join(found)


def routes_of(routes: Any) -> Iterator[Any]:
    """Every route that answers to GET, also of included routers."""
    for route in routes:
        if (included := getattr(route, "original_router", None)) is not None:
            yield from routes_of(included.routes)
        elif "GET" in (getattr(route, "methods", None) or ()):
            yield route


def test_no_page_goes_unseen(site: Site) -> None:
    """Whatever answers with HTML is opened by a scene above, or it stands in ELSEWHERE with a reason."""
    seen = {view.route for _, views in SCENES.values() for view in views} | set(ELSEWHERE)
    ours = [one.path for one in routes_of(site.app.routes) if not one.endpoint.__module__.startswith("app.web.api.")]
    unseen = [path for path in ours if path not in seen and ("{" in path or is_page(site, path))]
    assert unseen == []


def is_page(site: Site, path: str) -> bool:
    answer = httpx.get(f"{site.url}{path}", trust_env=False)
    return answer.is_success and "text/html" in answer.headers.get("content-type", "")
