"""A real HTTP server on loopback that answers from a function, and misbehaves when told to."""

import json
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    path: str
    query: Mapping[str, Sequence[str]]
    headers: Mapping[str, str]
    body: bytes = b""

    def one(self, name: str, default: str = "") -> str:
        return self.query.get(name, [default])[0]


@dataclass(frozen=True)
class Reply:
    """`pause` is in seconds before the first byte; `drip` between any two bytes of the body; `cut` hangs up early."""

    body: Any = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    pause: float = 0.0
    drip: float = 0.0
    cut: bool = False

    @property
    def bytes(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def server_error() -> Reply:
    return Reply({"message": "Server Error"}, 500)


def too_many(seconds: int) -> Reply:
    return Reply({"error": "We had to rate limit you"}, 429, {"Retry-After": str(seconds)})


def hub_window(seconds: int) -> Reply:
    """As the Hub words it: a fixed window, spent, and how long it still runs."""
    return Reply({"error": "rate limited"}, 429, {"RateLimit": f'"api";r=0;t={seconds}'})


def spent(reset: int) -> Reply:
    """As GitHub words it: 403, nothing remaining, and the second since 1970 that it starts afresh."""
    headers = {"X-RateLimit-Limit": "10", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(reset)}
    return Reply({"message": "API rate limit exceeded"}, 403, {**headers, "X-RateLimit-Resource": "search"})


def hanging(seconds: float) -> Reply:
    return Reply([], pause=seconds)


def dripping() -> Reply:
    return Reply(b"[" + b" " * 10_000 + b"]", drip=0.05)


def web_page() -> Reply:
    return Reply(b"<!doctype html><title>Unicorn!</title>", 200, {"Content-Type": "text/html"})


def broken_json() -> Reply:
    return Reply(b'[{"id": "half/a-row", "likes": 1')


def empty() -> Reply:
    return Reply(b"")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self._send(self.server.stand_in.reply(Asked(parts.path, parse_qs(parts.query), headers)))

    def do_POST(self) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length", "0")))
        self._send(self.server.stand_in.reply(Asked(parts.path, parse_qs(parts.query), headers, body)))

    def _send(self, reply: Reply) -> None:
        if reply.pause:
            time.sleep(reply.pause)
        body = reply.bytes
        self.send_response(reply.status)
        for name, value in {"Content-Type": "application/json", **reply.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) + 10 * reply.cut))
        self.end_headers()
        try:
            if not reply.drip:
                self.wfile.write(body)
                self.close_connection = reply.cut
                return
            for offset in range(len(body)):
                self.wfile.write(body[offset : offset + 1])
                time.sleep(reply.drip)
        except OSError:
            self.close_connection = True  # the other side had enough

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the standard library's name
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    stand_in: "StandIn"

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # a client that hangs up is what some tests are about


class StandIn:
    """Serves `answer` on 127.0.0.1 until closed. `asked` holds every request; `fail` replaces answers."""

    def __init__(self, answer: Callable[[Asked], Reply], port: int = 0) -> None:
        self.asked: list[Asked] = []
        self._answer = answer
        self._faults: list[tuple[str, Reply, int]] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.stand_in = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def fail(self, path: str, reply: Reply, times: int = 1_000_000) -> None:
        """Answers the next `times` requests whose path begins with `path` by `reply`."""
        self._faults.append((path, reply, times))

    def heal(self) -> None:
        """Ends all faults."""
        self._faults.clear()

    def reply(self, asked: Asked) -> Reply:
        with self._lock:
            self.asked.append(asked)
            for index, (path, reply, times) in enumerate(self._faults):
                if asked.path.startswith(path) and times > 0:
                    self._faults[index] = (path, reply, times - 1)
                    return reply
        return self._answer(asked)

    def paths(self) -> list[str]:
        return [one.path for one in self.asked]

    def wait(self) -> None:
        """Until it is interrupted."""
        self._thread.join()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> "StandIn":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def closed_port() -> str:
    """An address on which nobody listens."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{one.getsockname()[1]}"
