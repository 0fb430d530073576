"""A progress bar of an edition that goes out, until it has ended."""

import asyncio

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.bootstrap import Container
from app.cli.terminal import complain, err, say
from app.models.states import EditionStatus
from app.stages.send.watch import Look, figures, look

EVERY = 0.5
QUIET_FOR = 20
"""Looks without a hand-over after which somebody should see whether a worker runs."""


async def follow(container: Container, edition_id: int) -> EditionStatus:
    """Gives the state in which it ended. To break it off stops nothing."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    quiet = 0
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("released", total=None)
        while True:
            async with container.db.read() as session:
                now = await look(session, edition_id, container.clock.now())
            bar.update(task, description=_words(now), completed=now.done, total=now.counts.released or None)
            if now.ended:
                break
            quiet = quiet + 1 if _untouched(now) else 0
            if quiet == QUIET_FOR:
                complain("nothing is handed over; does a worker run? (morningpost worker)")
            await asyncio.sleep(EVERY)
    say(
        f"{now.status.value}: {', '.join(f'{name} {count}' for name, count in figures(now.counts).items()) or 'nobody'}"
    )
    if now.reason:
        say(now.reason)
    return now.status


def _untouched(now: Look) -> bool:
    return now.status is EditionStatus.SENDING and not now.counts.sending and not now.rate and now.counts.open > 0


def _words(now: Look) -> str:
    if now.status is EditionStatus.PAUSED:
        return f"paused: {now.reason}"
    faults = now.counts.rejected + now.counts.unknown + now.counts.expired
    return f"{now.rate:.0f}/s" + (f", {faults} went otherwise" if faults else "")
