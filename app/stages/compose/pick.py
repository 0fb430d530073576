"""Which stories run: a quota a section, pieces meant for the day first, then the oldest that wait. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from app.models.content import Section

QUOTAS: dict[Section, int] = {
    Section.LEAD: 1,
    Section.DEEP_DIVE: 1,
    Section.OPINION: 2,
    Section.TOOLS: 4,
    Section.WEEKEND: 3,
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A story as far as the choice concerns it."""

    id: int
    section: Section
    publish_on: date | None


def pick(candidates: Iterable[Candidate], day: date) -> dict[Section, list[int]]:
    """The ids to print in each section, in order. The same candidates in any order give the same paper.

    A story whose day is past was missed, not withdrawn: it waits in the queue like the undated.
    """
    chosen: dict[Section, list[int]] = {section: [] for section in QUOTAS}
    for candidate in sorted(candidates, key=lambda one: (one.publish_on != day, one.id)):
        ids = chosen.get(candidate.section)
        if ids is not None and len(ids) < QUOTAS[candidate.section]:
            ids.append(candidate.id)
    return chosen


def shortage(chosen: dict[Section, list[int]], counted: Sequence[Section]) -> str:
    """Why this is too little for a paper, in words; empty where it is enough.

    A paper is a lead and at least one thing more; `counted` are the sections filled from counts.
    """
    if not chosen[Section.LEAD]:
        return "There is no lead story to print."
    if not counted and not any(ids for section, ids in chosen.items() if section is not Section.LEAD):
        return "There is nothing to print beside the lead."
    return ""
