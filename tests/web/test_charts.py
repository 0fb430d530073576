"""The pictures of a mail are there before the mail is, and for good."""

import io

import pytest
from httpx import AsyncClient
from PIL import Image

from app.bootstrap import Container
from app.models.states import EditionStatus
from app.stages.render import charts, freeze, message
from app.store import editions
from tests.people import NOON
from tests.stages.render import sample as papers

from . import sample


async def ready(container: Container) -> int:
    await sample.publish(container.db, papers.full(date=sample.TODAY), EditionStatus.READY)
    async with container.db.read() as session:
        edition = await editions.of_day(session, sample.TODAY)
    assert edition is not None
    return edition.id


async def test_a_frozen_edition_has_its_pictures(client: AsyncClient, container: Container) -> None:
    """From the freeze on, whatever draws pictures later; any cache may keep them for good."""
    edition, shown = await ready(container), charts.of_content(papers.full())
    for name in shown:
        assert (await client.get(f"/charts/{name}.png")).status_code == 404
    await freeze.freeze(container.db, edition, container.settings.publication, NOON)
    for name, png in shown.items():
        answer = await client.get(f"/charts/{name}.png")
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert answer.content == png
        assert Image.open(io.BytesIO(answer.content)).size == (192, 60)
    head = await client.head(f"/charts/{name}.png")
    assert (head.status_code, head.content) == (200, b"")


async def test_a_trial_of_an_edition_that_is_not_frozen_has_them_too(client: AsyncClient, container: Container) -> None:
    """Sending it twice keeps them once."""
    edition = await ready(container)
    for _ in range(2):
        mail = await message.trial_of(container.db, edition, container.settings.publication, "eve@example.org", NOON)
    assert mail.template.html is not None
    html = mail.template.html.fill(mail.values)
    for name in charts.of_content(papers.full()):
        assert f"{container.settings.public_url}/charts/{name}.png" in html
        assert (await client.get(f"/charts/{name}.png")).status_code == 200


@pytest.mark.parametrize("name", ["0" * 32, "x", "%00", "..%2f..%2fqr", "ä", "0" * 500])
async def test_a_name_of_nothing_is_not_found(client: AsyncClient, name: str) -> None:
    """And no cache keeps that: the freeze may be a minute away."""
    answer = await client.get(f"/charts/{name}.png")
    assert answer.status_code == 404
    assert answer.headers["cache-control"] == "no-store"
