"""Letters to operators: a stream of their own. One may come twice after a crash, with one Message-ID; never not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from app.core.db import Session
from app.core.mail.template import MailTemplate
from app.models import OperatorMail
from app.stages.send.stream import Rendered, Stream
from app.store import operator_mail
from app.store.operator_mail import Begun
from app.store.streams import Mails

Render = Callable[[Begun], MailTemplate]


@dataclass(kw_only=True)
class OperatorPost(Stream[Begun]):
    """A fault that is met here is told by nobody else's letter: it would meet the same."""

    job: ClassVar[str] = "operator mail"
    mails: ClassVar[Mails] = OperatorMail

    render: Render

    async def choose(self, session: Session, most: int, now: datetime) -> Sequence[Begun]:
        return await operator_mail.begin(session, provider=self.way.name, epoch=self.epoch, most=most, now=now)

    def made(self, row: Begun) -> Rendered:
        return Rendered(self.render(row), {})
