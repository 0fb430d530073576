"""Service mail waits for no group's tokens, and papers leave it room: it is counted in them, on both engines."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, text

from app.core.clock import FixedClock
from app.core.db import Database
from app.core.mail.message import Message
from app.core.mail.receipt import Accepted, Deferred, Receipt
from app.core.mail.tokens import SECOND, Limits
from app.models.states import MailForm
from app.stages.send.shares import Asked
from app.stages.send.stream import Rendered, hand_over
from app.stages.send.throttle import ProviderThrottle
from app.stages.send.transactional import Post
from app.stages.send.ways import Way
from app.store import mail_domains, transactional
from app.store.transactional import Begun
from tests.people import NOON, SIGNER, add_reader
from tests.stages.send.scripted import Script, Scripted
from tests.stages.send.test_domain_limits import desk, domain, reserved
from tests.stages.send.test_shard import settings, template_for
from tests.stages.send.test_throttle import UTC_ZONE, Hand, send

RATES = {"gmail": 10.0, "yahoo": 4.0, "orange": 0.5}


def limited(db: Database, clock: Hand, *, service: bool, groups: dict[str, float]) -> ProviderThrottle:
    return ProviderThrottle(db, "scripted", Limits(groups=groups), UTC_ZONE, service=service, instant=clock)


async def owe(db: Database, *addresses: str) -> None:
    for address in addresses:
        reader = await add_reader(db, address, confirmed_at=None)
        async with db.write() as session:
            await transactional.owe(
                session,
                kind="welcome",
                subscriber_id=reader,
                ref=f"welcome-{reader}",
                parameters={},
                now=NOON,
                until=NOON + timedelta(days=1),
            )


async def post(
    db: Database,
    tmp_path: Path,
    clock: Hand,
    script: Script | None = None,
    groups: dict[str, float] = RATES,
    on_render: Callable[[], None] = lambda: None,
) -> Scripted:
    """Hands over what is owed of service mail while the clock of tokens stands still."""
    provider, template = Scripted(script), await template_for(0, 0, MailForm.HTML)

    def render(_: Begun) -> Rendered:
        on_render()
        return Rendered(template, dict.fromkeys(template.slots, "x"))

    throttle = limited(db, clock, service=True, groups=groups)
    owed = Post(
        way=Way(provider),
        settings=settings(tmp_path),
        clock=FixedClock(NOON),
        render=render,
        signer=SIGNER,
        shares=throttle.shares,
    )
    await hand_over(db, owed, owner="worker", stop=asyncio.Event(), throttle=throttle)
    return provider


async def taken(db: Database, clock: Hand, group: str, most: int) -> int:
    """How many papers may be begun of a group now; they are."""
    return (await reserved(db, "scripted", {group: Asked(RATES[group], most, 0)}, clock))[group].count


async def test_papers_wait_for_what_service_mail_took(db: Database, tmp_path: Path) -> None:
    """Twenty at once are two seconds of a group's tokens: it waits for none of them, and papers do for all."""
    clock = Hand()
    await owe(db, *(f"reader{number}@gmail.com" for number in range(20)))
    assert len((await post(db, tmp_path, clock)).sent) == 20
    assert await taken(db, clock, "gmail", 9) == 0
    assert await taken(db, clock, "yahoo", 9) == 2
    clock.now += 2 * SECOND - SECOND // 4
    assert await taken(db, clock, "gmail", 9) == 1
    clock.now += SECOND
    assert await taken(db, clock, "gmail", 9) == 3, "a quarter of a second's worth, as ever"


async def test_a_firms_mail_counts_with_whoever_keeps_it(db: Database, tmp_path: Path) -> None:
    """By the domain of the address that it went to; and only what was taken, once."""

    def script(message: Message) -> Receipt:
        return Accepted() if message.recipient.startswith("ada") else Deferred("451 not now")

    clock = Hand()
    async with db.write() as session:
        await mail_domains.keep(session, {"firm.example": "gmail"}, NOON)
    await owe(db, "ada@firm.example", "bob@gmail.com", "ada@gmail.com", "ada@example.org")
    await post(db, tmp_path, clock, script)
    async with db.read() as session:
        rows = await session.execute(text("SELECT domain_group, used, full_at FROM buckets"))
        assert [tuple(row) for row in rows] == [("gmail", 2, clock.now + SECOND // 5)]


async def test_a_debt_of_more_than_a_minute_is_forgiven(db: Database, tmp_path: Path) -> None:
    """However many sign up at once: a paper is not kept for their sake until it is too late for it."""
    clock = Hand()
    await owe(db, *(f"reader{number}@orange.fr" for number in range(35)))
    await post(db, tmp_path, clock)
    clock.now += 60 * SECOND - SECOND // 4
    assert await taken(db, clock, "orange", 9) == 1


async def test_an_edition_leaves_room_for_service_mail(db: Database, tmp_path: Path) -> None:
    """In the next second a paper goes to everybody but those; then to them too, and all arrive."""
    clock = Hand()
    await owe(db, *(f"new{number}@gmail.com" for number in range(10)))
    await post(db, tmp_path, clock)
    paper, provider, begun = await desk(db, tmp_path, gmail_com=6, example_org=10), Scripted(), Counter[str]()

    def count(message: Message) -> None:
        begun[domain(message)] += 1
        if begun["example.org"] < 10:
            assert not begun["gmail.com"]
        else:
            clock.now += SECOND

    provider.before = count
    assert await send(paper, provider, limited(db, clock, service=False, groups=RATES)) == 16


@pytest.mark.parametrize("groups", [{}, {"apple": 5.0}], ids=["no rates", "another's rate"])
async def test_where_nothing_is_limited_nothing_is_asked(
    db: Database, tmp_path: Path, groups: dict[str, float]
) -> None:
    """No bucket is looked at for service mail whose group has no rate."""
    seen: list[str] = []
    event.listen(db._writer.sync_engine, "before_cursor_execute", lambda *told: seen.append(told[2]))
    await owe(db, "ada@gmail.com")
    assert len((await post(db, tmp_path, Hand(), groups=groups)).sent) == 1
    assert not [statement for statement in seen if "buckets" in statement]


async def test_a_letter_is_made_beside_the_loop(db: Database, tmp_path: Path) -> None:
    """The first of its kind takes half a second: meanwhile others are answered, and nobody waits for the writer."""
    made_by: list[int] = []
    await owe(db, "ada@gmail.com")
    provider = await post(db, tmp_path, Hand(), on_render=lambda: made_by.append(threading.get_ident()))
    assert len(provider.sent) == len(made_by) == 1
    assert made_by != [threading.get_ident()]
