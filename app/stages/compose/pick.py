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
ALSO = 4
"""So many other leads of the week a weekly names beneath its own: those of five days, one of which leads."""
WEEKLY_LEAST = 3
"""Stories without which a weekly is not worth its name."""
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
    printed: date | None = None
    """In a weekly: the day of the week on which a daily printed it."""


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
    known = _known(candidates, wishes)
    chosen: Chosen = {section: [] for section in QUOTAS}
    for section, ids in wishes.pinned.items():
        for story_id in ids:
            if known.pop(story_id, None) is not None and section in chosen:
                chosen[section].append(Pick(story_id, "put here by an operator"))
    for one in sorted(known.values(), key=lambda one: _turn(one, day)):
        if not one.gathered and len(chosen[one.section]) < QUOTAS[one.section]:
            chosen[one.section].append(Pick(one.id, _editors(one, day)))
    _fill(chosen, [one for one in known.values() if one.gathered and one.section is not Section.LEAD])
    return chosen


def left_over(candidates: Iterable[Candidate], chosen: Chosen, wishes: Wishes, most: int) -> list[Pick]:
    """The leads of the week that nothing else was made of: the best `most` of them, in the order of their days."""
    taken = {one.id for picks in chosen.values() for one in picks}
    leads = [
        one
        for one in _known(candidates, wishes).values()
        if one.printed and one.section is Section.LEAD and one.id not in taken
    ]
    best = sorted(leads, key=lambda one: (-one.score, one.id))[:most]
    return [Pick(one.id, _reprint(one)) for one in sorted(best, key=lambda one: (one.printed or date.min, one.id))]


def shortage(chosen: Chosen, counted: Sequence[Section]) -> str:
    """Why this is too little for a paper, in words; empty where it is enough.

    A paper is a lead and at least one thing more; `counted` are the sections filled from counts.
    """
    if not chosen[Section.LEAD]:
        return "There is no lead story to print."
    if not counted and not any(ids for section, ids in chosen.items() if section is not Section.LEAD):
        return "There is nothing to print beside the lead."
    return ""


def shortage_of_week(chosen: Chosen, also: Sequence[Pick], printed: Collection[int]) -> str:
    """Why this is too little for a weekly, in words; empty where it is enough: a lead, and two stories more.

    `printed` is what the week's dailies printed: where they printed nothing there was no week to tell of.
    """
    if not printed:
        return "Nothing was printed from Monday to Friday."
    if not chosen[Section.LEAD]:
        return "No lead story was printed from Monday to Friday, and none waits."
    count = len(also) + sum(len(picks) for picks in chosen.values())
    if count < WEEKLY_LEAST:
        there = "is 1 story" if count == 1 else f"are {count} stories"
        return f"There {there} of the week; a weekly has {WEEKLY_LEAST} or more."
    return ""


def _known(candidates: Iterable[Candidate], wishes: Wishes) -> dict[int, Candidate]:
    return {one.id: one for one in candidates if one.section in QUOTAS and one.id not in wishes.removed}


def _turn(one: Candidate, day: date) -> tuple[bool, float, int, bool, int]:
    """Where its turn is: in a weekly first what was printed, the best before the later; then the day's, the oldest."""
    if one.printed:
        return (False, -one.score, -one.printed.toordinal(), False, one.id)
    return (True, 0.0, 0, one.publish_on != day, one.id)


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
    if one.printed:
        return _reprint(one)
    if one.publish_on == day:
        return "chosen for this date by the editor"
    missed = f", meant for {_dated(one.publish_on)}" if one.publish_on else ""
    return f"waiting since {_dated(one.since)}{missed}" if one.since else f"waiting{missed}"


def _reprint(one: Candidate) -> str:
    on = f"printed on {_dated(one.printed)}" if one.printed else "printed"
    return f"{on}: {one.why}" if one.why else on


def _dated(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]}"
