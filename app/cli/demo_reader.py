"""A reader as the demo plays one: signs up by the form, reads the mail, presses the button."""

import asyncio
import email
import email.policy
import re
from collections.abc import Callable
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path

import httpx

from app.core.errors import MorningPostError
from app.web import nonce


class DemoFailed(MorningPostError):
    """A step of the demo did not do what it should; says which."""


class _Form(HTMLParser):
    """The first form on a page that posts: where to, and what its fields hold."""

    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form" and self.action is None and found.get("method", "").lower() == "post":
            self.action, self._inside = found.get("action", ""), True
        elif self._inside and tag in ("input", "button") and found.get("name"):
            self.fields[found["name"]] = found.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False


async def _post_form(client: httpx.AsyncClient, page: httpx.Response, **typed: str) -> httpx.Response:
    form = _Form()
    form.feed(page.text)
    if form.action is None:
        raise DemoFailed(f"there is no form on {page.url.path}")
    answer = await client.post(page.url.join(form.action), data={**form.fields, **typed})
    if answer.status_code >= 400:
        raise DemoFailed(f"the form on {page.url.path} was answered {answer.status_code}")
    return answer


async def sign_up(client: httpx.AsyncClient, address: str) -> None:
    """Fills in the form on the front page."""
    page = await client.get("/")
    if page.status_code != 200:
        raise DemoFailed(f"the front page was answered {page.status_code}")
    # A form that comes back at once is taken for a machine's; its time is kept in whole seconds.
    await asyncio.sleep(nonce.FILLED_AFTER.total_seconds() + 1)
    await _post_form(client, page, email=address)


async def confirm(client: httpx.AsyncClient, mail: EmailMessage) -> None:
    """Follows the link of the confirmation mail and presses the button of its page."""
    link = re.search(r"https?://\S+/confirm/[\w-]+", plain(mail))
    if link is None:
        raise DemoFailed("the confirmation mail holds no link")
    page = await client.get(httpx.URL(link[0]).path)
    if page.status_code != 200:
        raise DemoFailed(f"the confirmation page was answered {page.status_code}")
    await _post_form(client, page)


async def mail_to(outbox: Path, address: str, wanted: Callable[[EmailMessage], bool], within: float) -> Path:
    """Waits for a mail to `address` that is `wanted`; gives its file."""
    seen: set[Path] = set()
    for _ in range(int(within * 10)):
        found = await asyncio.to_thread(_first, outbox, seen, lambda mail: mail["To"] == address and wanted(mail))
        if found:
            return found
        await asyncio.sleep(0.1)
    raise DemoFailed(f"no mail came to the outbox within {within:.0f} seconds")


def _first(outbox: Path, seen: set[Path], wanted: Callable[[EmailMessage], bool]) -> Path | None:
    for path in outbox.glob("new/*.eml"):
        if path not in seen and wanted(read(path)):
            return path
        seen.add(path)
    return None


def read(path: Path) -> EmailMessage:
    """A mail from its file."""
    return email.message_from_bytes(path.read_bytes(), policy=email.policy.default)


def plain(mail: EmailMessage) -> str:
    """The plain-text part."""
    part = mail.get_body(("plain",))
    return str(part.get_content()) if part else ""


def rich(mail: EmailMessage) -> str:
    """The HTML part."""
    part = mail.get_body(("html",))
    return str(part.get_content()) if part else ""
