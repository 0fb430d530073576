"""A stand-in for the Resend API: a real HTTP server with its shapes, its idempotency and its ways of failing.

As a process: `python -m tests.providers.resend_server --port 8025`.
"""

import argparse
import asyncio
import json
import sys
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

KEY = "re_test_key"


@dataclass(frozen=True)
class Request:
    """One request, as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def mails(self) -> list[dict[str, Any]]:
        mails: list[dict[str, Any]] = json.loads(self.body)
        return mails


@dataclass(frozen=True)
class Reply:
    """One answer. `body` may be text that is no JSON."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)


def error(status: int, name: str, message: str = "Something is wrong.", **headers: str) -> Reply:
    """An error in Resend's shape; `retry_after="1"` becomes the header retry-after."""
    body = {"statusCode": status, "name": name, "message": message}
    return Reply(status, body, {key.replace("_", "-"): value for key, value in headers.items()})


@dataclass(frozen=True)
class Drop:
    """The connection breaks: before the request is read, or when it was carried out (`after`)."""

    after: bool = False


@dataclass(frozen=True)
class Hang:
    """No answer comes, though the request was carried out."""


Action = Reply | Drop | Hang | None


class ResendServer:
    """Listens on 127.0.0.1. `script` holds what to do with the next calls of /emails/batch; None is no fault."""

    def __init__(self, *, key: str = KEY, permissive: bool = True) -> None:
        self.key = key
        self.permissive = permissive
        self.script: deque[Action] = deque()
        self.always: Action = None
        self.invalid: Callable[[dict[str, Any]], str] = lambda mail: ""
        self.headers: dict[str, str] = {}
        self.requests: list[Request] = []
        self.accepted: list[dict[str, Any]] = []
        self.port = 0
        self.asked = asyncio.Event()
        self._answers: dict[str, tuple[bytes, Reply]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._server: asyncio.Server | None = None

    async def start(self, port: int = 0) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=64 * 1024 * 1024)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def recipients(self) -> list[str]:
        return [mail["to"][0] for mail in self.accepted]

    def batches(self) -> list[Request]:
        return [request for request in self.requests if request.path == "/emails/batch"]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            return
        finally:
            writer.transport.abort()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        action = self.script.popleft() if self.script and path == "/emails/batch" else None
        action = action or (self.always if path == "/emails/batch" else None)
        if action == Drop():
            return False
        body = await reader.readexactly(int(headers.get("content-length", "0")))
        request = Request(method, path, headers, body)
        self.requests.append(request)
        self.asked.set()
        reply = action if isinstance(action, Reply) else self._answer(request)
        if action == Drop(after=True):
            return False
        if action == Hang():
            await asyncio.sleep(3600)
        _write(writer, reply, self.headers)
        await writer.drain()
        return True

    def _answer(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {self.key}":
            return error(403, "invalid_api_key", "API key is invalid")
        match request.method, request.path:
            case "GET", "/domains":
                return Reply(200, {"object": "list", "has_more": False, "data": []})
            case "POST", "/emails/batch":
                return self._idempotent(request)
            case _:
                return error(404, "not_found", "The requested endpoint does not exist")

    def _idempotent(self, request: Request) -> Reply:
        key = request.headers.get("idempotency-key", "")
        if not 1 <= len(key) <= 256:
            return error(400, "invalid_idempotency_key")
        if key in self._answers:
            body, reply = self._answers[key]
            return reply if body == request.body else error(409, "invalid_idempotent_request")
        reply = self._batch(request)
        if reply.status == 200:
            self._answers[key] = (request.body, reply)
        return reply

    def _batch(self, request: Request) -> Reply:
        wrong = {index: text for index, mail in enumerate(request.mails) if (text := self.invalid(mail))}
        lenient = self.permissive and request.headers.get("x-batch-validation") == "permissive"
        if wrong and not lenient:
            return error(422, "validation_error", next(iter(wrong.values())))
        data = []
        for index, mail in enumerate(request.mails):
            if index not in wrong:
                self.accepted.append(mail)
                data.append({"id": str(UUID(int=len(self.accepted)))})
        errors = [{"index": index, "message": text} for index, text in wrong.items()]
        return Reply(200, {"data": data, "errors": errors} if lenient else {"data": data})


def _write(writer: asyncio.StreamWriter, reply: Reply, more: Mapping[str, str]) -> None:
    body = reply.body.encode() if isinstance(reply.body, str) else json.dumps(reply.body).encode()
    kind = "text/html" if isinstance(reply.body, str) else "application/json"
    headers = {"content-type": kind, "content-length": str(len(body)), **more, **reply.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {reply.status} X\r\n{lines}\r\n".encode() + body)


async def _run(port: int) -> None:
    server = ResendServer()
    await server.start(port)
    sys.stderr.write(f"listening on 127.0.0.1:{server.port}, key {KEY}\n")
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0)
    asyncio.run(_run(parser.parse_args().port))
