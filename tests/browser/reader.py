"""A person with a browser: walks the site, keeps pictures, and notices what the browser complains about."""

import re
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, Request, expect

from tests.browser.site import Site

Scheme = Literal["light", "dark"]


@dataclass(frozen=True)
class Device:
    """What a person reads on."""

    name: str
    width: int
    height: int
    javascript: bool = True
    scheme: Scheme = "light"

    def __str__(self) -> str:
        return f"{self.name}-{self.scheme}-script-{'on' if self.javascript else 'off'}"


DESKTOP = Device("desktop", 1280, 900)
PHONE = Device("phone", 390, 844)


class Reader:
    """One private window on `site`. What goes wrong in it is in `complaints`, and fails the test at its end."""

    def __init__(
        self,
        browser: Browser,
        site: Site,
        device: Device,
        pictures: Path,
        *,
        bypass_csp: bool = False,
        locale: str = "en-GB",
    ) -> None:
        self.site = site
        self.device = device
        self.pictures = pictures
        self.complaints: list[str] = []
        self.expected: set[int] = set()
        """Statuses that a test asks for on purpose; the browser writes each into its console."""
        self._steps = 0
        self._context = browser.new_context(
            base_url=site.url,
            viewport={"width": device.width, "height": device.height},
            has_touch=device.name == "phone",
            is_mobile=device.name == "phone",
            java_script_enabled=device.javascript,
            color_scheme=device.scheme,
            bypass_csp=bypass_csp,
            locale=locale,
            timezone_id="Europe/Berlin",
        )
        self._context.set_default_timeout(60_000)
        self._context.on("console", self._hear)
        self._context.on("weberror", lambda error: self.complaints.append(f"script: {error.error}"))
        self._context.on("request", self._watch)
        self.page: Page = self._context.new_page()

    def __enter__(self) -> "Reader":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.picture("where-it-ended")
        self._context.close()
        assert not self.complaints, "\n".join(self.complaints)

    def _hear(self, message: ConsoleMessage) -> None:
        status = re.search(r"responded with a status of (\d{3})", message.text)
        if status and int(status[1]) in self.expected:
            return
        # An image opened by itself stands in a page of the browser's own, which breaks our policy with its styles.
        if message.type in ("error", "warning") and not message.location.get("url", "").endswith(".png"):
            self.complaints.append(f"console: {message.text} at {message.location.get('url')}")

    def _watch(self, request: Request) -> None:
        if not request.url.startswith((f"{self.site.url}/", "data:", "about:")):
            self.complaints.append(f"left the site for {request.url}")

    # What a person does

    def open(self, path: str, *, status: int = 200) -> None:
        """Opens a path or a whole link of ours."""
        self.expected.add(status)
        answer = self.page.goto(path)
        assert answer is not None
        assert answer.status == status, path

    def press(self, name: str) -> None:
        """Presses a button."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        """Follows a link."""
        self.page.get_by_role("link", name=name, exact=True).first.click()

    def follow_in_mail(self, name: str) -> None:
        """Follows a link of the mail that is shown; where it asks for a new tab, in that tab."""
        link = self.page.frame_locator("iframe").get_by_role("link", name=name, exact=True)
        if link.get_attribute("target") != "_blank":
            link.click()
            return
        with self._context.expect_page() as tab:
            link.click()
        self.page.close()
        self.page = tab.value

    def reads(self, heading: str) -> None:
        """The page's one heading of the first rank."""
        expect(self.page.get_by_role("heading", level=1)).to_have_text(heading)

    def sees(self, text: str) -> None:
        expect(self.page.get_by_text(text).first).to_be_visible()

    def step(self, name: str) -> None:
        """Keeps a picture, and sees that the page fits its window."""
        assert sideways(self.page) <= 0, f"{name} must be pushed sideways"
        self.picture(name)

    def picture(self, name: str) -> None:
        self._steps += 1
        self.pictures.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=self.pictures / f"{self._steps:02}-{name}.png", full_page=True, animations="disabled")

    # Keys

    def tab_to(self, target: Locator, most: int = 80) -> None:
        """Presses Tab until `target` has the focus; whatever has it on the way must show it."""
        for _ in range(most):
            self.page.keyboard.press("Tab")
            hidden = self.page.evaluate(_UNSEEN_FOCUS)
            assert not hidden, f"the focus cannot be seen on {hidden}"
            if target.evaluate("element => element === document.activeElement"):
                return
        raise AssertionError(f"{most} presses of Tab do not reach {target}")


def sideways(page: Page) -> int:
    """How many pixels of the page lie beyond its right edge."""
    found: int = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    return found


_UNSEEN_FOCUS = """() => {
  const element = document.activeElement;
  if (!element || element === document.body) return "";
  const style = getComputedStyle(element), box = element.getBoundingClientRect();
  const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  const inside = box.width > 0 && box.height > 0 && box.right > 0 && box.left < innerWidth
    && box.bottom > 0 && box.top < innerHeight;
  return ring && inside ? "" : element.outerHTML.slice(0, 120);
}"""
