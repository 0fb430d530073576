"""Printed papers for a site: today's, rendered and sent as every morning, and a few before it."""

from datetime import timedelta

from app.models.states import EditionStatus
from app.stages.render import freeze
from app.stages.send import release
from app.store import editions, subscribers
from tests.browser.site import Site
from tests.web import sample

SLUG = sample.TODAY.isoformat()
HEADLINE = "The archive that learnt to say where it looked"


def print_paper(site: Site, back_numbers: int = 3) -> None:
    """Freezes today's full edition, and sends it to whoever is in."""
    site.run(_print(site, back_numbers))


async def _print(site: Site, back_numbers: int) -> None:
    db, now = site.container.db, site.clock.now()
    for ago in range(back_numbers, 0, -1):
        await sample.publish(db, sample.content(sample.TODAY - timedelta(days=20 * ago), number=4 - ago))
    await sample.publish(db, sample.content(), EditionStatus.READY)
    async with db.read() as session:
        edition = await editions.of_day(session, sample.TODAY)
    assert edition is not None
    await freeze.freeze(db, edition.id, site.settings.publication, now)
    await release.send_now(db, edition.id, site.settings, now)
    await site.mailroom().papers()


def status_of(site: Site, address: str) -> str | None:
    """The state of a reader, by the rows."""

    async def look() -> str | None:
        async with site.container.db.read() as session:
            found = await subscribers.find_key(session, address)
        return found.status.value if found else None

    return site.run(look())
