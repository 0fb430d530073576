"""Does a domain take mail? Asked of DNS before a confirmation is handed over, and never while a page is waited for.

RFC 5321 section 5.1: its MX records say so, and where there are none its own A or AAAA; RFC 7505: a single MX of "."
says that it takes none. DNS that does not answer says nothing, and so costs nobody their mail.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Iterable
from enum import Enum

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


class Exchangers:
    """Asks about domains, and remembers the answers: at most an hour, and as long as DNS allows. Of one process."""

    def __init__(self, resolver: dns.asyncresolver.Resolver) -> None:
        self._resolver = resolver
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._known: OrderedDict[str, tuple[Verdict, float]] = OrderedDict()

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
                    self._remember(domain, Verdict.UNANSWERED, until)

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
            verdict, lasts = await self._ask(domain)
        self._remember(domain, verdict, time.monotonic() + min(max(lasts, _SHORTEST), _LONGEST))
        return verdict

    async def group(self, domain: str) -> str | None:
        """The group of the company whose servers take a domain's mail; None where DNS does not answer."""
        async with self._gate:
            try:
                found = await self._records(dns.name.from_text(domain), dns.rdatatype.MX)
            except dns.resolver.NXDOMAIN:
                return OTHER
            except (dns.exception.DNSException, OSError):
                return None
        return group_of_exchangers(str(record.exchange) for record in found or ())

    def _remembered(self, domain: str) -> Verdict | None:
        verdict, until = self._known.get(domain, (None, 0.0))
        return verdict if time.monotonic() < until else None

    def _remember(self, domain: str, verdict: Verdict, until: float) -> None:
        self._known[domain] = (verdict, until)
        self._known.move_to_end(domain)
        while len(self._known) > _DOMAINS:
            self._known.popitem(last=False)

    async def _ask(self, domain: str) -> tuple[Verdict, float]:
        """The verdict, and for how many seconds it holds."""
        try:
            name = dns.name.from_text(domain)
            found = await self._records(name, dns.rdatatype.MX)
            if found is not None:
                null = [record.exchange for record in found] == [dns.name.root]
                return Verdict.NULL_MX if null else Verdict.TAKES, float(found.chaining_result.minimum_ttl)
            for kind in (dns.rdatatype.A, dns.rdatatype.AAAA):
                found = await self._records(name, kind)
                if found is not None:
                    return Verdict.TAKES, float(found.chaining_result.minimum_ttl)
        except dns.resolver.NXDOMAIN:
            return Verdict.NO_DOMAIN, _REFUSED_FOR
        except (dns.exception.DNSException, OSError):
            return Verdict.UNANSWERED, _SHORTEST
        return Verdict.NO_HOST, _REFUSED_FOR

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


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()
