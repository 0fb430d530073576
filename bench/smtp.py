"""The SMTP engine by itself: `python -m bench.smtp` ends with one line of JSON.

Against Debian's `smtp-sink`: ours, Postfix's own load generator `smtp-source`, and the plain way (aiosmtplib, and
email.message for each reader), one after the other in one run. Then one connection through a proxy that holds every
octet back, with PIPELINING and with CHUNKING. Rates depend on what else the machine does; so look at the ratios and at
the processor time of a message.
"""

import argparse
import asyncio
import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime
from email.message import EmailMessage
from typing import Any

import aiosmtplib

from app.core.mail.message import Message
from app.core.mail.receipt import Accepted, Receipt
from app.core.mail.template import MailTemplate, Pieces, Slot, slot
from app.providers.smtp import SmtpProvider
from app.providers.smtp_connection import Terms
from app.providers.smtp_session import NONE, Server
from bench.delay import delayed
from bench.sink import Sink

MARK = "m4rk"
CONNECTIONS, SIZE = 8, 30_000
ROUND_TRIP = 0.05
SPLICE, SHARE, PIPELINED, CHUNKED = 25.0, 1.0, 18.0, 100.0
MODERN = ("PIPELINING", "CHUNKING", "8BITMIME", "SIZE 50000000")


def paper() -> MailTemplate:
    """About 30 kB of two parts, and ten slots."""
    lines = [f"The model {n} reads papers, leads benchmarks and explains what it did" for n in range(175)]
    names = (Slot.ADDRESS, Slot.SCHEDULE, Slot.NEXT_DELIVERY, Slot.UNSUBSCRIBE, Slot.MANAGE)
    ends = "\n".join(slot(MARK, name) for name in names)
    text, page = "\n".join((*lines, ends)), "\n".join((*(f"<p>{line}</p>" for line in lines), ends))
    headers = (("List-Id", "The Post <daily.paper.example>"), ("Feedback-ID", "daily:paper:example"))
    cut = Pieces.cut
    return MailTemplate("The morning’s edition", ("Post", "p@paper.example"), headers, cut(text, MARK), cut(page, MARK))


PAPER = paper()


def mail(number: int) -> Message:
    address = f"reader{number}@inbox.example"
    unsubscribe, manage = (f"https://paper.example/{door}/{number:086x}" for door in ("unsubscribe", "preferences"))
    values = {Slot.ADDRESS: address, Slot.SCHEDULE: "every day at 06:30, Berlin", Slot.NEXT_DELIVERY: "Friday at 06:30",
              Slot.UNSUBSCRIBE: unsubscribe, Slot.MANAGE: manage}  # fmt: skip
    own = (("List-Unsubscribe", f"<{unsubscribe}>"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    date = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
    return Message(number, 1, address, f"<{number:032x}@paper.example>", date, "p@paper.example", PAPER, values, own)


class Stream:
    """So many owed mails, made as they are taken."""

    def __init__(self, count: int) -> None:
        self._numbers = iter(range(count))
        self.accepted = 0
        self.other: list[Receipt] = []

    async def take(self, most: int) -> Sequence[Message]:
        return [mail(number) for _, number in zip(range(most), self._numbers, strict=False)]

    def may_write(self) -> bool:
        return True

    def written(self, messages: Iterable[Message]) -> None:
        """Nothing outlives a benchmark."""

    def settle(self, message: Message, receipt: Receipt) -> None:  # noqa: ARG002  # the seam's signature
        if isinstance(receipt, Accepted):
            self.accepted += 1
        else:
            self.other.append(receipt)


def splice() -> float:
    """Microseconds of processor time to make a message whole."""
    mails = [mail(number) for number in range(3_000)]
    began = time.process_time()
    for one in mails:
        one.as_bytes()
    return (time.process_time() - began) / len(mails) * 1e6


async def ours(port: int, count: int, connections: int = CONNECTIONS) -> dict[str, float]:
    provider = SmtpProvider("smtp", Server("127.0.0.1", port, NONE), connections, Terms(100_000))
    stream = Stream(count)
    began, worked = time.perf_counter(), time.process_time()
    await provider.drain(stream)
    wall, processor = time.perf_counter() - began, time.process_time() - worked
    await provider.close()
    assert stream.accepted == count, stream.other[:3]
    return {"rate": count / wall, "cpu_us": processor / count * 1e6, "per_cpu_second": count / processor}


async def plain(port: int, count: int) -> dict[str, float]:
    """What a program without an engine does: build each mail, wait for each answer."""
    numbers = iter(range(count))

    async def lane() -> None:
        async with aiosmtplib.SMTP(hostname="127.0.0.1", port=port, start_tls=False) as client:
            for number in numbers:
                await client.send_message(_built(mail(number)))

    began, worked = time.perf_counter(), time.process_time()
    await asyncio.gather(*(lane() for _ in range(CONNECTIONS)))
    wall, processor = time.perf_counter() - began, time.process_time() - worked
    return {"rate": count / wall, "cpu_us": processor / count * 1e6, "per_cpu_second": count / processor}


def _built(one: Message) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "p@paper.example", one.recipient, PAPER.subject
    made["Message-ID"] = one.message_id
    made.set_content(one.text())
    made.add_alternative(one.html() or "", subtype="html")
    return made


def source(port: int, count: int, *, stays: bool) -> dict[str, float]:
    """Postfix's load generator, which sends the same letters again and again; `stays`: over the same connections, as it
    does at its best (`-d`). Without that it connects anew for each.
    """
    tool = _tool("smtp-source")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    command = [tool, "-s", str(CONNECTIONS), "-l", str(SIZE), "-m", str(count), f"inet:127.0.0.1:{port}"]
    if stays:
        command.insert(1, "-d")
    subprocess.run(command, check=True, timeout=600)  # noqa: S603  # ours to name
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"rate": count / wall, "cpu_us": processor / count * 1e6, "per_cpu_second": count / processor}


@contextmanager
def postfix_sink() -> Iterator[int]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [_tool("smtp-sink"), *(["-u", "nobody"] if os.geteuid() == 0 else []), f"inet:127.0.0.1:{port}", "512"]
    process = subprocess.Popen(command)  # noqa: S603  # ours to name
    try:
        for _ in range(100):
            with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(10)


@asynccontextmanager
async def far_away(*offers: str) -> AsyncIterator[int]:
    """Our own sink behind the proxy; `smtp-sink` knows no CHUNKING."""
    server = await asyncio.start_server(Sink(1e9, offers).talk, "127.0.0.1", 0, limit=1 << 24)
    async with server, delayed(server.sockets[0].getsockname()[1], ROUND_TRIP) as port:
        yield port


async def over_distance(*offers: str, count: int) -> float:
    """Messages a second over one connection, the opening not counted."""
    async with far_away(*offers) as port:
        provider = SmtpProvider("smtp", Server("127.0.0.1", port, NONE), 1, Terms(100_000))
        await provider.drain(Stream(1))
        began = time.perf_counter()
        stream = Stream(count)
        await provider.drain(stream)
        wall = time.perf_counter() - began
        assert stream.accepted == count, stream.other[:3]
        await provider.close()
    return count / wall


def _tool(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if not found:
        raise SystemExit(f"{name} is missing: apt-get install --no-install-recommends postfix")
    return found


def measure(count: int) -> dict[str, Any]:
    figures: dict[str, Any] = {"bytes": len(mail(1).as_bytes()), "splice_us": splice()}
    with postfix_sink() as port:
        asyncio.run(ours(port, count // 10))
        figures["ours"] = asyncio.run(ours(port, count))
        figures["smtp_source"] = source(port, count, stays=True)
        figures["smtp_source_reconnecting"] = source(port, count, stays=False)
        figures["ours_again"] = asyncio.run(ours(port, count))
        figures["plain"] = asyncio.run(plain(port, max(count // 40, 100)))
    figures["pipelining_50ms"] = asyncio.run(over_distance("PIPELINING", count=60))
    figures["chunking_50ms"] = asyncio.run(over_distance(*MODERN, count=400))
    best = max(figures["ours"]["rate"], figures["ours_again"]["rate"])
    figures["share_of_smtp_source"] = best / figures["smtp_source"]["rate"]
    figures["share_of_reconnecting"] = best / figures["smtp_source_reconnecting"]["rate"]
    figures["times_plain"] = best / figures["plain"]["rate"]
    figures["load"] = os.getloadavg()[0]
    return figures


def main() -> int:
    words = argparse.ArgumentParser(prog="python -m bench.smtp")
    words.add_argument("--count", type=int, default=20_000)
    found = measure(words.parse_args().count)
    lines = (
        ("processor time to make a message, µs", found["splice_us"], SPLICE, found["splice_us"] <= SPLICE),
        ("rate, times smtp-source -d", found["share_of_smtp_source"], SHARE, found["share_of_smtp_source"] >= SHARE),
        (
            "one connection at 50 ms, PIPELINING",
            found["pipelining_50ms"],
            PIPELINED,
            found["pipelining_50ms"] >= PIPELINED,
        ),
        ("one connection at 50 ms, CHUNKING", found["chunking_50ms"], CHUNKED, found["chunking_50ms"] >= CHUNKED),
    )
    for what, value, budget, within in lines:
        sys.stdout.write(f"{what}: {value:,.2f}, budget {budget:,.0f}: {'ok' if within else 'over'}\n")
    for who in ("ours", "ours_again", "smtp_source", "smtp_source_reconnecting", "plain"):
        one = found[who]
        sys.stdout.write(f"{who}: {one['rate']:,.0f} a second, {one['cpu_us']:,.0f} µs of processor time a message\n")
    sys.stdout.write(json.dumps(found) + "\n")
    return 0 if all(within for *_, within in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
