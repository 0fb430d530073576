"""Logs hold no addresses, tokens, keys or passwords."""

import json
import logging
import time
from collections.abc import Iterator

import pytest
import structlog

from app.core.log import LONGEST, configure, mask

SECRETS = [
    ("to ada@example.org.", "to a***@example.org."),
    ("Ada <ada.lovelace+news@mail.example.org>", "Ada <a***@mail.example.org>"),
    ("o'brien=x/y@example.org", "o***@example.org"),
    ("jürgen@exämple.org", "j***@exämple.org"),
    ("用户@例子.example", "用***@例子.example"),
    ('"ada lovelace"@example.org', "***@example.org"),
    ("ada@[192.0.2.1]", "a***@[192.0.2.1]"),
    ("bounces+ada=example.org@post.example.net", "b***@post.example.net"),
    ("GET /api/v1/subscribers?address=ada%40example.org", "GET /api/v1/subscribers?address=***%40example.org"),
    ("GET /confirm/AbC_1-2x", "GET /confirm/***"),
    ("https://post.example.org/unsubscribe/AbC_1-2x?x=1", "https://post.example.org/unsubscribe/***?x=1"),
    ("Authorization: Bearer mp_abc+def==", "Authorization: Bearer ***"),
    ("authorization: bearer abc", "authorization: bearer ***"),
    ("resend://re_123abc_XYZ", "resend://re_***"),
    ("token hf_abc ghp_abc github_pat_abc", "token hf_*** ghp_*** github_pat_***"),
]
HARMLESS = ["an edition of 1,000 mails", "meet @ noon", "@property", "https://post.example.org/editions/2026-11-23"]


@pytest.mark.parametrize(("text", "masked"), SECRETS)
def test_secrets_are_masked(text: str, masked: str) -> None:
    """What is left says what kind of thing it was; masking twice changes nothing."""
    assert mask(text) == masked
    assert mask(masked) == masked


def test_passwords_in_urls_are_masked() -> None:
    """User and password both: the user of a mail relay is often an address."""
    for url in ("smtp://ada%40example.org:secret@host:587", "postgresql://ada:secret@host/post"):
        assert "ada" not in mask(url)
        assert "secret" not in mask(url)
        assert "host" in mask(url)


@pytest.mark.parametrize("text", HARMLESS)
def test_the_rest_is_left_alone(text: str) -> None:
    """Masking does not eat ordinary text."""
    assert mask(text) == text


WORST = ["a", "a.", '"', '"a', "a@", "@", "%40", "a%40", "%", "://", "://a", "Bearer ", "Bearer\t", "mp_", "mp_.",
         "/confirm/", "/", " ", "é", "[", "\\", "<", "a\n"]  # fmt: skip
"""Each repeated, what a stranger may send to keep the masking busy."""


@pytest.mark.parametrize("piece", WORST)
@pytest.mark.parametrize("ending", ["", "@example.org", "%40example.org", "@", '"@x'])
def test_masking_takes_time_in_proportion_to_the_text(piece: str, ending: str) -> None:
    """Uncut, of 100 kB and of 400 kB: four times the text never takes sixteen times as long, as it did."""

    def seconds(length: int) -> float:
        text = piece * (length // len(piece)) + ending
        began = time.process_time()
        mask(text, longest=1_000_000)
        return time.process_time() - began

    assert min(seconds(400_000) for _ in range(3)) < 8 * min(seconds(100_000) for _ in range(3)) + 0.05


def test_a_long_text_is_cut_before_it_is_masked() -> None:
    """And says so. A word that the cut goes through is left out: it may be half an address."""
    text = "x " * 1_995 + "ada.lovelace@example.org and more"
    cut = mask(text)
    assert cut.endswith(f"x [cut from {len(text)} characters]")
    assert "ada" not in cut
    assert len(mask("y" * 100_000)) < 4_000
    assert mask("z" * 4_000) == "z" * 4_000


@pytest.mark.parametrize("before", range(LONGEST - 40, LONGEST + 2))
@pytest.mark.parametrize(
    "secret", ["lovelace@example.org", '"ada lovelace"@example.org', "smtp://u:lovelace@host", "/confirm/lovelaceAbC_1"]
)
def test_half_an_address_at_the_cut_is_not_readable(before: int, secret: str) -> None:
    """Wherever the cut falls in an address, a password or a token; also where a long run stands after it."""
    for after in (" y" * LONGEST, "y" * 5 * LONGEST):
        shown = mask("x " * (before // 2) + "x" * (before % 2) + " " + secret + after)
        assert "love" not in shown
        assert len(shown) < LONGEST + 40
        assert shown.endswith(" characters]")


@pytest.fixture
def _own_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.mark.usefixtures("_own_logging")
def test_json_lines_are_masked_whoever_writes_them(capsys: pytest.CaptureFixture[str]) -> None:
    """Our own events with nested values, foreign loggers with arguments, and tracebacks of both."""
    configure("json")
    ours, foreign = structlog.get_logger("ours"), logging.getLogger("uvicorn.access")
    ours.info("sent", to="ada@example.org", more={"ada@example.org": ["ada@example.org"]}, count=3, done=True)
    foreign.info("%s - GET %s", "127.0.0.1", "/confirm/SECRET")
    try:
        int("ada@example.org is bad")
    except ValueError as error:
        ours.exception("failed", error=error)
        foreign.exception("failed for %s", "ada@example.org")

    output = capsys.readouterr().err
    lines = [json.loads(line) for line in output.splitlines()]
    assert "ada@" not in output
    assert "SECRET" not in output
    assert len(lines) == 4
    assert lines[0]["to"] == "a***@example.org"
    assert (lines[0]["count"], lines[0]["done"]) == (3, True)
    assert lines[0]["more"] == {"a***@example.org": ["a***@example.org"]}
    assert lines[1]["event"] == "127.0.0.1 - GET /confirm/***"
    assert all({"event", "level", "logger", "timestamp"} <= line.keys() for line in lines)
    assert all("***@example.org is bad" in line["exception"] for line in lines[2:])


@pytest.mark.usefixtures("_own_logging")
def test_console_lines_are_masked_too(capsys: pytest.CaptureFixture[str]) -> None:
    """The form for people leaves out the same things."""
    configure("console")
    structlog.get_logger("ours").warning("sent to ada@example.org")
    output = capsys.readouterr().err
    assert "sent to a***@example.org" in output


@pytest.mark.usefixtures("_own_logging")
def test_every_way_into_a_line_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    """Values of ours, keys, foreign messages with arguments, and both kinds of traceback."""
    configure("json")
    ours, foreign = structlog.get_logger("ours"), logging.getLogger("uvicorn.access")
    long = "a" * 60_000 + "@example.org"
    ours.info("asked", path=long, more={long: [long]})
    foreign.info("GET %s", long)
    try:
        {"short": 1}[long]
    except KeyError:
        ours.exception("failed")
        foreign.exception("failed")
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 4
    assert all(len(line) < 10_000 for line in lines)
    assert all("[cut from 6" in line for line in lines)


@pytest.mark.usefixtures("_own_logging")
def test_a_long_traceback_keeps_both_ends(capsys: pytest.CaptureFixture[str]) -> None:
    """Where it began and what went wrong, which is in the last line."""
    configure("json")
    error = ValueError("to ada@example.org")
    for number in range(500):
        error.add_note(f"note {number} " + "x" * 100)
    error.add_note("the last note")
    structlog.get_logger("ours").error("failed", exc_info=error)
    told = json.loads(capsys.readouterr().err)["exception"]
    assert "ValueError: to a***@example.org" in told[:200]
    assert "characters]\nnote" in told
    assert told.endswith("the last note")
    assert len(told) < 31_000
