"""The bundled stories are fit to print."""

from collections import Counter
from urllib.parse import urlsplit

import pytest

from app.cli.demo_stories import bundled
from app.models import Story
from app.models.content import STORY_SECTIONS, Section
from app.stages.collect.stories import StoryFields, parse
from app.stages.compose import prose

STORIES = [parse(fields) for fields in bundled()]


def named(*sections: Section) -> list[StoryFields]:
    return [story for story in STORIES if story.section in sections]


def test_there_is_enough_of_everything_for_several_days() -> None:
    """Leads and deep dives for three mornings, opinions for three, tools and weekend pieces for two."""
    assert Counter(story.section for story in STORIES) == {
        Section.LEAD: 3,
        Section.DEEP_DIVE: 3,
        Section.OPINION: 6,
        Section.TOOLS: 8,
        Section.WEEKEND: 6,
    }
    assert {story.section for story in STORIES} == set(STORY_SECTIONS)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.headline)
def test_every_story_fits_its_columns_and_names_its_source(story: StoryFields) -> None:
    """The lengths are those of the table; each piece links to its page, and all but tools say how long that is."""
    for name in ("headline", "standfirst", "byline", "source", "url"):
        limit = Story.__table__.c[name].type.length  # type: ignore[attr-defined]  # they are String columns
        assert len(getattr(story, name)) <= limit
    assert story.headline
    assert story.standfirst.endswith(".")
    assert story.source
    assert urlsplit(story.url).scheme in ("http", "https")
    assert bool(story.minutes) == (story.section is not Section.TOOLS)
    assert story.publish_on is None


@pytest.mark.parametrize("story", named(Section.LEAD), ids=lambda story: story.headline)
def test_a_lead_makes_a_subject_and_two_or_three_paragraphs(story: StoryFields) -> None:
    """Its headline is the subject of the mail: 28 to 50 characters, sentence case, no full stop."""
    assert 28 <= len(story.headline) <= 50
    assert not story.headline.endswith(".")
    assert not story.headline.istitle()
    assert 2 <= prose.to_html(story.body).count("<p>") <= 3
    assert len(story.standfirst.partition(". ")[0]) <= 60


@pytest.mark.parametrize("story", named(Section.DEEP_DIVE), ids=lambda story: story.headline)
def test_a_deep_dive_is_a_long_read(story: StoryFields) -> None:
    """One long paragraph, or two."""
    assert 1 <= prose.to_html(story.body).count("<p>") <= 2
    assert 120 <= len(story.body.split()) <= 260


@pytest.mark.parametrize("story", named(Section.OPINION), ids=lambda story: story.headline)
def test_an_opinion_has_an_author_and_a_few_sentences(story: StoryFields) -> None:
    """Whoever signed the linked piece; nobody else has a byline."""
    assert story.byline
    assert 2 <= (story.standfirst + " " + story.body).count(". ") + 1 <= 4


@pytest.mark.parametrize("story", named(Section.TOOLS, Section.WEEKEND), ids=lambda story: story.headline)
def test_a_tool_or_a_weekend_piece_is_a_line_or_two(story: StoryFields) -> None:
    """A name and what it is for."""
    assert not story.body
    assert len(story.standfirst) <= (120 if story.section is Section.TOOLS else 160)


def test_only_opinions_are_signed_and_nothing_is_said_twice() -> None:
    """No headline and no address stands twice; nobody signs what is ours."""
    assert {story.section for story in STORIES if story.byline} == {Section.OPINION}
    assert max(Counter(story.headline for story in STORIES).values()) == 1
    assert max(Counter(story.url for story in STORIES).values()) == 1


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.headline)
def test_every_story_keeps_the_papers_manners(story: StoryFields) -> None:
    """No exclamation marks, no raw HTML, and every word survives the cleaning."""
    words = f"{story.headline} {story.standfirst} {story.body}"
    assert "!" not in words
    assert "<" not in words
    assert prose.to_text(prose.to_html(story.body)).split() == story.body.split()
