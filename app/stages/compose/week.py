"""What a weekly is made of: what the week's dailies printed, as they printed it, and who led their charts."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from app.core.db import Session
from app.models.content import Chart, EditionKind, Leader, Piece, Section
from app.stages.compose import score, wording
from app.stages.compose.pick import Candidate, Pick
from app.stages.compose.score import Sight
from app.store import listings, published, sightings, stories

SATURDAY = 5
DAYS = timedelta(days=5)
"""Monday to Friday, before the weekly's Saturday."""
REMEMBERED = timedelta(weeks=8)
"""What a weekly of that time printed is not printed again."""
_LEAST_DAYS = 3
"""Of so many papers at least it is told who led their charts."""


@dataclass(frozen=True, slots=True)
class Week:
    """The pieces of the week by their stories' ids, and what speaks for each; what earlier weeklies printed."""

    pieces: Mapping[int, Piece]
    weights: Mapping[int, float]
    seen: Mapping[int, Sequence[Sight]]
    before: frozenset[int]

    def candidates(self, wanted: Collection[int] = ()) -> list[Candidate]:
        """As the choice wants them: an editor chose each before, and its weight at its sources ranks it.

        `wanted` are let in also where an earlier weekly printed them.
        """
        return [
            Candidate(
                story_id,
                piece.section,
                score=1.0 + self.weights.get(story_id, 0.0),
                why=score.known(self.seen.get(story_id, ())),
                printed=piece.printed_on,
            )
            for story_id, piece in self.pieces.items()
            if story_id not in self.before or story_id in wanted
        ]

    def piece(self, story_id: int, section: Section, reason: str) -> Piece:
        """As its daily printed it."""
        return self.pieces[story_id].model_copy(update={"section": section, "reason": reason})

    def line(self, picked: Pick) -> Piece:
        """The same as one line: its body is in its daily."""
        piece = self.piece(picked.id, Section.LEAD, picked.reason)
        said = piece.standfirst or wording.first_sentence(piece.body_text)
        return piece.model_copy(update={"standfirst": said, "body": "", "body_text": ""})


async def week(session: Session, day: date) -> Week:
    """The week before the Saturday `day`."""
    printed = await published.printed(session, EditionKind.DAILY, day - DAYS, day)
    pieces = {one.story_id: one.model_copy(update={"printed_on": on}) for on, one in printed}
    earlier = await published.printed(session, EditionKind.WEEKLY, day - REMEMBERED, day)
    found = await sightings.of_stories(session, list(pieces))
    return Week(
        pieces,
        await stories.weights(session, list(pieces)),
        {
            story_id: [Sight(one.source.name, one.row.points, one.row.comments) for one in several]
            for story_id, several in found.items()
        },
        frozenset(one.story_id for _, one in earlier),
    )


async def led(session: Session, charts: Sequence[Chart], day: date) -> tuple[Chart, ...]:
    """The charts of the Saturday `day`, each with who stood first in the week's papers, that day's included."""
    firsts = await listings.firsts(session, day - DAYS, day)
    return tuple(one.model_copy(update={"leaders": _leaders(one, firsts, day)}) for one in charts)


def _leaders(chart: Chart, firsts: Sequence[tuple[date, str, str]], day: date) -> tuple[Leader, ...]:
    lane, known = chart.rows[0].ref.rpartition(":")[0], {row.ref: row.name for row in chart.rows}
    days: dict[date, tuple[str, str]] = {on: (ref, name) for on, ref, name in firsts if ref.rpartition(":")[0] == lane}
    if not chart.stale:
        days[day] = (chart.rows[0].ref, chart.rows[0].name)
    names: dict[str, str] = {}
    held: dict[str, list[date]] = {}
    for on, (ref, name) in sorted(days.items()):
        held.setdefault(ref, []).append(on)
        names[ref] = known.get(ref) or _own_name(lane, name) or names.get(ref, "")
    if len(days) < _LEAST_DAYS or not all(names.values()):
        return ()
    return tuple(Leader(name=names[ref], days=tuple(on)) for ref, on in held.items())


def _own_name(lane: str, name: str) -> str:
    """A model or dataset goes by its own name, without its owner's, as on the chart."""
    return name if lane.startswith("github") else name.rpartition("/")[2]
