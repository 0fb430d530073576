"""The stories that may run on a day, and how each is printed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from app.core.db import Session
from app.models import Story
from app.models.content import Piece, Section
from app.models.states import StoryStatus
from app.stages.compose import prose, score
from app.stages.compose.pick import Candidate
from app.stages.compose.score import Sight
from app.store import sightings, stories

NOT_TWICE = timedelta(days=7)
"""What was printed in that time is not printed again because it was gathered again."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What lies on the desk: every story that may run, and which sources show it."""

    stories: Mapping[int, Story]
    seen: Mapping[int, Sequence[Sight]]
    now: datetime

    @property
    def candidates(self) -> list[Candidate]:
        """As the choice wants them."""
        return [self._candidate(story) for story in self.stories.values()]

    def piece(self, story_id: int, section: Section, reason: str) -> Piece:
        """The story as it is printed in `section`."""
        story = self.stories[story_id]
        body = prose.to_html(story.body)
        words = prose.to_text(body)
        gathered = story.status is StoryStatus.CANDIDATE
        standfirst = story.standfirst or (score.line(self.seen.get(story_id, ())) if gathered else "")
        return Piece(
            story_id=story.id,
            section=section,
            headline=story.headline,
            standfirst=standfirst,
            body=body,
            body_text=words,
            byline=story.byline,
            source=story.source,
            url=story.url,
            minutes=story.minutes or prose.minutes(standfirst, words),
            reason=reason,
        )

    def _candidate(self, story: Story) -> Candidate:
        at = _born(story)
        gathered = story.status is StoryStatus.CANDIDATE
        return Candidate(
            story.id,
            story.section,
            story.publish_on,
            story.created_at.date(),
            gathered=gathered,
            score=score.score(story.weight, story.section, at, self.now) if gathered else 0.0,
            source=story.source_id,
            why=score.why(self.seen.get(story.id, ()), at, self.now) if gathered else "",
        )


async def desk(session: Session, day: date, now: datetime, pinned: Sequence[int] = ()) -> Desk:
    """Everything that may run in the paper of `day`; `pinned` are let in whatever day they were meant for."""
    written = await stories.printable(session, day)
    gathered = await stories.candidates(session, now - score.OLDEST)
    printed = await stories.printed(session, day - NOT_TWICE, day)
    fresh = [one for one in gathered if one.edition_id is None and not _printed(one, printed)]
    by_hand = await stories.unprinted(session, pinned)
    found = await sightings.of_stories(session, [one.id for one in (*fresh, *by_hand)])
    seen = {
        story_id: [Sight(one.source.name, one.row.points, one.row.comments) for one in several]
        for story_id, several in found.items()
    }
    return Desk({one.id: one for one in (*written, *fresh, *by_hand)}, seen, now)


def _printed(story: Story, printed: frozenset[str]) -> bool:
    names = {story.url, story.canonical_url, stories.likened(story.headline)} - {""}
    return bool(names & printed)


def _born(story: Story) -> datetime:
    """When it became news, as far as anybody knows; a date in the future is not believed."""
    found = story.found_at or story.created_at
    return min(story.published_at, found) if story.published_at else found
