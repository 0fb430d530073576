"""What a worker of a fleet says aloud: once a second, what is owed; and, if it holds the bell, which chores are due."""

import time
from collections.abc import Iterable

from app.bootstrap import Container
from app.core.db import Session
from app.jobs.hints import FIRST, desk_hint, paper_hint
from app.models import OperatorMail, TransactionalEmail
from app.store import hints, leases, streams
from app.store.statements import ask_alone

POST = "post"
AT_ONCE = 200
"""So many shards are announced at most, so that the queue stays short however long the edition is."""
BELL, SLOT = "bell", "fleet"
RENEW_EVERY = 3.0


async def announce(container: Container) -> None:
    """Puts hints for shards and service mail on the queue. In every worker: none is needed for another to be heard."""
    now = container.clock.now()
    expire = container.clock.may_expire
    post = [streams.due_query(mails, now, expire=expire) for mails in (TransactionalEmail, OperatorMail)]
    free = leases.free_shards_query(now, AT_ONCE, sqlite=container.db.is_sqlite)
    shards, *due = await ask_alone(container.db, [free, *post])
    owed = [paper_hint(*shard) for shard in shards]
    if any(due):
        owed.append(desk_hint(POST, FIRST))
    if owed:
        await hints.put_alone(container.db, owed)


class Bell:
    """One worker of the fleet rings for the chores of the timetable, or there would be as many rings as workers."""

    def __init__(self, container: Container, owner: str) -> None:
        self._container = container
        self._owner = owner
        self._epoch: int | None = None
        self._renewed = 0.0

    async def ring(self, chores: Iterable[str]) -> None:
        """Puts hints for `chores` on the queue, if this worker holds the bell or can take it."""
        async with self._container.db.write() as session:
            if await self._hold(session):
                await hints.put(session, [desk_hint(name) for name in chores])

    async def give_back(self) -> None:
        """Another worker may ring from now on."""
        if self._epoch is not None:
            async with self._container.db.write() as session:
                await leases.give_back_slot(session, BELL, SLOT, self._epoch)
            self._epoch = None

    async def _hold(self, session: Session) -> bool:
        began = time.monotonic()
        if self._epoch is not None:
            if began - self._renewed < RENEW_EVERY:
                return True
            if not await leases.renew_slot(session, BELL, SLOT, self._epoch):
                self._epoch = None
        else:
            self._epoch = await leases.take_slot(session, BELL, SLOT, self._owner, self._container.clock.now())
        self._renewed = began
        return self._epoch is not None
