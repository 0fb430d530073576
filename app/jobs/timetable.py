"""The timetable: what is asked how often. A tick asks whether something is owed for its slot; state lives in rows."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from app.bootstrap import Container
from app.jobs import tasks

Job = Callable[[Container, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Entry:
    """`every` is the tick in seconds, not the job's own period: that is its slot's."""

    name: str
    every: int
    job: Job
    timed: bool = True
    """It goes by the time of day, and waits while the clock is not confirmed."""
    expires: bool = False
    """It gives up or forgets what is too late or too old, and waits while nothing may be expired."""

    async def run(self, container: Container, owner: str) -> None:
        """Does the job, if the clock allows it."""
        clock = container.clock
        if (clock.is_confirmed or not self.timed) and (clock.may_expire or not self.expires):
            await self.job(container, owner)


TIMETABLE = (
    Entry("collect", 10, tasks.collect),
    Entry("gather", 10, tasks.gather),
    Entry("compose", 2, tasks.compose),
    Entry("links", 2, tasks.links),
    Entry("freeze", 2, tasks.freeze),
    Entry("overdue", 60, tasks.hold_overdue, expires=True),
    Entry("sweep", 30, tasks.sweep),
    Entry("lapse", 60, tasks.lapse, expires=True),
    Entry("remind", 60, tasks.remind),
    Entry("forget", 60, tasks.forget, expires=True),
    Entry("truncate", 5, tasks.truncate, timed=False),
    Entry("housekeeping", 60, tasks.tidy, expires=True),
    Entry("fold", 60, tasks.fold, expires=True),
    Entry("regroup", 60, tasks.regroup),
)
