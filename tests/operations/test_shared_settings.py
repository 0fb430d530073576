"""Settings that all processes share: written down, demanded, changed on purpose, and from when new hours hold."""

import asyncio
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.bootstrap import build
from app.core.calendar import Hours
from app.core.clock import FixedClock
from app.core.db import Database
from app.core.errors import ConfigurationError, Conflict
from app.core.settings import Settings, load_settings
from app.jobs import tasks
from app.models.states import EditionStatus
from app.operations import shared_settings
from app.operations.shared_settings import SECRET, SHARED
from app.stages.send import release
from app.store import access, editions, releases
from app.store import shared_settings as rows
from tests.acceptance.house import House
from tests.interleave import at_once, stop_at
from tests.people import DAY, NOON, add_edition, add_reader

TOKYO = ZoneInfo("Asia/Tokyo")


def settings(**changed: Any) -> Settings:
    return load_settings(**{"secret_keys": ("x" * 40,), "suppression_key": "s" * 40, **changed})


PER_PROCESS = {
    "database_url", "providers", "host", "port", "log_format", "metrics_token", "metrics_open",
    "trusted_proxies", "resolver",
    "huggingface_url", "huggingface_token", "github_url", "github_token", "private_sources",
    "signups_per_client", "signups_per_minute", "altcha", "altcha_cost", "check_mx", "check_links",
}  # fmt: skip
"""What may differ: where a process stands, what it can reach, and how busy it may be kept."""


def test_each_setting_is_shared_or_a_process_own() -> None:
    """A new setting is put on one side or the other."""
    assert {*SHARED, *SECRET} | PER_PROCESS == set(Settings.model_fields)
    assert not {*SHARED, *SECRET} & PER_PROCESS


async def test_the_first_start_writes_them_down_and_the_same_start_again(db: Database) -> None:
    """Also where two are first at once: both have the same."""
    await asyncio.gather(*(shared_settings.demand_same(db, settings(), NOON) for _ in range(2)))
    await shared_settings.demand_same(db, settings(port=9000, log_format="json"), NOON)
    async with db.read() as session:
        newest = await rows.newest(session)
    assert newest is not None
    assert (newest.version, newest.settings["timezone"], newest.settings["max_late"]) == (1, "UTC", 43_200)


async def test_no_secret_is_written_down(db: Database) -> None:
    """Only its fingerprint, which is another for another key."""
    await shared_settings.demand_same(db, settings(), NOON)
    async with db.read() as session:
        newest = await rows.newest(session)
    assert newest is not None
    assert "xxxx" not in str(newest.settings)
    assert "ssss" not in str(newest.settings)
    others = shared_settings.differences(settings(secret_keys=("y" * 40,), suppression_key="t" * 40), newest.settings)
    assert [one.name for one in others] == ["MORNINGPOST_SECRET_KEYS", "MORNINGPOST_SUPPRESSION_KEY"]


CHANGED: list[tuple[str, Any, str]] = [
    ("timezone", "Asia/Tokyo", "MORNINGPOST_TIMEZONE is Asia/Tokyo here and UTC in the database"),
    ("freeze_at", "06:00", "MORNINGPOST_FREEZE_AT is 06:00 here and 05:30 in the database"),
    ("deliver_at", "07:00", "MORNINGPOST_DELIVER_AT is 07:00 here and 06:30 in the database"),
    ("max_late", "6h", "MORNINGPOST_MAX_LATE is 21600 here and 43200 in the database"),
    ("public_url", "https://other.test", "MORNINGPOST_PUBLIC_URL is https://other.test here"),
    ("from_address", "Post <a@other.test>", "MORNINGPOST_FROM_ADDRESS is Post <a@other.test> here"),
    ("on_unknown", "hold", "MORNINGPOST_ON_UNKNOWN is hold here and resend in the database"),
    ("approval", "manual", "MORNINGPOST_APPROVAL is manual here and auto in the database"),
    ("operator_emails", "a@b.test", "MORNINGPOST_OPERATOR_EMAILS is a@b.test here and empty in the database"),
]


@pytest.mark.parametrize(("name", "value", "sentence"), CHANGED)
async def test_a_process_with_others_does_not_start_and_names_them(
    db: Database, name: str, value: Any, sentence: str
) -> None:
    """Until the change is applied; then it is the one with the old settings that does not."""
    await shared_settings.demand_same(db, settings(), NOON)
    with pytest.raises(ConfigurationError, match="run: morningpost settings apply") as refused:
        await shared_settings.demand_same(db, settings(**{name: value}), NOON)
    assert sentence in str(refused.value)
    changed = await shared_settings.apply(db, settings(**{name: value}), "ada", NOON)
    assert [one.name for one in changed] == [f"MORNINGPOST_{name.upper()}"]
    await shared_settings.demand_same(db, settings(**{name: value}), NOON)
    with pytest.raises(ConfigurationError):
        await shared_settings.demand_same(db, settings(), NOON)
    with pytest.raises(Conflict, match=f"version 2: MORNINGPOST_{name.upper()}.*restart"):
        await shared_settings.demand_current(db, settings())
    assert await shared_settings.apply(db, settings(**{name: value}), "ada", NOON) == []
    async with db.read() as session:
        (line,) = await access.trail(session, 5)
    assert (line.actor, line.action, line.noun, line.noun_id) == ("ada", "apply", "settings", 2)


async def test_of_two_who_apply_at_once_one_is_refused(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is second looks again."""
    await shared_settings.demand_same(db, settings(), NOON)
    stop = stop_at(monkeypatch, rows, "add")
    first, second = await at_once(
        stop,
        shared_settings.apply(db, settings(freeze_at="06:00"), "ada", NOON),
        lambda: shared_settings.apply(db, settings(freeze_at="05:45"), "grace", NOON),
    )
    async with db.read() as session:
        newest = await rows.newest(session)
    assert newest is not None
    if db.is_sqlite:  # one writer: the second begins after the first, and sees it
        assert (newest.version, newest.settings["freeze_at"]) == (3, "05:45")
    else:
        assert isinstance(first, Conflict)
        assert not isinstance(second, Exception)
        assert (newest.version, newest.settings["freeze_at"]) == (2, "05:45")


def hours(zone: str = "UTC", freeze: str = "05:30") -> Hours:
    return settings(timezone=zone, freeze_at=freeze).hours


async def test_new_hours_hold_from_the_next_window_on(db: Database) -> None:
    """What was promised for a window that has begun stands; before all versions the oldest holds."""
    await shared_settings.demand_same(db, settings(), NOON - timedelta(days=10))
    await shared_settings.apply(db, settings(freeze_at="06:00", deliver_at="08:00"), "ada", NOON)
    async with db.read() as session:

        async def of(day: date) -> time:
            return (await rows.hours_of(session, day, hours("Asia/Tokyo"))).freeze_at

        assert await of(DAY - timedelta(days=400)) == time(5, 30)
        assert await of(DAY) == time(5, 30)
        assert await of(DAY + timedelta(days=1)) == time(6, 0)

        async def at(now: datetime) -> time:
            return (await rows.hours_at(session, now, hours())).freeze_at

        assert await at(NOON) == time(5, 30)
        assert await at(NOON + timedelta(hours=11, minutes=59)) == time(5, 30)
        assert await at(NOON + timedelta(hours=12)) == time(6, 0)


async def test_without_a_version_the_settings_of_the_process_hold(db: Database) -> None:
    """As in a test, or on the way up from an older release."""
    async with db.read() as session:
        assert await rows.hours_of(session, DAY, hours("Asia/Tokyo")) == hours("Asia/Tokyo")
        assert await rows.hours_at(session, NOON, hours("Asia/Tokyo")) == hours("Asia/Tokyo")


async def test_all_workers_plan_by_the_hours_that_are_written_down(db: Database) -> None:
    """Whoever plans first, and whatever it was started with: an old process follows a change from the next window."""
    await add_reader(db, "ada@example.org")
    await add_reader(db, "aiko@example.org", zone="Asia/Tokyo")
    await shared_settings.demand_same(db, settings(), NOON - timedelta(days=10))
    changed = settings(timezone="Asia/Tokyo", freeze_at="06:00")
    await shared_settings.apply(db, changed, "ada", NOON)
    today = await add_edition(db, DAY, status=EditionStatus.FROZEN)
    tomorrow = await add_edition(db, DAY + timedelta(days=1), status=EditionStatus.FROZEN)
    await release.plan(db, today, changed)
    await release.plan(db, tomorrow, settings())
    async with db.read() as session:
        planned = {
            (one.id, row.zone): row.due_at
            for one in (today, tomorrow)
            for row in await releases.planned(session, one.id)
        }
    assert planned[today.id, ""] == datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
    assert planned[today.id, "Asia/Tokyo"] == datetime(2026, 11, 23, 6, 30, tzinfo=TOKYO) + timedelta(days=1)
    assert planned[tomorrow.id, ""] == datetime(2026, 11, 24, 6, 30, tzinfo=TOKYO)
    assert planned[tomorrow.id, "Asia/Tokyo"] == datetime(2026, 11, 24, 6, 30, tzinfo=TOKYO)


async def test_the_timetable_goes_by_the_hours_that_are_written_down(
    db: Database, database_url: str, clock: FixedClock
) -> None:
    """A worker that was started before the change composes and freezes by the new hours from the next window on."""
    await shared_settings.demand_same(db, settings(), NOON - timedelta(days=10))
    await shared_settings.apply(db, settings(compose_at="07:00", freeze_at="07:30"), "ada", NOON)
    container = build(settings(database_url=database_url), clock)
    tomorrow = DAY + timedelta(days=1)
    seen: list[bool] = []
    for hour in (6, 7):
        clock.move(datetime(2026, 11, 24, hour, 5, tzinfo=UTC))
        await tasks.compose(container, "a")
        async with db.read() as session:
            seen.append(await editions.of_day(session, tomorrow) is not None)
    await container.close()
    assert seen == [False, True]


def test_real_processes_share_their_settings(tmp_path: Path, database_url: str) -> None:
    """`migrate` writes them down; a worker, a server and a command with others end with 2 and a sentence; `apply` moves

    everybody on, and the server that runs on says that it must be restarted.
    """
    with House(tmp_path, database_url) as house:
        assert house.run("migrate").returncode == 0
        house.start("serve", "--no-worker")
        house.wait("the server is up", house.is_up)
        other = House(tmp_path, database_url, TIMEZONE="Asia/Tokyo", DELIVER_AT="08:00")
        for words in (["worker"], ["serve"], ["editions", "list"]):
            refused = other.run(*words)
            assert refused.returncode == 2, refused.stderr
            assert "MORNINGPOST_TIMEZONE is Asia/Tokyo here and UTC in the database" in refused.stderr
            assert "MORNINGPOST_DELIVER_AT is 08:00 here and 06:30 in the database" in refused.stderr
            assert "morningpost settings apply" in refused.stderr
        shown = other.run("settings", "show")
        assert shown.returncode == 1
        assert "MORNINGPOST_TIMEZONE: UTC" in shown.stdout
        assert house.run("settings", "show", "--json").returncode == 0
        assert "MORNINGPOST_TIMEZONE" in other.run("migrate").stderr
        applied = other.run("settings", "apply", "--yes", "--json")
        assert applied.returncode == 0, applied.stderr
        assert '"becomes": "Asia/Tokyo"' in applied.stdout
        assert other.run("editions", "list").returncode == 0
        house.wait("the old server says so", lambda: house.web.get("/readyz").status_code == 503)
        assert house.web.get("/readyz").json()["parts"]["settings"] == "failed"
        assert house.run("editions", "list").returncode == 2
        house.wait("its log says why", lambda: "restart this process" in house.logs())
        other.web.close()
