"""Why a host could not be reached, in words a person understands. Pure."""

import socket
import ssl
from collections.abc import Iterator

import httpx

_SYSTEM: tuple[tuple[type[BaseException], str], ...] = (
    (socket.gaierror, "its host name was not found"),
    (ssl.SSLCertVerificationError, "its certificate was not accepted"),
    (ssl.SSLError, "no secure connection could be made"),
    (ConnectionRefusedError, "connection refused"),
    (ConnectionResetError, "it closed the connection"),
)
_HTTP: tuple[tuple[type[BaseException], str], ...] = (
    (httpx.TimeoutException, "it did not answer in time"),
    (httpx.TooManyRedirects, "it sent us round in circles"),
    (httpx.RemoteProtocolError, "it broke off its answer"),
    (httpx.DecodingError, "its answer could not be unpacked"),
    (httpx.UnsupportedProtocol, "its address is not one we can ask"),
    (httpx.InvalidURL, "its address is not one we can ask"),
)


def reason(error: BaseException) -> str:
    """A clause such as "connection refused": the innermost cause that says something."""
    causes = list(_causes(error))
    for cause in reversed(causes):
        for kind, said in _SYSTEM:
            if isinstance(cause, kind):
                return said
    for kind, said in _HTTP:
        if isinstance(error, kind):
            return said
    told = [cause.strerror for cause in causes if isinstance(cause, OSError) and cause.strerror]
    return told[-1][:1].lower() + told[-1][1:] if told else str(error) or type(error).__name__


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and all that led to it, outermost first."""
    yield error
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from _causes(one)
    cause = error.__cause__ or error.__context__
    if cause is not None:
        yield from _causes(cause)
