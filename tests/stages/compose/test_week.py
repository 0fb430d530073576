"""What a weekly is made of: the week's dailies, the best first; what waits; never the same again. On both engines."""

from datetime import UTC, date, datetime, timedelta
from itertools import permutations

import pytest

from app.core.db import Database
from app.core.errors import InvalidInput
from app.models import Edition
from app.models.content import Chart, ChartRow, EditionContent, EditionKind, Leader, Section
from app.models.states import EditionStatus, Frequency
from app.stages.audience import consent
from app.stages.compose import draft, edit, week
from app.stages.compose.edit import Changes, Hand
from app.stages.compose.pick import ALSO, Candidate, Wishes, left_over, pick, shortage_of_week
from app.stages.render import freeze, preview
from app.store import editions, listings, persons, stories, subscribers
from app.store.listings import Listed
from tests.people import DAY, NOON, add_edition, add_reader, prefer
from tests.stages.render.sample import PAPER

from .test_candidates import gathered, write
from .test_edit import nothing, read

SATURDAY = date(2026, 11, 28)
FIVE = datetime(2026, 11, 28, 5, 0, tzinfo=UTC)
TOOLS, LEAD = Section.TOOLS, Section.LEAD


def printed(number: int, day: int, section: Section = TOOLS, score: float = 1.0) -> Candidate:
    return Candidate(number, section, score=score, printed=DAY + timedelta(days=day))


def test_what_was_printed_goes_first_the_best_before_the_later() -> None:
    """Then what waits; in whatever order they come."""
    all_of_them = [printed(1, 0), printed(2, 4), printed(3, 2, score=4.5), Candidate(9, TOOLS, SATURDAY)]
    for several in permutations(all_of_them):
        assert [one.id for one in pick(several, SATURDAY)[TOOLS]] == [3, 2, 1, 9]


def test_the_other_leads_of_the_week_are_named_in_the_order_of_their_days() -> None:
    """The best of them where there are too many, and none that was taken out."""
    leads = [printed(number, number % 5, LEAD, score=float(number)) for number in range(1, 9)]
    chosen = pick(leads, SATURDAY)
    assert [one.id for one in chosen[LEAD]] == [8]
    assert [one.id for one in left_over(leads, chosen, Wishes(), ALSO)] == [5, 6, 7, 4]
    assert [one.id for one in left_over(leads, chosen, Wishes(removed=(6, 7)), ALSO)] == [5, 2, 3, 4]
    assert left_over(leads, chosen, Wishes(), ALSO)[0].reason == "printed on 23 November"


def test_a_weekly_wants_a_week_a_lead_and_two_stories_more() -> None:
    """Else it says what is missing."""
    week = [printed(1, 0, LEAD), printed(2, 0), printed(3, 1)]
    for count, why in (
        (0, "Nothing was printed from Monday to Friday."),
        (1, "There is 1 story of the week; a weekly has 3 or more."),
        (2, "There are 2 stories of the week; a weekly has 3 or more."),
        (3, ""),
    ):
        some = week[:count]
        assert shortage_of_week(pick(some, SATURDAY), [], [one.id for one in some]) == why
    assert "No lead" in shortage_of_week(pick(week[1:], SATURDAY), [], [2, 3])


async def a_week(db: Database) -> None:
    """Dailies of Monday and Tuesday, as they were sent."""
    for index, name in enumerate(("Monday", "Tuesday")):
        day = DAY + timedelta(days=index)
        await write(
            db, LEAD, f"The lead of {name}", standfirst="", body=f"What it said. More of {name}.", publish_on=day
        )
        await write(db, TOOLS, f"A tool of {name}", publish_on=day)
        made = await draft.compose(db, day, NOON)
        await freeze.freeze(db, made.edition_id, PAPER, NOON)
        async with db.write() as session:
            for to in (EditionStatus.SENDING, EditionStatus.SENT):
                from_ = EditionStatus.FROZEN if to is EditionStatus.SENDING else EditionStatus.SENDING
                await editions.move(session, made.edition_id, from_, to, "")


async def weekly(db: Database, day: date = SATURDAY) -> Edition:
    made = await draft.compose(db, day, FIVE, kind=EditionKind.WEEKLY)
    return await read(db, made.edition_id)


def content(edition: Edition) -> EditionContent:
    return EditionContent.model_validate(edition.content)


async def test_a_weekly_prints_its_week_and_what_waits(db: Database) -> None:
    """As it was printed, with its day; the other lead as a line; what was gathered fills what is left."""
    await a_week(db)
    await write(db, Section.WEEKEND, "To be read at leisure")
    await gathered(db)
    made = content(await weekly(db))
    assert (made.kind, made.lead.headline, made.lead.printed_on) == (
        EditionKind.WEEKLY,
        "The lead of Tuesday",
        DAY + timedelta(days=1),
    )
    assert [(one.headline, one.standfirst, one.body, one.printed_on) for one in made.also] == [
        ("The lead of Monday", "What it said.", "", DAY)
    ]
    assert [one.headline for one in made.tools] == ["A tool of Tuesday", "A tool of Monday", "A tool that was found"]
    assert [(one.headline, one.printed_on) for one in made.weekend] == [("To be read at leisure", None)]
    assert made.subject == "The lead of Tuesday; also: The lead of Monday"


async def test_composing_it_again_gives_the_same_bytes(db: Database) -> None:
    """The same input, the same content and the same page."""
    await a_week(db)
    once, again = await weekly(db), await weekly(db)
    assert (once.content, once.content_hash) == (again.content, again.content_hash)
    assert again.version == once.version + 1
    first, second = [await preview.of_edition(db, once.id, PAPER) for _ in range(2)]
    assert (first.html, first.text) == (second.html, second.text)


async def test_what_a_daily_printed_stays_its_own_and_what_waits_still_waits(db: Database) -> None:
    """The weekly ties no story: daily readers get what only weekly readers have seen; the next weekly does not."""
    await a_week(db)
    waiting = await write(db, Section.WEEKEND, "To be read at leisure")
    made = await weekly(db)
    await freeze.freeze(db, made.id, PAPER, FIVE)
    async with db.read() as session:
        monday = await editions.of_day(session, DAY)
        lead = await stories.get(session, content(made).also[0].story_id)
        later = await stories.get(session, waiting)
    assert monday is not None
    assert lead is not None
    assert later is not None
    assert (lead.edition_id, later.edition_id) == (monday.id, None)
    daily = await draft.compose(db, SATURDAY, FIVE)
    assert daily.status is EditionStatus.HELD  # it has no lead
    async with db.write() as session:
        await editions.move(session, made.id, EditionStatus.FROZEN, EditionStatus.SENDING, "")
    friday = SATURDAY + timedelta(days=6)
    await write(db, LEAD, "The lead of the next Friday", publish_on=friday)
    next_daily = await draft.compose(db, friday, FIVE + timedelta(days=6))
    printed_then = content(await read(db, next_daily.edition_id))
    assert [one.headline for one in printed_then.weekend] == ["To be read at leisure"]
    await freeze.freeze(db, next_daily.edition_id, PAPER, FIVE + timedelta(days=6))
    async with db.write() as session:
        await editions.move(session, next_daily.edition_id, EditionStatus.FROZEN, EditionStatus.SENDING, "")
    after = await weekly(db, SATURDAY + timedelta(days=7))
    assert after.status is EditionStatus.HELD
    assert content(after).weekend == ()


async def test_an_operator_may_choose_the_lead_of_the_week(db: Database) -> None:
    """By the number of the story that a daily printed; one of another week is refused."""
    await a_week(db)
    made = await weekly(db)
    monday = content(made).also[0].story_id
    hand = Hand(FIVE, nothing, frozenset({made.version}))
    changed = await edit.change(db, made.id, Changes(sections={LEAD: [monday]}), hand)
    assert content(changed).lead.headline == "The lead of Monday"
    assert content(changed).lead.body_text == "What it said. More of Monday."
    assert [one.headline for one in content(changed).also] == ["The lead of Tuesday"]
    daily = await draft.compose(db, SATURDAY, FIVE)
    with pytest.raises(InvalidInput, match="printed already"):
        await edit.change(db, daily.edition_id, Changes(sections={LEAD: [monday]}), Hand(FIVE, nothing))


async def test_a_weekly_is_of_a_saturday(db: Database) -> None:
    """The refusal says so."""
    with pytest.raises(InvalidInput, match="A weekly is for a Saturday, and 2026-11-23 is none"):
        await draft.compose(db, DAY, NOON, kind=EditionKind.WEEKLY)


async def test_the_daily_remembers_who_stood_first(db: Database) -> None:
    """Each day's first, with its name; a weekly adds nothing to the paper's memory."""
    await a_week(db)
    async with db.write() as session:
        for day in (DAY, DAY + timedelta(days=1)):
            edition = await editions.of_day(session, day)
            assert edition is not None
            rows = [
                Listed("github:repository:1", 1, printed=True, name="a/anvil"),
                Listed("github:repository:2", 2, printed=True, name="b/bellows"),
            ]
            await listings.replace_all(session, edition.id, rows)
        first = await listings.firsts(session, DAY, SATURDAY)
    assert first == [
        (DAY, "github:repository:1", "a/anvil"),
        (DAY + timedelta(days=1), "github:repository:1", "a/anvil"),
    ]


def on_top(name: str, ref: str) -> Chart:
    row = ChartRow(rank=1, ref=ref, name=name, url="https://example.net/1")
    return Chart(key="huggingface-models", title="Hugging Face models", unit="likes", as_of=FIVE, rows=(row,))


async def test_a_chart_tells_who_led_the_week(db: Database) -> None:
    """From the dailies that listed it, Saturday's own first among them; by its own name, each lane by itself."""
    await a_week(db)
    async with db.write() as session:
        for index, name in enumerate(("north/anvil", "south/bellows")):
            edition = await editions.of_day(session, DAY + timedelta(days=index))
            assert edition is not None
            lanes = (f"huggingface:model:{index}", name), ("huggingface:dataset:9", "north/ledger")
            await listings.replace_all(
                session, edition.id, [Listed(ref, 1, printed=True, name=it) for ref, it in lanes]
            )
    today = on_top("bellows", "huggingface:model:1")
    async with db.read() as session:
        (told,) = await week.led(session, [today], SATURDAY)
        (stale,) = await week.led(session, [today.model_copy(update={"stale": True})], SATURDAY)
    assert told.leaders == (
        Leader(name="anvil", days=(DAY,)),
        Leader(name="bellows", days=(DAY + timedelta(days=1), SATURDAY)),
    )
    assert stale.leaders == ()  # of two days nothing is told


async def test_a_new_weekly_reader_is_shown_the_latest_weekly(db: Database) -> None:
    """In the letter of welcome; a daily reader the daily; whoever comes before the first weekly the daily too."""
    await add_edition(db, DAY, status=EditionStatus.SENDING)
    shown = [await welcomed(db, "early@example.org", Frequency.WEEKLY)]
    await add_edition(db, SATURDAY, status=EditionStatus.SENDING, kind=EditionKind.WEEKLY)
    await add_edition(db, SATURDAY + timedelta(days=1), status=EditionStatus.SENDING)
    shown += [await welcomed(db, f"{one}@example.org", one) for one in (Frequency.WEEKLY, Frequency.DAILY)]
    assert shown == ["2026-11-23", "2026-11-28-weekly", "2026-11-29"]


async def welcomed(db: Database, address: str, frequency: Frequency) -> str:
    """The edition that a reader's letter of welcome links."""
    reader = await add_reader(db, address)
    await prefer(db, reader, frequency)
    async with db.write() as session:
        found = await subscribers.get(session, reader)
        assert found is not None
        await consent._welcome(session, found, NOON)
    async with db.read() as session:
        (letter,) = await persons.letters(session, reader)
    return str(letter.parameters["edition"])
