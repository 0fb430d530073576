"""A proxy on this machine that holds every octet back for half a round trip, each way, as distance does."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress


@asynccontextmanager
async def delayed(port: int, round_trip: float) -> AsyncIterator[int]:
    """The port of a way to `port` that takes `round_trip` seconds there and back; as wide as one likes."""
    tasks: set[asyncio.Task[None]] = set()

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", port)
        ways = (_way(reader, back, round_trip / 2), _way(there, writer, round_trip / 2))
        tasks.update(asyncio.create_task(way) for way in ways)

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _way(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float) -> None:
    """What comes leaves `seconds` later, however much of it is on the way."""
    loop = asyncio.get_running_loop()
    road: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def arrive() -> None:
        while True:
            due, data = await road.get()
            await asyncio.sleep(max(due - loop.time(), 0))
            if not data:
                return
            writer.write(data)
            await writer.drain()

    arriving = asyncio.create_task(arrive())
    with suppress(ConnectionError):
        while data := await reader.read(1 << 16):
            road.put_nowait((loop.time() + seconds, data))
        road.put_nowait((loop.time() + seconds, b""))
        await arriving
    arriving.cancel()
    writer.close()
