"""Mail scanners open every link, ask for its head and its options, and run none of its scripts: nothing may change."""

from httpx import AsyncClient

from app.bootstrap import Container

from . import sample
from .conftest import Readers

LOOKING = ("GET", "HEAD", "OPTIONS")


async def look(client: AsyncClient, paths: list[str]) -> None:
    """Every way to look, twice."""
    for path in paths * 2:
        for method in LOOKING:
            answer = await client.request(method, path, headers={"user-agent": "Scanner"})
            assert answer.status_code in (200, 404, 405), (method, path)


async def test_looking_changes_nothing(readers: Readers, container: Container) -> None:
    """Each link of the mails, for a reader who waits, one who reads and one who left, and every other page."""
    slug = await sample.publish(container.db, sample.content())
    waiting = await readers.ask("waiting@example.org")
    reading = await readers.join("reading@example.org")
    gone = await readers.join("gone@example.org")
    await readers.client.post(f"/unsubscribe/{gone}")
    paths = [
        f"/confirm/{waiting}",
        *(f"/unsubscribe/{token}" for token in (await readers.leaving("waiting@example.org"), reading, gone)),
        f"/editions/{slug}",
        f"/editions/{slug}?v=short",
        *("/", "/editions", "/subscribe", "/qr.svg", "/qr.png", "/docs", "/openapi.json", "/healthz", "/readyz"),
        *("/outbox", "/outbox/1.eml", "/static/site.css", "/nowhere"),
    ]
    before = await readers.everything()
    await look(readers.client, paths)
    assert await readers.everything() == before
    statuses = [await readers.status(f"{who}@example.org") for who in ("waiting", "reading", "gone")]
    assert statuses == ["pending", "active", "left"]
