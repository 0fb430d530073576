"""One address for one thing, whoever links it and whatever was hung on the link. Pure.

It is a key to tell things apart by, never a link to follow: a few sites answer only at the address as it was given.
"""

import re
import unicodedata
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from app.core.text import is_printable_ascii

LONGEST = 1000
_TRACKING = frozenset([
    "fbclid", "gclid", "dclid", "gbraid", "wbraid", "msclkid", "yclid", "twclid", "igshid", "mc_cid", "mc_eid",
    "mkt_tok", "spm", "cmpid", "cmp", "ocid", "smid", "ref", "ref_src", "ref_url", "referrer", "_hsenc", "_hsmi",
    "_ga", "_gl", "vero_id", "sh", "trk", "wt_mc", "rss", "guccounter",
])  # fmt: skip
"""Parameters that say where a reader came from. `utm_…` go too; `source` only at Medium, where it means that."""
_AROUND = "".join(map(chr, range(0x21))) + "\x7f\x85\xa0\u3000\ufeff"
_BROKEN_LINES = str.maketrans("", "", "\t\n\r")
_ENCODED = frozenset(' "<>`')
_PATH_SAFE = "~!$&'()*+,;=:@-._"
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)+")
_ARXIV = re.compile(r"/(?:abs|pdf|html|format)/(\d{4}\.\d{4,5}|[a-z-]+(?:\.[A-Z]{2})?/\d{7})(?:v\d+)?(?:\.pdf)?")
_ARXIV_DOI = re.compile(r"/10\.48550/arxiv\.(\d{4}\.\d{4,5})(?:v\d+)?", re.IGNORECASE)
_PAPER = re.compile(r"/(?:papers|abs|overview)/(\d{4}\.\d{4,5})(?:v\d+)?")
_REPOSITORY = re.compile(r"/([\w-]+)/([\w.-]+?)(?:\.git)?(?:/tree/[\w.-]+|/blob/[\w.-]+/readme\.md)?", re.IGNORECASE)
_A_REPOSITORY = re.compile(r"https://github\.com/[^/?]+/[^/?]+")
_NO_OWNERS = frozenset({"orgs", "topics", "features", "sponsors", "collections", "trending", "about", "marketplace"})


def canonical(url: str) -> str | None:
    """The key of a web address in ASCII, at most 1,000 characters; None where it is not a public web address.

    Host without `www.`, in lower case and ASCII; no scheme but https, fragment, default port, tracking parameter or
    slash at the end; parameters in order; percent-encoding in one form (RFC 3986 section 6.2.2). A paper is its arXiv
    page without version wherever it is mirrored, a repository its first page. Applied twice it changes nothing.
    """
    try:
        parts = urlsplit(url.strip())
        host, port = _host(parts.hostname or ""), parts.port
    except ValueError:
        return None
    # A name before the host is there to look like another host.
    if parts.scheme.lower() not in ("http", "https") or host is None or "@" in parts.netloc:
        return None
    path = _path(parts.path)
    known = _same_thing(host, path)
    if known is not None:
        return known
    authority = host if port in (None, 80, 443) else f"{host}:{port}"
    query = _query(parts.query, host)
    made = f"https://{authority}{path}" + (f"?{query}" if query else "")
    return made if len(made) <= LONGEST else None


def as_browsers_read(url: str) -> str:
    """A web address as a browser reads one that is written in a page: without tabs and line ends, what is around it,
    and with a blank as %20 (WHATWG URL, sections 4.4 and 1.3). Letters of all scripts stay as they are.
    """
    kept = url.strip(_AROUND).translate(_BROKEN_LINES)
    if is_printable_ascii(kept) and not _ENCODED & set(kept):
        return kept
    return "".join(quote(sign, safe="", errors="replace") if _is_encoded(sign) else sign for sign in kept)


def web_address(url: str, longest: int) -> str:
    """A web address that somebody gives, as browsers read it. Raises ValueError that says what is wrong with it."""
    read = as_browsers_read(url)
    try:
        parts = urlsplit(read)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError("is not a web address") from None
    if parts.scheme not in ("http", "https") or not host or "%" in host:
        raise ValueError("must be a web address that begins with https:// or http://")
    if len(read) > longest:  # what is encoded is three characters or more
        raise ValueError(f"must be at most {longest} characters long")
    return read


def _is_encoded(sign: str) -> bool:
    return sign in _ENCODED or unicodedata.category(sign)[0] in "CZ"  # controls, marks of format, blanks


def names_one_thing(key: str) -> bool:
    """Whether a canonical address is that of a paper or a repository: two of those that differ are two things."""
    return key.startswith("https://arxiv.org/abs/") or _A_REPOSITORY.fullmatch(key) is not None


def site_of(url: str) -> str:
    """The host as a reader knows it, without `www.`; empty where there is none."""
    try:
        return _host(urlsplit(url.strip()).hostname or "") or ""
    except ValueError:
        return ""


def _host(name: str) -> str | None:
    try:
        ascii_name = name.rstrip(".").lower().encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    while ascii_name.startswith("www.") and ascii_name.count(".") > 1:
        ascii_name = ascii_name.removeprefix("www.")
    return ascii_name if _HOST.fullmatch(ascii_name) else None


def _path(path: str) -> str:
    kept: list[str] = []
    for part in map(_one_form, path.split("/")):
        if part == "..":
            kept[-1:] = []
        elif part not in ("", "."):
            kept.append(part)
    return "".join("/" + part for part in kept)


def _one_form(part: str) -> str:
    """Decoded and encoded again, so that %7E and ~ are one; a slash that was encoded stays so."""
    return "%2F".join(quote(unquote(piece), safe=_PATH_SAFE) for piece in re.split("%2f", part, flags=re.IGNORECASE))


def _query(query: str, host: str) -> str:
    kept = [
        (name, value) for name, value in parse_qsl(query, keep_blank_values=True) if not _tracks(name.lower(), host)
    ]
    return urlencode(sorted(kept))


def _tracks(name: str, host: str) -> bool:
    at_medium = host == "medium.com" or host.endswith(".medium.com")
    return name.startswith("utm_") or name in _TRACKING or (name in ("source", "sk", "gi") and at_medium)


def _same_thing(host: str, path: str) -> str | None:
    """The one address of a paper or a repository; None for everything else."""
    paper = None
    match host:
        case "arxiv.org" | "export.arxiv.org" | "ar5iv.org" | "ar5iv.labs.arxiv.org":
            paper = _ARXIV.fullmatch(path)
        case "doi.org" | "dx.doi.org":
            paper = _ARXIV_DOI.fullmatch(path)
        case "huggingface.co" | "hf.co" | "alphaxiv.org":
            paper = _PAPER.fullmatch(path)
        case "github.com":
            repository = _REPOSITORY.fullmatch(path)
            if repository and repository[1].lower() not in _NO_OWNERS:
                return f"https://github.com/{repository[1]}/{repository[2]}".lower()
    return f"https://arxiv.org/abs/{paper[1]}" if paper else None
