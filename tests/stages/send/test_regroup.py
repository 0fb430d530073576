"""Firms whose mail a large mailbox provider keeps, found out of a real DNS server, on both engines."""

from datetime import timedelta

from sqlalchemy import select

from app.core.db import Database
from app.models import Subscriber
from app.stages.send import exchangers, regroup
from app.stages.send.regroup import ASKED_AGAIN_AFTER
from app.store import subscribers
from tests.dns_server import serving
from tests.people import NOON, add_reader

RECORDS: dict[str, list[str] | str] = {
    "firm.example": ["MX 1 aspmx.l.google.com.", "MX 5 alt1.aspmx.l.google.com."],
    "works.example": ["MX 0 works-example.mail.protection.outlook.com."],
    "own.example": ["MX 10 mx.own.example."],
    "silent.example": "silent",
}


async def groups(db: Database) -> dict[str, str]:
    async with db.read() as session:
        rows = await session.execute(select(Subscriber.address, Subscriber.domain_group))
        return {str(address).partition("@")[2]: str(group) for address, group in rows}


async def test_a_firms_readers_count_with_whoever_keeps_its_mail(db: Database) -> None:
    """Each domain is asked about once; what is known by its name is not asked about at all; silence changes nothing."""
    for domain in (*RECORDS, "gone.example", "gmail.com"):
        await add_reader(db, f"ada@{domain}")
    await add_reader(db, "bob@firm.example")
    async with serving(RECORDS) as server:
        await regroup.regroup(db, exchangers.build(server.address), NOON)
        assert await groups(db) == {
            "firm.example": "gmail",
            "works.example": "microsoft-365",
            "own.example": "other",
            "silent.example": "other",
            "gone.example": "other",
            "gmail.com": "gmail",
        }
        assert server.asked["firm.example MX"] == 1
        assert server.asked["gmail.com MX"] == 0


async def test_a_domain_is_asked_about_again_after_a_month(db: Database) -> None:
    """And its readers move with it; a new reader there is put right without a question."""
    await add_reader(db, "ada@firm.example")
    async with serving(RECORDS) as server:
        asked = exchangers.build(server.address)
        await regroup.regroup(db, asked, NOON)
        await add_reader(db, "bob@firm.example")
        await regroup.regroup(db, asked, NOON + timedelta(days=1))
        assert (server.asked["firm.example MX"], await groups(db)) == (1, {"firm.example": "gmail"})
        server.records["firm.example"] = ["MX 10 mx.firm.example."]
        await regroup.regroup(db, asked, NOON + ASKED_AGAIN_AFTER + timedelta(hours=1))
        assert await groups(db) == {"firm.example": "other"}


async def test_a_day_has_so_many_questions(db: Database) -> None:
    """The next one goes on where this one ended."""
    for number in range(5):
        await add_reader(db, f"ada@firm{number}.example")
    records: dict[str, list[str] | str] = {f"firm{number}.example": ["MX 1 smtp.google.com."] for number in range(5)}
    async with serving(records) as server:
        asked = exchangers.build(server.address)
        await regroup.regroup(db, asked, NOON, most=3)
        assert sorted((await groups(db)).values()) == ["gmail"] * 3 + ["other"] * 2
        await regroup.regroup(db, asked, NOON + timedelta(days=1), most=3)
        assert set((await groups(db)).values()) == {"gmail"}


async def test_a_firm_that_is_known_already_counts_at_once(db: Database) -> None:
    """For who signs up from there, and for who moves there."""
    await add_reader(db, "ada@firm.example")
    async with serving(RECORDS) as server:
        await regroup.regroup(db, exchangers.build(server.address), NOON)
    mover = await add_reader(db, "eve@own.example")
    async with db.write() as session:
        for address in ("bob@firm.example", "cy@gmail.com", "di@new.example"):
            await subscribers.add_pending(session, address=address, key=address, ref=address, zone="", now=NOON)
        assert await subscribers.readdress(session, mover, "eve@own.example", "eve@firm.example", "eve@firm.example")
        found = await session.execute(select(Subscriber.address, Subscriber.domain_group))
        assert {row.address: row.domain_group for row in found} == {
            "ada@firm.example": "gmail",
            "bob@firm.example": "gmail",
            "cy@gmail.com": "gmail",
            "di@new.example": "other",
            "eve@firm.example": "gmail",
        }
