"""How a hand-over stands: whether it goes on, whether anything may be written, and what ended it."""

import asyncio
from datetime import timedelta

from app.core.clock import steady
from app.core.mail.receipt import Halt, Standstill

WRITE_WITHIN = 6.0
"""Seconds after the lease was last proven in which a mail may be given to the provider."""
RENEW_EVERY = 3.0


class Course:
    """All that tells a hand-over to stop; times are on the monotonic clock."""

    def __init__(self, stop: asyncio.Event, lasts: float) -> None:
        """`stop` is set when the service ends; `lasts`: seconds after which others have their turn."""
        self.stop = stop
        self._until = steady() + lasts
        self._renewed = steady()
        self.over = False
        """Nothing more is begun: by the provider's word, for want of tokens, or by a fault of ours."""
        self.lost = False
        """The lease is another's."""
        self.away = False
        """The database did not answer the last time."""
        self.rest: timedelta | None = None
        """There are no tokens for so long."""
        self.fault: Standstill | None = None
        """Why nothing leaves by this provider."""

    @property
    def stopping(self) -> bool:
        return self.over or self.lost or self.stop.is_set() or steady() > self._until

    @property
    def may_write(self) -> bool:
        """Is the lease fresh?"""
        return not self.away and steady() - self._renewed < WRITE_WITHIN

    @property
    def wants_renewal(self) -> bool:
        return not self.lost and steady() - self._renewed > RENEW_EVERY

    def renewed(self, at: float) -> None:
        """The lease was proven by a transaction that began at `at`."""
        self._renewed = at

    def fails(self, fault: Standstill) -> None:
        """The provider carries nothing more; a fault of ours outweighs all others."""
        self.over = True
        self.fault = self.fault if isinstance(self.fault, Halt) else fault

    def rests(self, rest: timedelta) -> None:
        self.over, self.rest = True, rest

    def told(self, fault: Standstill | None) -> None:
        """What ended it, as far as `fault`, was made known."""
        self.rest = None
        self.fault = None if self.fault is fault else self.fault
