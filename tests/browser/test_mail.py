"""The mail of a full edition in a real browser: every width, both schemes, images on and off, read by everybody."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from app.core.mail.template import Pieces
from app.models.editions import VariantForm
from app.stages.render import charts, mjml, variants
from app.stages.render.qr import qr_png
from tests.browser.reader import Scheme, sideways
from tests.browser.test_pages import grave
from tests.stages.render import sample

HOME = sample.PAPER.public_url
Show = Callable[..., Page]
WAY = re.compile("View in browser|Back numbers")
"""The link at the head of the mail, and of the web edition."""
_SMALL_TARGETS = """() => [...document.querySelectorAll("a")]
  .filter(link => /block/.test(getComputedStyle(link).display) && link.getBoundingClientRect().height > 0)
  .filter(link => Math.round(link.getBoundingClientRect().height) < 44).map(link => link.outerHTML.slice(0, 120))"""


def printed(form: VariantForm) -> str:
    whole = mjml.edition_html(sample.full(), sample.PAPER, sample.SLUG, sample.MARK)
    cut = variants.cut(whole, sample.full().present, form)
    return Pieces.cut(cut, sample.MARK).fill(sample.VALUES)


@pytest.fixture(scope="module")
def mail() -> str:
    return printed(VariantForm.HTML)


@pytest.fixture
def show(browser: Browser, mail: str) -> Iterator[Show]:
    """Opens the mail; what it asks of other sites, or of ours in vain, fails the test at its end."""
    pictures = {f"{HOME}/charts/{name}.png": png for name, png in charts.of_content(sample.full()).items()}
    pictures[f"{HOME}/qr.png"] = qr_png(HOME)
    strangers: list[str] = []
    with ExitStack() as windows:

        def opened(width: int, scheme: Scheme = "light", *, images: bool = True, body: str = mail) -> Page:
            def answer(route: Route) -> None:
                url = route.request.url
                if url == f"{HOME}/mail":
                    route.fulfill(body=body, content_type="text/html")
                elif url in pictures and images:
                    route.fulfill(body=pictures[url], content_type="image/png")
                else:
                    strangers.extend([url] * (url not in pictures and not url.endswith("/favicon.ico")))
                    route.abort()

            context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
            windows.callback(context.close)
            context.route("**/*", answer)
            page = context.new_page()
            page.goto(f"{HOME}/mail")
            return page

        yield opened
    assert strangers == []


@pytest.mark.parametrize("images", [True, False], ids=["images", "no-images"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [700, 390])
def test_axe_finds_nothing_serious(show: Show, width: int, scheme: Scheme, images: bool) -> None:
    """Contrast, language, headings, names of links and images."""
    assert grave(show(width, scheme, images=images)) == []


def test_no_width_pushes_it_sideways(show: Show) -> None:
    """From the narrowest phone, which is also 200% on a wider one, over both sides of each breakpoint."""
    page = show(800)
    for width in (320, 350, 351, 374, 375, 390, 480, 481, 640, 800):
        page.set_viewport_size({"width": width, "height": 900})
        assert sideways(page) <= 0, width


def test_every_block_that_is_pressed_is_large_enough(show: Show) -> None:
    """44 pixels high on a phone and on a desk; links inside sentences are exempt."""
    for width in (390, 700):
        assert show(width).evaluate(_SMALL_TARGETS) == []


def test_without_images_the_words_carry_the_numbers(show: Show) -> None:
    """The sparkline's words stand where it would be, in the room they need."""
    page = show(700, images=False)
    for said in ("140 to 2,310 stars a day", "0 to 204 likes a day"):
        box = page.get_by_role("img", name=said).bounding_box()
        assert box is not None
        assert (box["width"], box["height"] >= 28) == (96, True)


def test_a_narrow_phone_has_no_sparklines_and_no_code_to_scan(show: Show) -> None:
    """They are never the only carrier, and a phone does not scan itself."""
    page = show(390)
    code, line = page.locator("img[src$='/qr.png']"), page.locator("img.spk").first
    expect(code).to_be_hidden()
    assert line.evaluate("image => [image.width, image.height]") == [64, 20]
    page.set_viewport_size({"width": 350, "height": 900})
    expect(line).to_be_hidden()
    page.set_viewport_size({"width": 700, "height": 900})
    expect(code).to_be_visible()
    assert line.evaluate("image => [image.width, image.height, image.naturalWidth]") == [96, 30, 192]


@pytest.mark.parametrize("form", [VariantForm.HTML, VariantForm.WEB])
def test_the_code_to_scan_is_there_over_480_pixels_and_on_paper(show: Show, form: VariantForm) -> None:
    """In the mail and in the web edition; on paper there is nothing to press, and the address stands beside it."""
    page = show(481, body=printed(form))
    code, view = page.locator("img[src$='/qr.png']"), page.get_by_role("link", name=WAY).first
    expect(code).to_be_visible()
    assert code.evaluate("image => [image.width, image.height, image.naturalWidth > 0]") == [104, 104, True]
    expect(view).to_be_visible()
    page.set_viewport_size({"width": 480, "height": 900})
    expect(code).to_be_hidden()
    page.set_viewport_size({"width": 688, "height": 900})  # A4 less its margins, at 96 pixels an inch
    page.emulate_media(media="print")
    expect(code).to_be_visible()
    expect(page.get_by_text(f"Subscribe at {HOME.partition('//')[2]}")).to_be_visible()
    expect(view).to_be_hidden()
    expect(page.get_by_text("Read the full story")).to_be_hidden()


@pytest.mark.parametrize(("scheme", "paper"), [("light", "rgb(251, 251, 248)"), ("dark", "rgb(21, 23, 26)")])
def test_the_paper_is_one_colour_edge_to_edge(show: Show, scheme: Scheme, paper: str) -> None:
    """Page and column alike, in both schemes: what was written inline gives way to the dark sheet."""
    found = show(700, scheme).evaluate(
        "[document.body, document.querySelector('.p')].map(one => getComputedStyle(one).backgroundColor)"
    )
    assert found == [paper, paper]
