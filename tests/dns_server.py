"""A real DNS server on loopback, over UDP: what it knows is a table, and it counts what it is asked."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import cast

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

Records = Mapping[str, list[str] | str]
"""By domain: records such as `MX 10 mail.example.org.`, or `silent`, or `broken` (SERVFAIL). Others do not exist."""


class DnsServer(asyncio.DatagramProtocol):
    """`address` is what a setting would name it by."""

    def __init__(self, records: Records) -> None:
        self.records = dict(records)
        self.questions: list[str] = []
        self.address = ""

    @property
    def asked(self) -> Counter[str]:
        return Counter(self.questions)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)
        self.address = "{}:{}".format(*transport.get_extra_info("sockname"))

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        answer = self._answer(dns.message.from_wire(data))
        if answer is not None:
            self._transport.sendto(answer.to_wire(), address)

    def _answer(self, query: dns.message.Message) -> dns.message.Message | None:
        question = query.question[0]
        domain = question.name.to_text(omit_final_dot=True).lower()
        self.questions.append(f"{domain} {dns.rdatatype.to_text(question.rdtype)}")
        known = self.records.get(domain)
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        match known:
            case "silent":
                return None
            case "broken":
                answer.set_rcode(dns.rcode.SERVFAIL)
            case None:
                answer.set_rcode(dns.rcode.NXDOMAIN)
            case _:
                for record in known:
                    kind, _, data = record.partition(" ")
                    if kind == dns.rdatatype.to_text(question.rdtype):
                        answer.answer.append(dns.rrset.from_text(question.name, 300, "IN", kind, data))
        return answer


@asynccontextmanager
async def serving(records: Records) -> AsyncIterator[DnsServer]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(lambda: DnsServer(records), local_addr=("127.0.0.1", 0))
    try:
        yield server
    finally:
        transport.close()
