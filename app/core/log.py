"""Structured logs: JSON lines in production, coloured lines on a terminal; addresses and tokens are masked."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

# Wider than RFC 5321 on purpose: letters of any script, and whatever stands before the @. Masking too much is cheap.
_ADDRESS = re.compile(r"""("[^"@]*"|[^\s@<>"(),:;\[\]\\])[^\s@<>"(),:;\[\]\\]*@(?=[\w\[])""")
_QUOTED_ADDRESS = re.compile(r"[^\s@/?&=]+%40(?=\w)", re.IGNORECASE)
_TOKEN_PATH = re.compile(
    r"(/(?:confirm|unsubscribe|preferences|download|erase|move|new-address|old-address)/)[A-Za-z0-9_-]+"
)
_BEARER = re.compile(r"\b(Bearer\s+)[^\s'\"]+", re.IGNORECASE)
_KEY = re.compile(r"\b(mp_|re_|hf_|ghp_|github_pat_)[A-Za-z0-9_.-]+")
_URL_PASSWORD = re.compile(r"(://)[^/@\s]+@")


def mask(text: str) -> str:
    """`text` with addresses, link tokens, API keys and passwords in URLs made unreadable."""
    text = _URL_PASSWORD.sub(r"\1***@", text)
    text = _TOKEN_PATH.sub(r"\1***", text)
    text = _BEARER.sub(r"\1***", text)
    text = _KEY.sub(r"\1***", text)
    text = _QUOTED_ADDRESS.sub("***%40", text)
    return _ADDRESS.sub(_mask_local_part, text)


def _mask_local_part(match: re.Match[str]) -> str:
    first = match[1][0]
    return f"{first if first.isalnum() else ''}***@"


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
        event["exception"] = mask(text)
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
