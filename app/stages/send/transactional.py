"""Service mail: confirmations, welcomes and the like, one stream, ahead of any edition."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from app.core.db import Session
from app.core.mail.mailboxes import OTHER, group_of
from app.core.mail.receipt import Accepted, Rejected, Standstill
from app.core.mail.return_path import ReturnPaths
from app.core.signing import Signer
from app.models import TransactionalEmail
from app.stages.send import standstill
from app.stages.send.exchangers import Exchangers
from app.stages.send.ledger import Settled
from app.stages.send.shares import Shares
from app.stages.send.stream import Rendered, Stream
from app.store import mail_domains, transactional
from app.store.streams import Mails
from app.store.transactional import Begun

Render = Callable[[Begun], Rendered]
"""Makes the mail of a row; rendering's work, handed in by the jobs."""


@dataclass(frozen=True, slots=True)
class DomainCheck:
    """Before mail of these kinds is handed over, DNS is asked whether the domain takes any."""

    exchangers: Exchangers
    kinds: Collection[str]

    async def refusal(self, row: Begun, group: Sequence[Begun]) -> Rejected | None:
        """Why nothing is handed over. Asks for the row's whole group at once, so that it waits together."""
        if row.kind not in self.kinds:
            return None
        await self.exchangers.prepare(one.address for one in group if one.kind in self.kinds)
        return await self.exchangers.refusal(row.address)

    def keepers(self, rows: Iterable[Begun]) -> dict[str, str]:
        """Of the domains that were asked about and whose mail a large mailbox provider keeps: its group."""
        domains = {mail_domains.domain_of(row.address.casefold()) for row in rows if row.kind in self.kinds}
        found = {one: self.exchangers.keeper(one) for one in domains if group_of(one) == OTHER}
        return {domain: group for domain, group in found.items() if group != OTHER}


@dataclass(kw_only=True)
class Post(Stream[Begun]):
    """The stream of service mail. `check` is asked where DNS may be; `shares` are told what mailbox providers got."""

    job: ClassVar[str] = "transactional"
    mails: ClassVar[Mails] = TransactionalEmail

    render: Render
    signer: Signer
    check: DomainCheck | None = None
    shares: Shares | None = None
    _group: Sequence[Begun] = ()
    """The rows that were begun last."""

    async def choose(self, session: Session, most: int, now: datetime) -> Sequence[Begun]:
        self._group = await transactional.begin(session, provider=self.way.name, epoch=self.epoch, most=most, now=now)
        return self._group

    async def refusal(self, row: Begun) -> Rejected | None:
        return await self.check.refusal(row, self._group) if self.check else None

    def made(self, row: Begun) -> Rendered:
        return self.render(row)

    def return_path(self, row: Begun) -> str:
        sender = self.settings.publication.sender[1]
        return ReturnPaths(self.signer, self.settings.return_path_domain, sender).of_service_mail(row.ref)

    async def answered(self, session: Session, settled: Sequence[Settled[Begun]], now: datetime) -> None:
        accepted = [row for row, receipt in settled if isinstance(receipt, Accepted)]
        if self.check and (keepers := self.check.keepers(accepted)):  # whoever confirms it counts there at once
            await mail_domains.keep(session, keepers, now)
        await self._count_in(session, accepted)

    async def _count_in(self, session: Session, accepted: Sequence[Begun]) -> None:
        """Last, as rows that all workers share: what a mailbox provider got of it, papers leave."""
        if self.shares is None or not self.shares.any_rates or not accepted:
            return
        keys = [row.address.casefold() for row in accepted]
        groups = await mail_domains.groups(session, keys)
        await self.shares.count_in(session, Counter(groups[key] for key in keys), self.settings.zone)

    async def failed(self, session: Session, fault: Standstill, now: datetime) -> None:
        await standstill.declare(session, self.way, fault, self.settings, now)
