"""`morningpost editions`: what was printed, what is wrong with it, and how far it got."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from app.bootstrap import Container
from app.cli import following
from app.cli.terminal import Json, say, show, show_one
from app.cli.workshop import run
from app.core.db import Session
from app.core.errors import InvalidInput, NotFound
from app.core.numbers import LARGEST_ID
from app.core.text import escaped
from app.models import Edition
from app.models.content import EditionKind, Section
from app.operations import audit
from app.stages.compose import edit
from app.stages.render import link_check, linting
from app.stages.render.link_check import LinkChecker
from app.stages.send import watch
from app.store import editions

ACTOR = "command line"
Day = Annotated[datetime, typer.Argument(formats=["%Y-%m-%d"], help="The edition's date.")]
Weekly = Annotated[bool, typer.Option("--weekly", help="The weekly of that Saturday, not its daily.")]

group = typer.Typer(name="editions", help="Editions and how far their delivery is.", no_args_is_help=True)


@group.command("list", epilog="Example: morningpost editions list --json")
def list_(limit: Annotated[int, typer.Option(min=1, max=200)] = 30, json: Json = False) -> None:
    """List editions, the newest first."""

    async def work(container: Container) -> list[dict[str, object]]:
        async with container.db.read() as session:
            return [
                {
                    "id": edition.id,
                    "date": edition.date,
                    "kind": edition.kind.value,
                    "no": edition.number,
                    "status": edition.status.value,
                    "subject": edition.subject,
                    "reason": edition.reason,
                }
                for edition in await editions.newest(session, limit, None)
            ]

    show(run(work), as_json=json, empty="There is no edition yet: morningpost compose")


@group.command(epilog="Example: morningpost editions progress 2026-11-23")
def progress(date: Day, weekly: Weekly = False, json: Json = False) -> None:
    """Show who was sent an edition, in numbers, and what is still waited for."""

    async def work(container: Container) -> tuple[Edition, watch.Look, datetime, ZoneInfo]:
        async with container.db.read() as session:
            edition = await of_date(session, date, weekly=weekly)
        look = await following.see(container, edition.id)
        return edition, look, container.clock.now(), container.settings.zone

    edition, look, now, zone = run(work)
    if json:
        show_one(_progress_fields(edition, look), as_json=True)
        return
    fields: dict[str, object] = {
        "date": edition.date,
        "kind": edition.kind.value,
        "status": look.status.value,
        "reason": look.reason,
    }
    if not look.ended:
        fields |= {"workers": look.workers, "rate": f"{look.rate:.2f} a second"}
    if look.done_at:
        fields["done"] = f"{look.done_at.astimezone(zone):%Y-%m-%d %H:%M:%S %Z} at the earliest"
    show_one(fields, as_json=False)
    show(_progress_rows(look), as_json=False, empty="Nobody was released yet.")
    for line in following.waits_in_words(look, now, zone).values():
        say(line)


def _progress_fields(edition: Edition, look: watch.Look) -> dict[str, object]:
    """What `--json` prints: the counts beside the rest, as `providers` and `domains` have them by name."""
    retries, decisions = look.waits.retries, look.waits.decisions
    return {
        "date": edition.date,
        "status": look.status.value,
        "reason": look.reason,
        "released": look.counts.released,
        **watch.figures(look.counts),
        "rate": round(look.rate, 2),
        "done_at": look.done_at,
        "next_release_at": look.next_release_at,
        "next_retry_at": retries.first if retries else None,
        "next_decision_at": decisions.first if decisions else None,
        "workers": look.workers,
        "providers": {name: watch.figures(counts) for name, counts in look.providers.items()},
        "domains": {name: watch.figures(counts) for name, counts in look.domains.items()},
    }


def _progress_rows(look: watch.Look) -> list[dict[str, object]]:
    """A line for all deliveries, for each provider and for each mailbox provider; a column for each count that is not
    zero everywhere."""
    if not look.counts.released:
        return []
    columns = list(watch.figures(look.counts))
    lines = [
        ("all", look.counts),
        *((f"provider {name}", counts) for name, counts in look.providers.items()),
        *((f"mailbox {name}", counts) for name, counts in look.domains.items()),
    ]
    return [
        {"deliveries": name, "total": counts.released, **{one: getattr(counts, one) or "" for one in columns}}
        for name, counts in lines
    ]


@group.command(epilog="Example: morningpost editions lint 2026-11-23")
def lint(
    date: Day,
    links: Annotated[bool, typer.Option("--links", help="Look its links up first.")] = False,
    weekly: Weekly = False,
    json: Json = False,
) -> None:
    """List what is wrong with an edition. Exit code 1 where an error keeps it from being frozen."""

    async def work(container: Container) -> linting.Report:
        async with container.db.read() as session:
            edition = await of_date(session, date, weekly=weekly)
        if links:
            checker = container.links or LinkChecker(container.settings.public_url)
            await link_check.of_edition(
                container.db, edition.id, container.settings.publication, checker, container.clock.now()
            )
        return await linting.of_edition(container.db, edition.id, container.settings.publication, container.clock.now())

    report = run(work)
    show([asdict(one) for one in report.problems], as_json=json, empty="Nothing is wrong with it.")
    if not json and report.problems:
        say(f"{report.errors} errors, {report.warnings} warnings")
    if report.errors:
        raise typer.Exit(1)


@group.command("show", epilog="Example: morningpost editions show 2026-11-23")
def show_(date: Day, weekly: Weekly = False, json: Json = False) -> None:
    """Show what stands in an edition, and why."""

    async def work(container: Container) -> Edition:
        async with container.db.read() as session:
            return await of_date(session, date, weekly=weekly)

    _print(run(work), as_json=json)


@group.command("edit", epilog="Example: morningpost editions edit 2026-11-23 --put tools=12,9 --remove 7")
def edit_(
    date: Day,
    subject: Annotated[str | None, typer.Option(help="Its subject; '' lets the paper decide again.")] = None,
    preheader: Annotated[str | None, typer.Option(help="Its preheader; '' lets the paper decide again.")] = None,
    put: Annotated[list[str] | None, typer.Option(help="SECTION=ID,ID: these stories first, in this order.")] = None,
    remove: Annotated[
        list[int] | None, typer.Option(min=0, max=LARGEST_ID, help="A story that does not run in it.")
    ] = None,
    restore: Annotated[
        list[int] | None, typer.Option(min=0, max=LARGEST_ID, help="A story that may run in it again.")
    ] = None,
    weekly: Weekly = False,
    json: Json = False,
) -> None:
    """Change an edition before it is frozen. What is not named stays; an approval is taken back."""
    texts = {name: text for name, text in (("subject", subject), ("preheader", preheader)) if text is not None}
    lists = {name: found for name, found in (("remove", remove), ("restore", restore)) if found}
    sections = dict(_section(one) for one in put or [])
    try:
        changes = edit.Changes.model_validate({**texts, **lists, **({"sections": sections} if sections else {})})
    except ValueError:
        raise InvalidInput("A subject has at most 120 characters, a preheader 200, a list 200 stories.") from None

    async def work(container: Container) -> Edition:
        edition = await _seen(container, date, weekly=weekly)
        hand = _hand(container, "edit", edition, fields=changes.named)
        return await edit.change(container.db, edition.id, changes, hand)

    _print(run(work), as_json=json)


@group.command(epilog="Example: morningpost editions hold 2026-11-23 --reason 'The lead is not checked'")
def hold(
    date: Day,
    reason: Annotated[str, typer.Option(help="Why; the operators are told.")],
    weekly: Weekly = False,
    json: Json = False,
) -> None:
    """Hold an edition until somebody lets it go."""

    async def work(container: Container) -> Edition:
        edition = await _seen(container, date, weekly=weekly)
        return await edit.hold(container.db, edition.id, reason, _hand(container, "hold", edition))

    _print(run(work), as_json=json)


@group.command(epilog="Example: morningpost editions unhold 2026-11-23")
def unhold(date: Day, weekly: Weekly = False, json: Json = False) -> None:
    """Let a held edition go as it is. Where lint finds an error it is held again: see `morningpost send --force`."""

    async def work(container: Container) -> Edition:
        edition = await _seen(container, date, weekly=weekly)
        return await edit.unhold(container.db, edition.id, _hand(container, "unhold", edition))

    _print(run(work), as_json=json)


@group.command(epilog="Example: morningpost editions delete 2077-01-01")
def delete(
    which: Annotated[str, typer.Argument(metavar="DATE|ID", help="The edition's date, or its id.")],
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    weekly: Weekly = False,
    json: Json = False,
) -> None:
    """Delete an edition that was never frozen. Its stories may run in another."""

    async def look(container: Container) -> Edition:
        async with container.db.read() as session:
            return await _named(session, which, weekly=weekly)

    edition = run(look)
    if not yes:
        what = "weekly" if edition.kind is EditionKind.WEEKLY else "edition"
        question = f"Delete the {what} of {edition.date} ({edition.status.value}: {edition.subject or 'no subject'})?"
        typer.confirm(escaped(question), abort=True, err=True)

    async def work(container: Container) -> Edition:
        now = container.clock.now()
        async with container.db.write() as session:
            gone = await edit.delete(session, edition.id, now, container.settings.zone, frozenset({edition.version}))
            await audit.record(
                session, ACTOR, "delete", "edition", gone.id, now, date=str(gone.date), kind=gone.kind.value
            )
        return gone

    gone = run(work)
    show_one({"id": gone.id, "date": gone.date, "kind": gone.kind.value, "deleted": True}, as_json=json)


async def _named(session: Session, which: str, *, weekly: bool) -> Edition:
    """By its id, or as the newest revision of its date. Raises NotFound, InvalidInput."""
    if which.isascii() and which.isdigit() and len(which) <= 19 and int(which) <= LARGEST_ID:
        edition = await editions.get(session, int(which))
        if edition is None:
            raise NotFound(f"There is no edition {which}.")
        return edition
    try:
        day = datetime.strptime(which, "%Y-%m-%d")  # noqa: DTZ007  # a date
    except ValueError:
        raise InvalidInput(f"{which!r} is no date such as 2077-01-01, and no id.", "which") from None
    return await of_date(session, day, weekly=weekly)


async def of_date(session: Session, date: datetime, *, weekly: bool) -> Edition:
    edition = await editions.of_day(session, date.date(), EditionKind.WEEKLY if weekly else EditionKind.DAILY)
    if edition is None:
        raise NotFound(f"There is no {'weekly' if weekly else 'edition'} of {date:%Y-%m-%d}.")
    return edition


async def _seen(container: Container, date: datetime, *, weekly: bool) -> Edition:
    async with container.db.read() as session:
        return await of_date(session, date, weekly=weekly)


def _hand(container: Container, action: str, edition: Edition, **detail: object) -> edit.Hand:
    now = container.clock.now()

    async def then(session: Session, made: Edition) -> None:
        await audit.record(session, ACTOR, action, "edition", edition.id, now, version=made.version, **detail)

    return edit.Hand(now, then, frozenset({edition.version}), container.settings.operator_emails, container.weigh)


def _section(words: str) -> tuple[Section, list[int]]:
    name, equals, ids = words.partition("=")
    if not equals:
        raise InvalidInput(f"Write --put as tools=12,9; {words!r} is not.", "put")
    try:
        return Section(name.strip()), [int(one) for one in ids.split(",") if one.strip()]
    except ValueError:
        raise InvalidInput(f"Write --put as tools=12,9; {words!r} is not.", "put") from None


def _print(edition: Edition, *, as_json: bool) -> None:
    content = editions.content_of(edition)
    pieces = content.pieces if content else ()
    show_one(
        {
            "date": edition.date,
            "kind": edition.kind.value,
            "status": edition.status.value,
            "reason": edition.reason,
            "version": edition.version,
            "subject": edition.subject,
            "preheader": edition.preheader,
            "minutes": content.minutes if content else None,
        }
        | ({"edits": edition.edits, "pieces": [one.model_dump(mode="json") for one in pieces]} if as_json else {}),
        as_json=as_json,
    )
    if not as_json:
        rows = [
            {"section": one.section.value, "story": one.story_id, "headline": one.headline, "min": one.minutes,
             "why": one.reason}
            for one in pieces
        ]  # fmt: skip
        show(rows, as_json=False, empty="Nothing stands in it yet.")
