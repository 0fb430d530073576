"""An edition that goes out, followed until it has ended: a progress bar, and lines on what it waits for."""

import asyncio
import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from app.bootstrap import Container
from app.cli.terminal import complain, err, say
from app.models.states import EditionStatus
from app.stages.send.watch import Look, figures, look

EVERY = 0.5
QUIET_FOR = 20
"""Looks without a hand-over after which it is said why there is none."""
REPEAT_AFTER = 60.0
"""Seconds between two lines on what is waited for, where only the instants have moved on."""


async def follow(container: Container, edition_id: int) -> EditionStatus:
    """Gives the state in which it ended. To break it off stops nothing."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn()
    told = _Told(container.settings.zone)
    say("Ctrl-C leaves; the send goes on.")
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("released", total=None)
        while True:
            now = await see(container, edition_id)
            at = container.clock.now()
            bar.update(
                task,
                description=_words(now, at, container.settings.zone),
                completed=now.done,
                total=now.counts.released or None,
            )
            if now.ended:
                break
            told.tell(now, at)
            await asyncio.sleep(EVERY)
    say(
        f"{now.status.value}: {', '.join(f'{name} {count}' for name, count in figures(now.counts).items()) or 'nobody'}"
    )
    if now.reason:
        say(now.reason)
    for line in waits_in_words(now, at, container.settings.zone).values():
        say(line)
    return now.status


async def see(container: Container, edition_id: int) -> Look:
    """One look at an edition. Raises NotFound."""
    async with container.db.read() as session:
        resend = container.settings.on_unknown == "resend"
        return await look(session, edition_id, container.clock.now(), resend=resend)


class _Told:
    """What was said already, so that nothing is said twice a second."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._lines: dict[str, str] = {}
        self._again_at = 0.0
        self._quiet = 0

    def tell(self, now: Look, at: datetime) -> None:
        """Says what is waited for when that is news, and why nothing moves where something should."""
        self._quiet = self._quiet + 1 if _untouched(now) else 0
        if self._quiet == QUIET_FOR:
            complain(_why_quiet(now))
        paused = now.status is EditionStatus.PAUSED
        lines = _paused(now) if paused else waits_in_words(now, at, self._zone)
        if lines.keys() <= self._lines.keys() and (lines == self._lines or time.monotonic() < self._again_at):
            return
        for line in lines.values():
            say(line)
        self._lines, self._again_at = lines, time.monotonic() + REPEAT_AFTER


def waits_in_words(now: Look, at: datetime, zone: ZoneInfo) -> dict[str, str]:
    """For each kind of delivery that waits for a later time a sentence: how many, and until when."""
    lines: dict[str, str] = {}
    counts, retries, decisions = now.counts, now.waits.retries, now.waits.decisions
    if counts.deferred:
        tried = _between(retries.first, retries.last, at, zone) if retries else "now"
        lines["deferred"] = f"{_many(counts.deferred)} deferred: tried again {tried}."
    if counts.queued and retries and not now.waits.ready:
        until = _at(retries.first, at, zone)
        lines["queued"] = f"{_many(counts.queued)} queued: no provider takes mail before {until}."
    if now.undecided and decisions:
        again = _between(decisions.first, decisions.last, at, zone)
        lines["unknown"] = f"{_many(now.undecided)} unknown: sent again {again}, unless an answer comes before."
    elif counts.unknown and now.status is not EditionStatus.CANCELLED:
        lines["unknown"] = held_unknown(counts.unknown)
    if now.next_release_at and not now.ended:
        lines["release"] = f"The next readers are due {_when(now.next_release_at, at, zone)}."
    return lines


def held_unknown(count: int) -> str:
    """What an operator can do about unknown deliveries that are not sent again by themselves."""
    they, them = ("it", "it") if count == 1 else ("they", "them")
    return (
        f"{_many(count)} unknown: nobody knows whether {they} arrived. "
        f"`morningpost editions retry DATE --include-unknown` sends {them} again."
    )


def _many(count: int) -> str:
    return f"{count} is" if count == 1 else f"{count} are"


def _between(first: datetime, last: datetime, at: datetime, zone: ZoneInfo) -> str:
    """`at 12:01:03`, or `from 12:01:03 to 12:16:40`; `now` where it is due."""
    if last <= at:
        return "now"
    if last - first < timedelta(seconds=1):
        return _when(last, at, zone)
    return f"from {'now' if first <= at else _at(first, at, zone)} to {_at(last, at, zone)}"


def _when(instant: datetime, at: datetime, zone: ZoneInfo) -> str:
    return "now" if instant <= at else f"at {_at(instant, at, zone)}"


def _at(instant: datetime, at: datetime, zone: ZoneInfo) -> str:
    """An instant on the publication's clock, with its date unless that is today."""
    local = instant.astimezone(zone)
    today = local.date() == at.astimezone(zone).date()
    return f"{local:%H:%M:%S}" if today else f"{local:%Y-%m-%d %H:%M:%S}"


def _untouched(now: Look) -> bool:
    """Is there mail that a worker should have begun, or no worker for what waits, and nothing is handed over?"""
    going = now.status in (EditionStatus.FROZEN, EditionStatus.SENDING) and not now.counts.sending and not now.rate
    return going and now.counts.open + now.undecided > 0 and (now.waits.ready or not now.workers)


def _why_quiet(now: Look) -> str:
    if not now.workers:
        return "nothing is handed over, for no worker runs; start one: morningpost worker"
    return "nothing is handed over at present, though a worker runs; see its log, and: morningpost providers list"


def _paused(now: Look) -> dict[str, str]:
    return {"paused": f"paused: {now.reason or 'by an operator'}; it goes on after: morningpost editions resume"}


def _words(now: Look, at: datetime, zone: ZoneInfo) -> str:
    if now.status is EditionStatus.PAUSED:
        return f"paused: {now.reason}"
    words = [f"{now.rate:.0f}/s"]
    if now.counts.deferred:
        until = f" until {_at(now.waits.retries.first, at, zone)}" if now.waits.retries else ""
        words.append(f"{now.counts.deferred} deferred{until}")
    if now.undecided:
        until = f" until {_at(now.waits.decisions.first, at, zone)}" if now.waits.decisions else ""
        words.append(f"{now.undecided} unknown{until}")
    if faults := now.counts.rejected + now.counts.expired + now.counts.unknown - now.undecided:
        words.append(f"{faults} went otherwise")
    if now.done_at:
        words.append(f"done {_when(now.done_at, at, zone)} at the earliest")
    return ", ".join(words)
