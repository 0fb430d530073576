"""Whom we believe to be who they say they are."""

import ssl
from functools import lru_cache

import httpx
import structlog

log = structlog.get_logger(__name__)


@lru_cache(maxsize=1)
def trusted() -> ssl.SSLContext:
    """httpx's own certificates, and those this machine trusts, such as a proxy's. Made once: it takes a while."""
    context = httpx.create_ssl_context()
    context.load_default_certs()
    return context


def ready() -> None:
    """Does at start what the first call would make everybody wait for, a tenth of a second or two: the certificates are
    read, and what httpx imports late is here. Where they cannot be read the calls will say so.
    """
    try:
        httpx.AsyncHTTPTransport(verify=trusted())
    except OSError as error:  # SSLError is one
        log.warning("the certificates cannot be read; nothing can be fetched by https", why=str(error))
