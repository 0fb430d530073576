"""Failures in words."""

import socket
import ssl

import httpx
import pytest

from app.core.net.reasons import reason
from app.stages.collect.waits import asked_to_wait
from tests.conftest import NOON


def caused(outer: Exception, inner: BaseException) -> Exception:
    outer.__cause__ = inner
    return outer


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            caused(httpx.ConnectError("x"), socket.gaierror(-2, "Name or service not known")),
            "its host name was not found",
        ),
        (
            caused(httpx.ConnectError("x"), ssl.SSLCertVerificationError("self-signed")),
            "its certificate was not accepted",
        ),
        (caused(httpx.ConnectError("x"), ssl.SSLError("wrong version")), "no secure connection could be made"),
        (
            caused(httpx.ConnectError("x"), ExceptionGroup("all", [OSError(101, "Network is unreachable")])),
            "network is unreachable",
        ),
        (
            caused(
                httpx.ConnectError("x"), ExceptionGroup("all", [ConnectionRefusedError(), ConnectionRefusedError()])
            ),
            "connection refused",
        ),
        (httpx.ConnectTimeout(""), "it did not answer in time"),
        (httpx.ReadError(""), "ReadError"),
        (ValueError("its answer was empty"), "its answer was empty"),
    ],
)
def test_the_innermost_cause_that_says_something_is_told(error: Exception, said: str) -> None:
    """A person reads "connection refused", never the name of a class of ours."""
    assert reason(error) == said


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (403, {}),
        (403, {"x-ratelimit-remaining": "41"}),
        (200, {"x-ratelimit-remaining": "0"}),
        (503, {}),
        (500, {"retry-after": "5"}),
    ],
)
def test_an_answer_that_is_not_about_our_pace_asks_for_no_wait(status: int, headers: dict[str, str]) -> None:
    """403 means "forbidden" unless a header says otherwise."""
    assert asked_to_wait(status, headers, NOON) is None


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "0"}, 0),
        ({"retry-after": "-3"}, 60),
        ({"retry-after": "soon"}, 60),
        ({"retry-after": "9" * 400}, 60),
        ({"retry-after": "Mon, 23 Nov 2026 11:00:00 GMT"}, 0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}, 1),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "tomorrow"}, 60),
        ({"ratelimit": '"api";r=12;t=100'}, 60),
    ],
)
def test_a_header_that_makes_no_sense_counts_as_unsaid(headers: dict[str, str], wait: float) -> None:
    """GitHub: at least one minute where no header says how long."""
    assert asked_to_wait(429, headers, NOON) == wait
