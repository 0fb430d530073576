"""The kinds of setting: how each is written in the environment, and the sentence that a wrong one gets.

Each function takes what was written and gives the value, or raises ValueError.
"""

import re
from datetime import time, timedelta
from ipaddress import ip_address, ip_network
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

from app.core.calendar import zone_named
from app.core.mail import named_address, rates
from app.core.text import is_clean

_DURATION = re.compile(r"(\d{1,6})\s*([hm])", re.IGNORECASE)
_HOST = r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*"
_DOMAIN = r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"


def host_and_port(server: str, default: int = 53) -> tuple[str, int]:
    """The address and port of `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:5353`.

    Raises ValueError.
    """
    host, colon, port = server.rpartition(":")
    if not colon or (":" in host and not host.endswith("]")):
        host, port = server, str(default)
    if not 1 <= int(port) <= 65_535:
        raise ValueError(f"{port} is no port")
    return str(ip_address(host.removeprefix("[").removesuffix("]"))), int(port)


def _split(value: Any) -> Any:
    return tuple(value.split()) if isinstance(value, str) else value


def _duration(value: Any) -> Any:
    if isinstance(value, str) and (match := _DURATION.fullmatch(value.strip())):
        return timedelta(**{"hours" if match[2].lower() == "h" else "minutes": int(match[1])})
    if isinstance(value, str):
        raise ValueError("write a duration as 12h or 90m")
    return value


def _sane_duration(value: timedelta) -> timedelta:
    if not timedelta(minutes=1) <= value <= timedelta(hours=24):
        raise ValueError("must lie between 1m and 24h")
    return value


def _known_zone(value: str) -> str:
    if zone_named(value) is None:
        raise ValueError(f"{value!r} is not an IANA time zone such as Europe/London")
    return value


def _whole_minute(value: time) -> time:
    if value.second or value.microsecond or value.tzinfo:
        raise ValueError("write a time of day as HH:MM; the zone is TIMEZONE")
    return value


def _web_address(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", value):
        raise ValueError("must be a web address such as https://post.example.org, without query or fragment")
    return value.rstrip("/")


def _mailbox(value: str) -> str:
    if value and not re.fullmatch(r"[^@\s]+@" + _HOST, named_address.parse(value)[1]):
        raise ValueError("must be a mailbox such as The AI Morning Post <post@example.org>")
    if not is_clean(value):
        raise ValueError("must not contain control characters")
    return value


def _printable(value: str) -> str:
    if not is_clean(value):
        raise ValueError("must be one line without control characters")
    return value


def _server(value: str) -> str:
    if value:
        try:
            host_and_port(value)
        except ValueError:
            raise ValueError("must be an IP address, or one with a port, such as 192.0.2.1:5353") from None
    return value


def _return_path_domain(value: str) -> str:
    if value and not (len(value) <= 190 and re.fullmatch(_DOMAIN, value)):
        raise ValueError("must be a domain such as bounces.example.org, at most 190 characters")
    return value.lower()


def _list_id(value: str) -> str:
    if value and not re.fullmatch(_DOMAIN, value):
        raise ValueError("must look like a host name, such as daily.post.example.org (RFC 2919)")
    return value


def _networks(value: tuple[str, ...]) -> tuple[str, ...]:
    for text in value:
        try:
            ip_network(text)
        except ValueError:
            raise ValueError(f"{text!r} is neither an address nor a network such as 10.0.0.0/8") from None
    return value


def _addresses(value: tuple[str, ...]) -> tuple[str, ...]:
    for text in value:
        if len(text) > 254 or not text.isascii() or not re.fullmatch(r"[^@\s]+@" + _HOST, text):
            raise ValueError(f"{text!r} is not an address such as editor@example.org")
    return value


def _domains(value: tuple[str, ...]) -> tuple[str, ...]:
    for text in value:
        if not re.fullmatch(_HOST, text):
            raise ValueError(f"{text!r} is not a domain such as example.org; write others than a-z as xn--")
    return tuple(text.lower() for text in value)


def _rates(value: tuple[str, ...]) -> tuple[str, ...]:
    rates.parse(value)
    return value


Line = Annotated[str, AfterValidator(_printable)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
"""Without a slash at its end."""
Mailbox = Annotated[str, AfterValidator(_mailbox)]
ListId = Annotated[str, AfterValidator(_list_id)]
ReturnPathDomain = Annotated[str, AfterValidator(_return_path_domain)]
ServerAddress = Annotated[str, AfterValidator(_server)]
ZoneName = Annotated[str, AfterValidator(_known_zone)]
MinuteOfDay = Annotated[time, AfterValidator(_whole_minute)]
Duration = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_sane_duration)]

Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
"""Separated by spaces, as all that follow."""
Networks = Annotated[Words, AfterValidator(_networks)]
Addresses = Annotated[Words, AfterValidator(_addresses)]
Domains = Annotated[Words, AfterValidator(_domains)]
Rates = Annotated[Words, AfterValidator(_rates)]
