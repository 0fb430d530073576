"""Structured logs: JSON lines in production, coloured lines on a terminal; addresses and tokens are masked."""

import logging
import re
import sys
from collections.abc import Callable, MutableMapping
from typing import Any, Literal

import structlog

# Read backwards from an @, or from %40: each character of a text is looked at once, whatever the text is. Wider than
# RFC 5321 on purpose: letters of any script, and whatever stands before the @. Masking too much is cheap.
_LOCAL_PART = re.compile(r"""[^\s@<>"(),:;\[\]\\]*""")
_QUOTED_LOCAL_PART = re.compile(r"[^\s@/?&=]*")
_TOKEN_PATH = re.compile(
    r"(/(?:confirm|unsubscribe|preferences|download|erase|move|new-address|old-address)/)[A-Za-z0-9_-]+"
)
_BEARER = re.compile(r"\b(Bearer\s+)[^\s'\"]+", re.IGNORECASE)
_KEY = re.compile(r"\b(mp_|re_|hf_|ghp_|github_pat_)[A-Za-z0-9_.-]+")
_URL_PASSWORD = re.compile(r"(://)[^/@\s]+@")
_LONGEST_QUOTED = 400
"""More than an address can have (RFC 3696 erratum 1690: 254), quoted as in a URL."""
LONGEST, LONGEST_TRACEBACK = 4_000, 30_000
"""Characters of a value that are logged. Strangers choose some of them: a path, a header, a server's answer."""


def mask(text: str, longest: int = LONGEST) -> str:
    """`text` with addresses, link tokens, API keys and passwords in URLs made unreadable. Takes time linear in it.

    Past `longest` characters it is cut, before anything else.
    """
    text = _cut(text, longest)
    text = _URL_PASSWORD.sub(r"\1***@", text)
    text = _TOKEN_PATH.sub(r"\1***", text)
    text = _BEARER.sub(r"\1***", text)
    text = _KEY.sub(r"\1***", text)
    text = _mask_before(text, "%40", _quoted_local_part)
    return _mask_before(text, "@", _local_part)


def _cut(text: str, longest: int) -> str:
    """The first `longest` characters, back to the last blank or slash before the cut: half an address, password or
    token would not be recognised. Nor would an address whose quoted local part is still open there.
    """
    if len(text) <= longest:
        return text
    kept = text[:longest]
    kept = kept[: max(kept.rfind(sign) + 1 for sign in (" ", "\n", "\t", "/"))]
    if kept.count('"') % 2 and len(kept) - (quote := kept.rfind('"')) <= _LONGEST_QUOTED:
        kept = kept[:quote]
    return f"{kept}[cut from {len(text)} characters]"


def _masked_traceback(text: str) -> str:
    """Both ends of one that is very long: where it began, and the error itself."""
    if len(text) <= LONGEST_TRACEBACK:
        return mask(text, LONGEST_TRACEBACK)
    half = LONGEST_TRACEBACK // 2
    _, _, lines = text[-half:].partition("\n")
    return f"{mask(text, half)}\n{mask(lines, half)}"


def _mask_before(text: str, sign: str, masked: Callable[[str], str]) -> str:
    """Masks what stands before each `sign` that a letter, a digit or a bracket follows."""
    pieces = text.split(sign)
    for index, following in enumerate(pieces[1:]):
        if following[:1].isalnum() or following[:1] in ("_", "["):
            pieces[index] = masked(pieces[index])
    return sign.join(pieces)


def _local_part(before: str) -> str:
    tail = _run(_LOCAL_PART, before)
    start = len(before) - tail
    if before[:start].endswith('"') and (quote := before.rfind('"', 0, start - 1)) >= 0:
        return f"{before[:quote]}***"
    if not tail:
        return before
    first = before[start]
    return f"{before[:start]}{first if first.isalnum() else ''}***"


def _quoted_local_part(before: str) -> str:
    tail = _run(_QUOTED_LOCAL_PART, before)
    return f"{before[: len(before) - tail]}***" if tail else before


def _run(characters: re.Pattern[str], text: str) -> int:
    """With how many of some characters a text ends."""
    found = characters.match(text[::-1])
    return len(found[0]) if found else 0


def _masked(value: Any) -> Any:
    match value:
        case str():
            return mask(value)
        case dict():
            return {_masked(key): _masked(item) for key, item in value.items()}
        case list() | tuple():
            return [_masked(item) for item in value]
        case None | bool() | int() | float():
            return value
        case _:
            return mask(str(value))


def _mask_event(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if key not in ("timestamp", "level", "exc_info"):
            event[key] = _masked(value)
    return event


def _mask_rendered(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    if isinstance(text := event.get("exception"), str):
        event["exception"] = _masked_traceback(text)
    return event


class _MaskFilter(logging.Filter):
    """Masks the arguments of foreign loggers, whose access lines hold the whole path."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not isinstance(record.msg, dict):  # a dict is an event of our own, masked already
            record.msg, record.args = mask(record.getMessage()), None
        return True


def configure(form: Literal["json", "console"], level: str = "INFO") -> None:
    """Sets up structlog and the standard library's logging on standard error, once per process."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _mask_event,
        structlog.processors.format_exc_info,
        _mask_rendered,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_MaskFilter())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    # A tick that is still at work is asked again every second; that it was skipped is no news.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    for noisy in ("httpx", "httpcore", "aiosqlite", "CSSUTILS", "cssutils"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
