"""Which stories run: what an operator put in its place, what is meant for the day, the oldest that wait, and then the

best of what was gathered. A quota a section. Pure.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from app.models.content import Section

QUOTAS: dict[Section, int] = {
    Section.LEAD: 1,
    Section.DEEP_DIVE: 1,
    Section.OPINION: 2,
    Section.TOOLS: 4,
    Section.WEEKEND: 3,
}
A_SOURCE = 2
"""So many candidates of one source a paper prints at most; the second counts half."""
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidate:
    """A story as far as the choice concerns it. `gathered`: no editor has decided on it yet."""

    id: int
    section: Section
    publish_on: date | None = None
    since: date | None = None
    """The day from which it waits."""
    gathered: bool = False
    score: float = 0.0
    source: int | None = None
    why: str = ""
    """What speaks for it, in words."""


@dataclass(frozen=True, slots=True)
class Pick:
    """A story that runs, and why."""

    id: int
    reason: str


@dataclass(frozen=True, slots=True)
class Wishes:
    """What an operator asked for: stories first in their section, in this order; and stories that do not run."""

    pinned: Mapping[Section, Sequence[int]] = field(default_factory=dict)
    removed: Collection[int] = ()


Chosen = dict[Section, list[Pick]]


def pick(candidates: Iterable[Candidate], day: date, wishes: Wishes = Wishes()) -> Chosen:  # immutable
    """The stories to print in each section, in order. The same candidates in any order give the same paper.

    A story whose day is past was missed, not withdrawn: it waits in the queue like the undated. What was gathered
    never leads: the paper's first words, and its subject, are an editor's.
    """
    known = {one.id: one for one in candidates if one.section in QUOTAS and one.id not in wishes.removed}
    chosen: Chosen = {section: [] for section in QUOTAS}
    for section, ids in wishes.pinned.items():
        for story_id in ids:
            if known.pop(story_id, None) is not None and section in chosen:
                chosen[section].append(Pick(story_id, "put here by an operator"))
    for one in sorted(known.values(), key=lambda one: (one.publish_on != day, one.id)):
        if not one.gathered and len(chosen[one.section]) < QUOTAS[one.section]:
            chosen[one.section].append(Pick(one.id, _editors(one, day)))
    _fill(chosen, [one for one in known.values() if one.gathered and one.section is not Section.LEAD])
    return chosen


def shortage(chosen: Chosen, counted: Sequence[Section]) -> str:
    """Why this is too little for a paper, in words; empty where it is enough.

    A paper is a lead and at least one thing more; `counted` are the sections filled from counts.
    """
    if not chosen[Section.LEAD]:
        return "There is no lead story to print."
    if not counted and not any(ids for section, ids in chosen.items() if section is not Section.LEAD):
        return "There is nothing to print beside the lead."
    return ""


def _fill(chosen: Chosen, gathered: Sequence[Candidate]) -> None:
    """Takes the best that is left for any section with room, one at a time, so that no source crowds the paper."""
    used: Counter[int | None] = Counter()
    left = list(gathered)
    while left := [one for one in left if _fits(one, chosen, used)]:
        best = min(left, key=lambda one: (-one.score / 2 ** used[one.source], one.id))
        chosen[best.section].append(Pick(best.id, f"candidate: {best.why}" if best.why else "candidate"))
        used[best.source] += 1
        left.remove(best)


def _fits(one: Candidate, chosen: Chosen, used: Mapping[int | None, int]) -> bool:
    return len(chosen[one.section]) < QUOTAS[one.section] and used.get(one.source, 0) < A_SOURCE and one.score > 0


def _editors(one: Candidate, day: date) -> str:
    if one.publish_on == day:
        return "chosen for this date by the editor"
    missed = f", meant for {_dated(one.publish_on)}" if one.publish_on else ""
    return f"waiting since {_dated(one.since)}{missed}" if one.since else f"waiting{missed}"


def _dated(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]}"
