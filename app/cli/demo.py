"""`morningpost demo`: the whole main job, on this machine, in front of your eyes."""

import asyncio
import os
import secrets
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

import httpx
import typer

from app.bootstrap import Container, build
from app.cli import demo_reader as reader
from app.cli import demo_stories
from app.cli.demo_reader import DemoFailed
from app.cli.terminal import complain, err, out
from app.core import log
from app.core.errors import Conflict
from app.core.settings import PREFIX, VAR, load_settings
from app.models import Edition
from app.models.content import TITLES, EditionContent, Section
from app.models.states import EditionStatus
from app.operations import migrations, shared_settings
from app.operations.slots import once
from app.stages.collect import snapshot
from app.stages.compose import draft
from app.stages.render import freeze
from app.stages.send import release
from app.store import editions

COLLECT_WITHIN = 5.0
HOME = Path("var/demo")
KEPT = ("HUGGINGFACE_URL", "HUGGINGFACE_TOKEN", "GITHUB_URL", "GITHUB_TOKEN", "PORT")


def register(cli: typer.Typer) -> None:
    cli.command(epilog="Example: morningpost demo --once")(demo)


def demo(
    once_only: Annotated[
        bool, typer.Option("--once", help="In a fresh folder, on a free port; ends when the edition has arrived.")
    ] = False,
) -> None:
    """Sign a reader up, compose today's edition and deliver it to an outbox folder; then keep serving."""
    port = _prepare(once_only)
    try:
        path = asyncio.run(_play(port, stay=not once_only))
    except DemoFailed as error:
        complain(f"the demo failed: {error}")
        raise typer.Exit(1) from None
    except asyncio.CancelledError:
        raise typer.Exit(143) from None
    if once_only:
        out.print(path, markup=False)


def _prepare(once_only: bool) -> int:
    """An own folder, SQLite and the outbox, whatever the surroundings are set to; only the sources are kept."""
    kept = {name: value for name in KEPT if (value := os.environ.get(PREFIX + name))}
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    home = Path(tempfile.mkdtemp(prefix="morningpost-demo-")) if once_only else HOME
    home.mkdir(parents=True, exist_ok=True)
    os.chdir(home)
    port = _free_port(0 if once_only else int(kept.pop("PORT", "8000")))
    settings = {**kept, "PORT": str(port), "PUBLIC_URL": f"http://localhost:{port}"}
    for name, value in settings.items():
        os.environ[PREFIX + name] = value
    return port


def _free_port(wanted: int) -> int:
    for port in (wanted, 0):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise DemoFailed("no port is free on this machine")


@dataclass
class _Stage:
    """What the steps of the demo share."""

    container: Container
    client: httpx.AsyncClient
    outbox: Path
    day: date
    address: str


async def _play(port: int, *, stay: bool) -> Path:
    task = asyncio.current_task()
    assert task is not None
    # However the demo is told to end, it takes the service it started with it.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    settings = load_settings()
    log.configure("console", "ERROR")
    _step("The tables are made")
    await migrations.upgrade(settings.database_url)
    container = build(settings)
    try:
        await container.watch.start()
        now = container.clock.now()
        await shared_settings.apply(container.db, settings, "demo", now)  # its port may be another than last time
        added = await demo_stories.load(container.db, now)
        _step(f"{added} stories lie on the desk" if added else "The desk holds stories enough")
        day = now.astimezone(settings.zone).date()
        # Before the service starts, whose worker would take the same slot of the timetable, and more time over it.
        if not await once(
            container.db, container.clock, "compose", day.isoformat(), f"demo:{os.getpid()}",
            lambda: _compose(container, day),
        ):  # fmt: skip
            _step("Today's edition was composed before")
        address = f"reader-{secrets.token_hex(3)}@example.org"
        async with (
            _serving() as server,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=10, trust_env=False) as client,
        ):
            await _answering(client, server)
            stage = _Stage(container, client, (VAR / "outbox").resolve(), day, address)
            path = await _morning(stage)
            _print_links(settings.public_url, day, path)
            if stay:
                err.print("Serving until Ctrl-C.")
                await server.wait()
            return path
    finally:
        await container.close()


async def _morning(stage: _Stage) -> Path:
    await reader.sign_up(stage.client, stage.address)
    _step(f"{stage.address} signed up by the form")
    letter = await reader.mail_to(stage.outbox, stage.address, lambda mail: "/confirm/" in reader.plain(mail), 15)
    _step(f"A confirmation mail came: “{reader.read(letter)['Subject']}”")
    await reader.confirm(stage.client, reader.read(letter))
    _step("The reader pressed the button of its page, and is in")
    db, clock = stage.container.db, stage.container.clock
    edition = await _frozen(stage)
    _step(f"No. {edition.number} is frozen: “{edition.subject}”")
    now = clock.now()
    ended = edition.status in (EditionStatus.SENT, EditionStatus.PARTIALLY_SENT)
    send = release.late if ended else release.send_now
    released = await send(db, edition.id, stage.container.settings, now)
    _step(f"{released} reader{'s' if released != 1 else ''} released; the worker hands over")
    path = await reader.mail_to(stage.outbox, stage.address, lambda mail: bool(mail["List-Unsubscribe"]), 20)
    _check(path, EditionContent.model_validate(edition.content))
    _step("The edition lies in the outbox, with every section it should have")
    return path


async def _compose(container: Container, day: date) -> str:
    report = await snapshot.collect(container.db, container.sources, container.clock.now(), COLLECT_WITHIN, insist=True)
    if any(source.answered for source in report.sources):
        _step(report.summary)
    for line in report.problems:
        err.print(f"  ! {line}", markup=False)
    if not all(source.answered for source in report.sources):
        _step("Blocks whose source gave nothing are left out of today's paper")
    try:
        now, zone = container.clock.now(), container.settings.zone
        composed = await draft.compose(container.db, day, now, weigh=container.weigh, zone=zone)
    except Conflict as refusal:
        return str(refusal)
    _step(f"Today's edition is composed: {composed.status.value} {composed.reason}".rstrip())
    return composed.status.value


async def _frozen(stage: _Stage) -> Edition:
    container = stage.container
    async with container.db.read() as session:
        edition = await editions.of_day(session, stage.day)
    if edition is None or edition.status is EditionStatus.HELD:
        raise DemoFailed(edition.reason if edition else "there is no edition of today")
    await freeze.freeze(container.db, edition.id, container.settings.publication, container.clock.now())
    async with container.db.read() as session:
        frozen = await editions.get(session, edition.id)
    assert frozen is not None
    return frozen


def _check(path: Path, content: EditionContent) -> None:
    """Every section of today's content must stand in both parts of the mail; every story section must exist."""
    mail = reader.read(path)
    wanted = {Section.LEAD, Section.DEEP_DIVE, Section.OPINION, Section.TOOLS, Section.WEEKEND} | content.present
    for name, body in (("HTML", reader.rich(mail)), ("text", reader.plain(mail))):
        lower = body.casefold().replace("&amp;", "&")
        missing = [
            TITLES[section] for section in Section if section in wanted and TITLES[section].casefold() not in lower
        ]
        if missing:
            raise DemoFailed(f"the {name} part lacks {', '.join(missing)}")


@asynccontextmanager
async def _serving() -> AsyncIterator[asyncio.subprocess.Process]:
    """`morningpost serve`, worker and all, as its own process in this folder."""
    server = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "app", "serve", stderr=(VAR / "serve.log").open("ab"), start_new_session=True
    )
    try:
        yield server
    finally:
        with suppress(ProcessLookupError):
            server.send_signal(signal.SIGTERM)
        with suppress(TimeoutError):
            await asyncio.wait_for(server.wait(), 30)


async def _answering(client: httpx.AsyncClient, server: asyncio.subprocess.Process) -> None:
    for _ in range(200):
        if server.returncode is not None:
            raise DemoFailed(f"the server ended; see {(VAR / 'serve.log').resolve()}")
        with suppress(httpx.TransportError):
            if (await client.get("/readyz")).status_code == 200:
                _step(f"The site answers on {client.base_url}")
                return
        await asyncio.sleep(0.1)
    raise DemoFailed(f"the server did not answer; see {(VAR / 'serve.log').resolve()}")


def _step(text: str) -> None:
    err.print(f"[bold]·[/bold] {text}")


def _print_links(url: str, day: date, path: Path) -> None:
    for name, link in (
        ("Site", url),
        ("Today's edition", f"{url}/editions/{day}"),
        ("Archive", f"{url}/editions"),
        ("Outbox", f"{url}/outbox"),
        ("API docs", f"{url}/docs"),
        ("The mail", str(path)),
    ):
        err.print(f"  {name:16} {link}", markup=False)
