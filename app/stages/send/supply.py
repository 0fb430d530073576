"""The tokens of one hand-over: asked for before a group, given back where they were not used."""

from contextlib import suppress
from datetime import timedelta

from app.core.clock import steady
from app.core.errors import StorageError
from app.stages.send.throttle import Throttle


class Supply:
    """What a throttle grants, and when it is worth asking again. Without a throttle there is no end of it."""

    def __init__(self, throttle: Throttle | None) -> None:
        self._throttle = throttle
        self._again_at = steady()

    @property
    def rest(self) -> timedelta | None:
        """How long nothing should be tried, where nothing more leaves today."""
        return self._throttle.rest if self._throttle else None

    @property
    def waits(self) -> bool:
        """Is it too early to ask?"""
        return steady() < self._again_at

    async def grant(self, most: int) -> int:
        """For how many of `most` messages there are tokens now. Raises StorageError."""
        if self._throttle is None or not most:
            return most
        granted = await self._throttle.grant(most)
        self._again_at = steady() + self._throttle.wait
        return granted

    def pause(self, seconds: float) -> None:
        """Less was begun than was granted: what is left waits for tokens of its kind, for so long."""
        self._again_at = max(self._again_at, steady() + seconds)

    def refund(self, count: int) -> None:
        if self._throttle is not None and count > 0:
            self._throttle.refund(count)

    async def give_back(self) -> None:
        """Gives back what is left over. Raises StorageError."""
        if self._throttle is not None:
            await self._throttle.close()

    async def close(self) -> None:
        """As `give_back`; where the database is away, the tokens are lost."""
        with suppress(StorageError):
            await self.give_back()
