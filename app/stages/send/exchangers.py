"""Does a domain take mail? Asked of DNS before a confirmation is handed over, and never while a page is waited for.

RFC 5321 section 5.1: its MX records say so, and where there are none its own A or AAAA; RFC 7505: a single MX of "."
says that it takes none. DNS that does not answer says nothing, and so costs nobody their mail.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterable
from enum import Enum
from typing import Any, NamedTuple

import dns.asyncresolver
import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver

from app.core.errors import ConfigurationError
from app.core.mail.mailboxes import OTHER, group_of_exchangers
from app.core.mail.receipt import Fault, Rejected
from app.core.setting_types import host_and_port

ASK_WITHIN = 2.0
"""Seconds for one question, over all servers that may be asked."""
PREPARE_WITHIN = 5.0
AT_ONCE = 20
_SHORTEST, _LONGEST = 60.0, 3600.0
_REFUSED_FOR = 600.0
_DOMAINS = 10_000


class Verdict(Enum):
    """What DNS says of a domain; the code that the ledger keeps where it takes no mail."""

    TAKES = "takes"
    UNANSWERED = "unanswered"
    NULL_MX = "null-mx"
    NO_DOMAIN = "no-domain"
    NO_HOST = "no-host"


_WHY = {
    Verdict.NULL_MX: "{} says in DNS that it takes no mail (RFC 7505)",
    Verdict.NO_DOMAIN: "there is no domain {}",
    Verdict.NO_HOST: "{} has neither a mail server nor an address in DNS (RFC 5321 section 5.1)",
}
"""Of the verdicts that keep a mail back."""


class Answer(NamedTuple):
    """What is remembered of a domain."""

    verdict: Verdict
    group: str = OTHER
    """Of the company whose servers take its mail."""


class Exchangers:
    """Asks about domains, and remembers the answers: at most an hour, and as long as DNS allows. Of one process."""

    def __init__(self, resolver: dns.asyncresolver.Resolver) -> None:
        self._resolver = resolver
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._known: OrderedDict[str, tuple[Answer, float]] = OrderedDict()

    async def prepare(self, addresses: Iterable[str]) -> None:
        """Asks about all their domains at once, for a few seconds at most; what is late by then is asked again."""
        domains = {_domain(address) for address in addresses}
        try:
            async with asyncio.timeout(PREPARE_WITHIN):
                await asyncio.gather(*(self.verdict(domain) for domain in domains))
        except TimeoutError:
            until = time.monotonic() + _SHORTEST
            for domain in domains:
                if self._remembered(domain) is None:
                    self._remember(domain, Answer(Verdict.UNANSWERED), until)

    async def refusal(self, address: str) -> Rejected | None:
        """Why nothing is handed over for this address, where its domain takes no mail."""
        domain = _domain(address)
        verdict = await self.verdict(domain)
        why = _WHY.get(verdict)
        return Rejected(why.format(domain), Fault.ADDRESS, verdict.value) if why else None

    async def verdict(self, domain: str) -> Verdict:
        """What DNS says of a domain in A-labels, or said lately."""
        known = self._remembered(domain)
        if known is not None:
            return known
        async with self._gate:
            answer, lasts = await self._ask(domain)
        self._remember(domain, answer, time.monotonic() + min(max(lasts, _SHORTEST), _LONGEST))
        return answer.verdict

    def keeper(self, domain: str) -> str:
        """The group of the company that keeps a domain's mail, by the answer to the last `verdict`; asks nothing."""
        return self._known[domain][0].group if domain in self._known else OTHER

    async def group(self, domain: str) -> str | None:
        """The group of the company whose servers take a domain's mail; None where DNS does not answer."""
        async with self._gate:
            try:
                found = await self._records(dns.name.from_text(domain), dns.rdatatype.MX)
            except dns.resolver.NXDOMAIN:
                return OTHER
            except (dns.exception.DNSException, OSError):
                return None
        return _group_of(found or ())

    def _remembered(self, domain: str) -> Verdict | None:
        answer, until = self._known.get(domain, (None, 0.0))
        return answer.verdict if answer and time.monotonic() < until else None

    def _remember(self, domain: str, answer: Answer, until: float) -> None:
        self._known[domain] = (answer, until)
        self._known.move_to_end(domain)
        while len(self._known) > _DOMAINS:
            self._known.popitem(last=False)

    async def _ask(self, domain: str) -> tuple[Answer, float]:
        """The answer, and for how many seconds it holds."""
        try:
            name = dns.name.from_text(domain)
            found = await self._records(name, dns.rdatatype.MX)
            if found is not None:
                lasts = float(found.chaining_result.minimum_ttl)
                if [record.exchange for record in found] == [dns.name.root]:
                    return Answer(Verdict.NULL_MX), lasts
                return Answer(Verdict.TAKES, _group_of(found)), lasts
            for kind in (dns.rdatatype.A, dns.rdatatype.AAAA):
                found = await self._records(name, kind)
                if found is not None:
                    return Answer(Verdict.TAKES), float(found.chaining_result.minimum_ttl)
        except dns.resolver.NXDOMAIN:
            return Answer(Verdict.NO_DOMAIN), _REFUSED_FOR
        except (dns.exception.DNSException, OSError):
            return Answer(Verdict.UNANSWERED), _SHORTEST
        return Answer(Verdict.NO_HOST), _REFUSED_FOR

    async def _records(self, name: dns.name.Name, kind: dns.rdatatype.RdataType) -> dns.resolver.Answer | None:
        try:
            return await self._resolver.resolve(name, kind, search=False, lifetime=ASK_WITHIN)
        except dns.resolver.NoAnswer:
            return None


def build(server: str) -> Exchangers:
    """Asks `server`, an address or address:port; empty: the machine's own resolver. Raises ConfigurationError."""
    try:
        resolver = dns.asyncresolver.Resolver(configure=not server)
    except dns.resolver.NoResolverConfiguration as error:
        raise ConfigurationError(
            "MORNINGPOST_CHECK_MX is on and this machine names no DNS server; set MORNINGPOST_RESOLVER"
        ) from error
    if server:
        host, port = host_and_port(server)
        resolver.nameservers, resolver.port = [host], port
    resolver.timeout = ASK_WITHIN / 2
    return Exchangers(resolver)


def _group_of(records: Iterable[Any]) -> str:
    """Of MX records."""
    return group_of_exchangers(str(record.exchange) for record in records)


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()
