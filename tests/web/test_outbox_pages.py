"""The outbox in a browser: in development, with `outbox:`, and nowhere else."""

import os
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest
from httpx import ASGITransport, AsyncClient

from app.bootstrap import Container
from app.core.settings import VAR
from app.main import create_app

PATHS = ["/outbox", "/outbox/1.eml", "/outbox/1.eml/html", "/outbox/1.eml/eml"]


def keep(name: str, subject: str = "Small hours", html: str | None = "<p>Rich</p>", at: int = 1_000) -> bytes:
    """Puts a mail where the outbox provider does."""
    message = EmailMessage()
    message["Subject"] = subject
    message["From"] = "post@example.org"
    message["To"] = "ada@example.org"
    message["Date"] = "Mon, 23 Nov 2026 06:30:00 +0000"
    message.set_content("Plain")
    if html is not None:
        message.add_alternative(html, subtype="html")
    file = VAR / "outbox" / "new" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(message.as_bytes())
    os.utime(file, (at, at))
    return file.read_bytes()


async def test_an_outbox_that_is_not_there_yet_is_empty(client: AsyncClient) -> None:
    answer = await client.get("/outbox")
    assert answer.status_code == 200
    assert "Nothing has been sent yet." in answer.text


async def test_mails_are_listed_newest_first(client: AsyncClient) -> None:
    keep("a.eml", "The older one", at=1_000)
    keep("b.eml", "Ünïcode & <b>", at=2_000)
    (VAR / "outbox" / "new" / ".hidden.eml").write_bytes(b"x")
    page = (await client.get("/outbox")).text
    assert page.index("Ünïcode &amp; &lt;b&gt;") < page.index("The older one")
    assert "to <bdi>ada@example.org</bdi>" in page
    assert "Mon 23 Nov, 06:30" in page
    assert "hidden" not in page


async def test_one_mail_is_shown_whole(client: AsyncClient) -> None:
    """HTML in a sandboxed frame, the text, every header, and the bytes as they lie there."""
    raw = keep("1.eml")
    page = await client.get("/outbox/1.eml")
    assert page.status_code == 200
    assert 'src="/outbox/1.eml/html" sandbox="allow-popups' in page.text
    assert "allow-scripts" not in page.text
    assert "allow-same-origin" not in page.text
    assert "frame-src 'self'" in page.headers["content-security-policy"]
    assert "Plain" in page.text
    assert "<dt>From</dt>" in page.text
    download = await client.get("/outbox/1.eml/eml")
    assert download.content == raw
    assert download.headers["content-type"] == "message/rfc822"
    assert download.headers["content-disposition"] == 'attachment; filename="1.eml"'


async def test_the_html_of_a_mail_can_do_nothing(client: AsyncClient) -> None:
    keep("1.eml", html="<html><head><title>x</title></head><body><script>alert(1)</script></body></html>")
    answer = await client.get("/outbox/1.eml/html")
    assert answer.status_code == 200
    assert '<head><base target="_top">' in answer.text
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox ")
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "frame-ancestors 'self'" in policy


async def test_a_mail_without_html_says_so(client: AsyncClient) -> None:
    keep("1.eml", html=None)
    page = await client.get("/outbox/1.eml")
    assert page.status_code == 200
    assert "<iframe" not in page.text
    assert (await client.get("/outbox/1.eml/html")).status_code == 404


async def test_bytes_that_are_no_mail_break_nothing(client: AsyncClient) -> None:
    keep("1.eml")
    (VAR / "outbox" / "new" / "2.eml").write_bytes(b"\xff\xfe\x00 not a mail\r\n\r\n\x80")
    assert (await client.get("/outbox")).status_code == 200
    assert (await client.get("/outbox/2.eml")).status_code == 200


@pytest.mark.parametrize(
    "name", ["..%2f..%2fsecret_key", "%2e%2e", "..%5c1.eml", ".hidden.eml", "1.eml%00", "link.eml", "folder.eml", "1"]
)
async def test_a_name_never_leaves_the_outbox(client: AsyncClient, name: str) -> None:
    keep("1.eml")
    new = VAR / "outbox" / "new"
    (VAR / "secret_key").write_text("the key")
    (new / ".hidden.eml").write_text("the key")
    (new / "link.eml").symlink_to(Path("../../secret_key"))
    (new / "folder.eml").mkdir()
    for suffix in ("", "/html", "/eml"):
        answer = await client.get(f"/outbox/{name}{suffix}")
        assert answer.status_code == 404
        assert "the key" not in answer.text


@pytest.mark.parametrize(
    "changed",
    [
        {"environment": "production"},
        {"providers": ("smtp://127.0.0.1:25",)},
    ],
    ids=["production", "another provider"],
)
@pytest.mark.parametrize("path", PATHS)
async def test_elsewhere_there_is_no_such_page(container: Container, changed: dict[str, object], path: str) -> None:
    keep("1.eml")
    moved = replace(container, settings=container.settings.model_copy(update=changed))
    async with AsyncClient(transport=ASGITransport(create_app(moved)), base_url="http://post.test") as client:
        assert (await client.get(path)).status_code == 404
