"""`morningpost editions pause | resume | cancel | retry | late | correct`: what is done to an edition that goes out."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated

import typer

from app.bootstrap import Container
from app.cli.editions import ACTOR, Day, Weekly, group, of_date
from app.cli.terminal import Json, say, show_one
from app.cli.workshop import run
from app.core.db import Session
from app.models import Edition
from app.operations import audit
from app.stages.compose import correct as revision
from app.stages.compose import draft
from app.stages.send import again, control, release
from app.store import editions
from app.store.retries import Rest

Deed = Callable[[Session, Container, Edition], Awaitable[Edition]]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def register() -> None:
    """Hangs the commands on `morningpost editions`."""
    group.command(epilog="Example: morningpost editions pause 2026-11-23")(pause)
    group.command(epilog="Example: morningpost editions resume 2026-11-23")(resume)
    group.command(epilog="Example: morningpost editions cancel 2026-11-23 --reason 'The lead is wrong'")(cancel)
    group.command(epilog="Example: morningpost editions retry 2026-11-23 --include-unknown")(retry)
    group.command(epilog="Example: morningpost editions late 2026-11-23")(late)
    group.command(epilog="Example: morningpost editions correct 2026-11-23")(correct)


def _do(date: Day, weekly: bool, json: bool, action: str, deed: Deed) -> None:
    """One deed and its line in the audit log, in one transaction."""

    async def work(container: Container) -> Edition:
        async with container.db.write() as session:
            edition = await deed(session, container, await of_date(session, date, weekly=weekly))
            await audit.record(session, ACTOR, action, "edition", edition.id, container.clock.now())
            return edition

    edition = run(work)
    show_one({"date": edition.date, "status": edition.status.value, "reason": edition.reason}, as_json=json)


def pause(date: Day, weekly: Weekly = False, json: Json = False) -> None:
    """Begin no further hand-over until somebody resumes it."""
    _do(date, weekly, json, "pause", lambda session, _, edition: control.pause(session, edition.id))


def resume(date: Day, weekly: Weekly = False, json: Json = False) -> None:
    """Go on with what is still owed."""
    _do(date, weekly, json, "resume", lambda session, _, edition: control.resume(session, edition.id))


def cancel(
    date: Day,
    reason: Annotated[str, typer.Option(help="Why, for the other operators.")] = "cancelled by an operator",
    yes: Yes = False,
    weekly: Weekly = False,
    json: Json = False,
) -> None:
    """Begin no further hand-over, for good: whoever has not got it does not get it."""
    if not yes:
        typer.confirm(f"Cancel the edition of {date:%Y-%m-%d} for good?", abort=True, err=True)
    _do(
        date,
        weekly,
        json,
        "cancel",
        lambda session, container, edition: control.cancel(session, edition.id, reason, container.clock.now()),
    )


def retry(
    date: Day,
    include_unknown: Annotated[
        bool, typer.Option("--include-unknown", help="Also those of whom nobody knows: they may get it twice.")
    ] = False,
    yes: Yes = False,
    weekly: Weekly = False,
    json: Json = False,
) -> None:
    """Send it again to exactly those who went without it through no fault of theirs; says first how many those are."""

    async def look(container: Container) -> tuple[Edition, Rest]:
        async with container.db.read() as session:
            edition = await of_date(session, date, weekly=weekly)
            return edition, await again.rest(session, edition.id, include_unknown=include_unknown)

    edition, rest = run(look)
    if not yes:
        typer.confirm(f"Try again for {_in_words(rest)}?", abort=True, err=True)

    async def work(container: Container) -> Rest:
        now = container.clock.now()
        done = await again.retry(container.db, edition.id, container.settings, now, include_unknown=include_unknown)
        async with container.db.write() as session:
            await audit.record(
                session, ACTOR, "retry", "edition", edition.id, now, include_unknown=include_unknown, **asdict(done)
            )
        return done

    done = run(work)
    show_one({"date": edition.date, **asdict(done), "total": done.total}, as_json=json)
    if not json:
        say("A running worker tries again." if done.total else "Nobody went without it.")


def _in_words(rest: Rest) -> str:
    parts = [f"{count} {kind.replace('_', ' ')}" for kind, count in asdict(rest).items() if count]
    return f"{rest.total} readers" + (f" ({', '.join(parts)})" if parts else "")


def late(date: Day, weekly: Weekly = False, json: Json = False) -> None:
    """Send it to those who confirmed after their morning had passed."""

    async def work(container: Container) -> dict[str, object]:
        now = container.clock.now()
        async with container.db.read() as session:
            edition = await of_date(session, date, weekly=weekly)
        released = await release.late(container.db, edition.id, container.settings, now)
        async with container.db.write() as session:
            await audit.record(session, ACTOR, "late", "edition", edition.id, now, released=released)
        return {"date": edition.date, "released": released}

    show_one(run(work), as_json=json)


def correct(date: Day, yes: Yes = False, weekly: Weekly = False, json: Json = False) -> None:
    """Cancel it and compose a successor, for the readers who have not got it. Send that with `morningpost send`."""
    if not yes:
        typer.confirm(f"Cancel the edition of {date:%Y-%m-%d} and compose a successor?", abort=True, err=True)

    async def work(container: Container) -> Edition:
        now = container.clock.now()
        async with container.db.write() as session:
            edition = await of_date(session, date, weekly=weekly)
            await control.cancel(session, edition.id, "a correction takes its place", now)
            made = await revision.successor(session, edition.id, now)
            await audit.record(session, ACTOR, "correct", "edition", edition.id, now, successor=made.id)
        operators = container.settings.operator_emails
        zone = container.settings.zone
        await draft.compose(container.db, made.date, now, operators, made.kind, container.weigh, zone)
        async with container.db.read() as session:
            found = await editions.get(session, made.id)
        assert found is not None
        return found

    made = run(work)
    show_one({"id": made.id, "date": made.date, "revision": made.revision, "status": made.status.value}, as_json=json)
