"""Links that lead nowhere for a reader: into somebody's own network, to an example, to nothing. Nothing is fetched."""

import re
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from app.core.net.guard import may_reach
from app.stages.render.lint.problem import Problem, error, warning
from app.stages.render.lint.proof import Proof, said, short

RULE = "link"
_PRIVATE = re.compile(
    r"(^|\.)(localhost|local|localdomain|internal|intranet|lan|corp|home|private|home\.arpa)\.?$", re.IGNORECASE
)
_RESERVED = re.compile(r"(^|\.)(example\.(com|net|org)|example|test|invalid)\.?$", re.IGNORECASE)
"""Names that nobody owns (RFC 2606, RFC 6761)."""


def links(proof: Proof) -> Iterator[Problem]:
    """Each address once, at the first link that has it."""
    seen: set[str] = set()
    told = {piece.url for piece in proof.content.pieces}
    for element in proof.tree.iter("a"):
        url = element.get("href")
        where = f"link “{short(said(element)) or 'without words'}”"
        if url is None or not url.strip() or url.strip() == "#":
            yield error(RULE, where, "It leads nowhere.")
        elif url not in seen:
            seen.add(url)
            yield from _judged(proof, where, url, own=url in told)


def outgoing(proof: Proof) -> list[str]:
    """Every web address of the mail but those of the paper's own site, in order, each once."""
    urls = [element.get("href", "") for element in proof.tree.iter("a")]
    return list(dict.fromkeys(url for url in urls if url.startswith(("http://", "https://")) and not _own(proof, url)))


def _judged(proof: Proof, where: str, url: str, *, own: bool) -> Iterator[Problem]:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        yield error(RULE, where, f"{short(url)} is not an address.")
        return
    if parts.scheme == "mailto" or _own(proof, url):
        return
    if parts.scheme not in ("http", "https") or not host:
        yield error(RULE, where, f"{short(url)} is not an address on the web.")
    elif parts.username is not None or parts.password is not None:
        yield error(RULE, where, f"The address at {host} holds a name or a password.")
    elif _is_private(host):
        yield error(RULE, where, f"{short(url)} lies in a private network, where readers cannot go.")
    elif _RESERVED.search(host):
        # In a body it may be meant, as in an article on web addresses; a story's own link never is.
        grave = own and proof.publication.production
        yield (error if grave else warning)(RULE, where, f"{host} is a name kept for examples.")


def _own(proof: Proof, url: str) -> bool:
    home = proof.publication.public_url
    return url == home or url.startswith((home + "/", home + "?", home + "#"))


def _is_private(host: str) -> bool:
    try:
        return not may_reach(ip_address(host))
    except ValueError:
        # A name without a dot is looked up in the reader's own network; 127.1 and 0x7f000001 are addresses to some.
        return "." not in host.rstrip(".") or bool(_PRIVATE.search(host)) or bool(re.fullmatch(r"[0-9x.]+", host))
