"""Parses one feed in a process of its own: the feed on standard input, what it holds as JSON on standard output.

    python -m app.stages.collect.parse_feed BASE-URL CONTENT-TYPE < feed.xml

A megabyte of opened tags keeps feedparser busy for minutes, and a thread cannot be ended. A process can; beside its
caller's patience it has limits of its own. It imports nothing of ours, so that it starts fast.
"""

import calendar
import codecs
import io
import json
import re
import sys
from contextlib import suppress
from email.message import Message
from typing import Any

MOST = 100
"""Entries of one feed, the newest of them."""
CPU_SECONDS, MEMORY = 20, 1_500_000_000
_DECLARED = re.compile(rb"\s*<\?xml[^<>]*?\sencoding\s*=\s*[\"']([A-Za-z0-9._-]{1,40})[\"']")
_NOT_OF_TEXT = ("unicode-escape", "raw-unicode-escape", "utf-7", "idna", "punycode")
_NEAREST = "nearest-letter"
_TITLE, _LINK, _TEXT, _NAME, _DATE = 2_000, 3_000, 6_000, 200, 100


def main() -> None:
    """Reads, parses, writes."""
    _limit()
    import feedparser  # noqa: PLC0415  # under the limits

    base, content_type = sys.argv[1:3]
    body, content_type, replaced = decoded(sys.stdin.buffer.read(), content_type)
    # Never as a byte string: feedparser would open one that looks like an address or a path.
    parsed = feedparser.parse(
        io.BytesIO(body),
        response_headers={"content-type": content_type, "content-location": base},
        sanitize_html=False,
        resolve_relative_uris=False,
    )
    entries = sorted(map(_entry, parsed.entries), key=lambda one: -(one["published"] or 0))
    answer = {
        "version": parsed.version or "",
        "trouble": _trouble(parsed),
        "replaced": replaced,
        "entries": entries[:MOST],
    }
    sys.stdout.write(json.dumps(answer))


def decoded(body: bytes, content_type: str) -> tuple[bytes, str, int]:
    """The feed, its type, and how many places in it were no characters, and are U+FFFD or the letter they most likely
    were.

    feedparser gives up a character set for a single byte that is not of it, and takes the whole feed for another. Here
    the set that was declared stays where most of the feed is of it; and what is UTF-8 without a fault is UTF-8,
    whatever single-byte set was declared. In all other cases the feed is left as it is for feedparser to look at.
    """
    if body.isascii() or body.startswith((codecs.BOM_UTF16_BE, codecs.BOM_UTF16_LE)) or b"\0" in body[:4]:
        return body, content_type, 0
    declared = _declared(body, content_type)
    if not all(map(_is_of_bytes, declared)):
        return body, content_type, 0
    if _decodes(body, "utf-8"):
        return _as_utf8(body.decode(), 0) if all(map(_is_single, declared)) else (body, content_type, 0)
    if any(_decodes(body, one) for one in declared if not _is_single(one)):
        return body, content_type, 0
    candidates = [one for one in declared if not _is_single(one)] if declared else ["utf-8"]
    for candidate in dict.fromkeys([*candidates, "utf-8"]):
        told = body.decode(candidate, "replace")
        # Placeholders that were in it already are no faults.
        bad = told.count("\ufffd") - (body.count(b"\xef\xbf\xbd") if candidate == "utf-8" else 0)
        good = sum(1 for sign in told if sign > "\x7f") - told.count("\ufffd")
        if good > bad or (good == bad and _is_utf8(candidate)):
            return _as_utf8(body.decode(candidate, _NEAREST) if _is_utf8(candidate) else told, bad)
    return body, content_type, 0


def _declared(body: bytes, content_type: str) -> list[str]:
    """The sets that HTTP, a byte order mark and the XML declaration name, as far as Python knows them."""
    message = Message()
    message["content-type"] = content_type
    said = [str(message.get_param("charset") or "")]
    if body.startswith(codecs.BOM_UTF8):
        said.append("utf-8")
    if found := _DECLARED.match(body.removeprefix(codecs.BOM_UTF8)):
        said.append(found[1].decode("ascii"))
    known = []
    for name in said:
        with suppress(LookupError, ValueError):
            known.append(codecs.lookup(name.strip(" \"'")).name)
    # gb18030 is what is written where gb2312 is declared, and us-ascii is no declaration of anything else.
    return [{"gb2312": "gb18030"}.get(one, one) for one in dict.fromkeys(known) if one != "ascii"]


def _is_of_bytes(name: str) -> bool:
    """Is it a set in which ASCII is ASCII, and no code of Python's own such as rot13?"""
    try:
        return b"<?xml".decode(name) == "<?xml" and name not in _NOT_OF_TEXT
    except (LookupError, ValueError):
        return False


def _is_single(name: str) -> bool:
    return name.startswith(("iso8859", "cp125", "koi8", "mac-", "latin", "tis", "cp437", "cp85", "cp86"))


def _is_utf8(name: str) -> bool:
    return name in ("utf-8", "utf-8-sig")


def _decodes(body: bytes, name: str) -> bool:
    try:
        body.decode(name)
    except ValueError:
        return False
    return True


def _as_utf8(text: str, replaced: int) -> tuple[bytes, str, int]:
    return text.encode("utf-8", "replace"), "application/xml; charset=utf-8", replaced


def _nearest(error: UnicodeError) -> tuple[str, int]:
    """One byte that is no UTF-8 is a letter of Windows-1252 as a rule; half a character is not known."""
    assert isinstance(error, UnicodeDecodeError)
    wrong = error.object[error.start : error.end]
    alone = len(wrong) == 1 and wrong not in (b"\xc2", b"\xc3")
    return wrong.decode("cp1252", "replace") if alone else "\ufffd", error.end


codecs.register_error(_NEAREST, _nearest)


def _trouble(parsed: Any) -> str:
    """What is malformed; a server that names the wrong type or character set is too common to be told."""
    error = parsed.get("bozo_exception")
    harmless = type(error).__name__ in ("CharacterEncodingOverride", "NonXMLContentType")
    return "" if not parsed.bozo or harmless else str(error)[:200]


def _limit() -> None:
    with suppress(ImportError, ValueError, OSError):
        import resource  # noqa: PLC0415  # not on every system

        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _entry(entry: Any) -> dict[str, Any]:
    names = [str(one.get("name", ""))[:_NAME] for one in entry.get("authors", ()) if one.get("name")]
    return {
        "id": str(entry.get("id", ""))[:_LINK],
        "link": str(entry.get("link", ""))[:_LINK],
        "title": str(entry.get("title", ""))[:_TITLE],
        "html": entry.get("title_detail", {}).get("type", "") != "text/plain",
        "summary": str(entry.get("summary", ""))[:_TEXT],
        "authors": names[:3],
        "others": max(0, len(names) - 3),
        "published": _seconds(entry),
        "date": _date(entry),
    }


def _seconds(entry: Any) -> int | None:
    """Since 1970, in UTC."""
    for name in ("published_parsed", "updated_parsed"):
        when = dict.get(entry, name)  # feedparser's own lookup gives another date's value, with a warning
        with suppress(ValueError, OverflowError, TypeError):
            if when is not None and when.tm_year > 1970:
                return calendar.timegm(when)
    for name in ("published", "updated"):
        said = str(dict.get(entry, name) or "").strip()
        # Seconds or milliseconds since 1970, from 2001 to 2286.
        if said.isascii() and said.isdigit() and len(said) in (10, 13):
            return int(said[:10])
    return None


def _date(entry: Any) -> str:
    """The first of its dates as it is written."""
    said = (str(dict.get(entry, name) or "").strip() for name in ("published", "updated"))
    return next(filter(None, said), "")[:_DATE]


if __name__ == "__main__":
    main()
