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


TIMETABLE = (
    Entry("collect", 10, tasks.collect),
    Entry("gather", 10, tasks.gather),
    Entry("compose", 2, tasks.compose),
    Entry("links", 2, tasks.links),
    Entry("freeze", 2, tasks.freeze),
    Entry("overdue", 60, tasks.hold_overdue),
    Entry("sweep", 30, tasks.sweep),
    Entry("lapse", 60, tasks.lapse),
    Entry("remind", 60, tasks.remind),
    Entry("forget", 60, tasks.forget),
    Entry("truncate", 5, tasks.truncate),
    Entry("housekeeping", 60, tasks.tidy),
    Entry("fold", 60, tasks.fold),
    Entry("regroup", 60, tasks.regroup),
)
