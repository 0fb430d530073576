"""One real mail of every kind there is, so that whoever opens all links has all links to open.

A new kind of service mail needs an entry in `SCENES`; `every_mail` fails for a kind that the mailroom can write and no
scene brings about.
"""

import ast
import asyncio
import inspect
import re
import textwrap
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import unescape

from sqlalchemy import select

from app.bootstrap import Container
from app.core.clock import FixedClock
from app.core.settings import VAR
from app.jobs import mailroom
from app.jobs.mailroom import Mailroom
from app.models import TransactionalEmail
from app.models.states import DeliveryStatus, EditionStatus
from app.stages.audience import consent, fresh, pending
from app.stages.render import freeze
from app.stages.send import release
from app.store import editions

from . import sample
from .conftest import SITE, Readers

Scene = Callable[[Readers, FixedClock], Awaitable[None]]
PEOPLE = ("waiting", "reading", "gone")
"""One who has not confirmed, one who gets the paper, and one who has left."""


async def post(readers: Readers) -> None:
    """Hands over the service mail that is due."""
    await Mailroom(readers.container, "test", asyncio.Event()).post()


async def _ask(readers: Readers, clock: FixedClock) -> None:
    for who in PEOPLE:
        await readers.ask(f"{who}@example.org")


async def _remind(readers: Readers, clock: FixedClock) -> None:
    clock.move(clock.now() + timedelta(days=2, minutes=1))
    await pending.remind(readers.container.db, clock.now())


async def _welcome(readers: Readers, clock: FixedClock) -> None:
    for who in ("reading", "gone"):
        await readers.join(f"{who}@example.org")


async def _ask_again(readers: Readers, clock: FixedClock) -> None:
    await readers.ask("reading@example.org")


async def _fresh_links(readers: Readers, clock: FixedClock) -> None:
    """One more reader, who asks for every link there is and moves."""
    who = "moving@example.org"
    await readers.join(who)
    for what in fresh.ASKABLE:
        await readers.client.post(f"/preferences/{await readers.preferences(who)}/letter", data={"what": what})
    await post(readers)
    site = readers.container.settings.public_url
    await readers.client.post(newest_link("move", site=site), data={"email": "moved@example.org"})
    await post(readers)
    await readers.client.post(newest_link("new-address", site=site))


SCENES: Mapping[str, Scene] = {
    consent.CONFIRMATION: _ask,
    consent.WELCOME: _welcome,
    consent.REMINDER: _remind,
    consent.ALREADY: _ask_again,
    "fresh links": _fresh_links,
}
"""In the order in which they are played; after each the post is handed over."""


def known_kinds() -> set[str]:
    """Every kind the mailroom writes, read from the patterns of its `match`."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(Mailroom._letter)))
    patterns = [node.value for node in ast.walk(tree) if isinstance(node, ast.MatchValue)]
    return {str(eval(ast.unparse(one), vars(mailroom))) for one in patterns}  # names of constants in our own source


def received() -> list[EmailMessage]:
    """Every mail in the outbox."""
    files = (VAR / "outbox" / "new").glob("*.eml")
    return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in sorted(files)]


def links(mail: EmailMessage, site: str = SITE) -> set[str]:
    """The path of every address of `site` in a mail, wherever it stands: headers, text, HTML."""
    parts = [unescape(str(part.get_content())) for part in mail.walk() if part.get_content_maintype() == "text"]
    everything = "\n".join([*parts, *map(str, mail.values())])
    return {found.removeprefix(site) or "/" for found in re.findall(rf"{re.escape(site)}[^\s\"'<>)]*", everything)}


def newest_link(kind: str, to: str = "", site: str = SITE) -> str:
    """The path `/kind/…` that the newest mail with one leads to, among those to `to` where it is given."""
    mails = [mail for mail in received() if mail["To"] == to] if to else received()
    found = [path for mail in mails for path in links(mail, site) if path.startswith(f"/{kind}/")]
    assert found, kind
    return found[-1]


def all_links(site: str = SITE) -> list[str]:
    """Every path that any mail in the outbox leads to."""
    return sorted(set().union(*(links(mail, site) for mail in received())))


async def print_and_send(container: Container, clock: FixedClock) -> None:
    """A minute later, freezes today's edition and hands it to everybody who is in."""
    clock.move(clock.now() + timedelta(minutes=1))
    await sample.publish(container.db, sample.content(), EditionStatus.READY)
    async with container.db.read() as session:
        edition = await editions.of_day(session, sample.TODAY)
    assert edition is not None
    await freeze.freeze(container.db, edition.id, container.settings.publication, clock.now())
    await release.send_now(container.db, edition.id, container.settings, clock.now())
    await Mailroom(container, "test", asyncio.Event()).papers()


async def every_mail(readers: Readers, clock: FixedClock) -> None:
    """Plays all scenes, prints a paper and lets one reader go: the outbox then holds a mail of every kind."""
    for scene in SCENES.values():
        await scene(readers, clock)
        await post(readers)
        if scene is _welcome:
            await print_and_send(readers.container, clock)
    await readers.client.post(f"/unsubscribe/{await readers.leaving('gone@example.org')}")
    async with readers.container.db.read() as session:
        accepted = TransactionalEmail.status == DeliveryStatus.ACCEPTED
        sent = set(await session.scalars(select(TransactionalEmail.kind).where(accepted)))
    assert known_kinds(), "the mailroom's kinds are no longer read from its match"
    assert sent >= known_kinds(), f"no scene of {__name__} brings about: {sorted(known_kinds() - sent)}"
