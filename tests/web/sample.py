"""A paper to print on pages, and the rows that publish it."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

from app.core.db import Database
from app.models.content import ALL_SECTIONS, Chart, ChartRow, EditionContent, Mover, Movers, Piece, Section
from app.models.editions import VariantForm
from app.models.states import EditionStatus
from app.store import drafts, editions
from tests.people import freeze

TODAY = date(2026, 11, 23)
AS_OF = datetime(2026, 11, 23, 4, 55, tzinfo=UTC)


def piece(number: int, section: Section, headline: str, **more: Any) -> Piece:
    """A story of six minutes."""
    values: dict[str, Any] = {
        "standfirst": f"What stands under “{headline}”.",
        "source": "Methods Quarterly",
        "url": f"https://stories.example.org/{number}",
        "minutes": 6,
    }
    return Piece(story_id=number, section=section, headline=headline, **values | more)


def content(day: date = TODAY, number: int = 4, **more: Any) -> EditionContent:
    """A full paper: something in every section."""
    lead = piece(
        1,
        Section.LEAD,
        "The archive that learnt to say where it looked",
        standfirst="A town library let a small model answer letters, on one condition: every sentence names a shelf.",
        body=(
            "<p>For ninety years the letters desk of the town library answered by hand. In spring it handed the first "
            'draft to a <a href="https://stories.example.org/model">small model</a> that runs on two machines in the '
            "cellar, and asked one thing of it: every sentence must name the shelf it came from, or be struck out.</p>"
            "<p>Most were struck out. Of the first thousand drafts, four in ten kept no sentence at all, and the desk "
            "went on as before. Then the staff turned the order around: the shelf first, the sentence after. The share "
            "of letters that could go out unchanged rose to seven in ten within a month.</p>"
            "<p>A third paragraph stands in the edition only.</p>"
        ),
        body_text="For ninety years the letters desk of the town library answered by hand.\n\nMost were struck out.",
    )
    values: dict[str, Any] = {
        "date": day,
        "volume": 1,
        "number": number,
        "minutes": 9,
        "subject": lead.headline,
        "preheader": "A town library let a small model answer letters. 9 minutes.",
        "lead": lead,
        "deep_dive": piece(2, Section.DEEP_DIVE, "How a test wears out", minutes=18),
        "opinion": (
            piece(3, Section.OPINION, "Give the blank answer its due", byline="The letters desk"),
            piece(4, Section.OPINION, "Against the second summary", byline="The night shift"),
        ),
        "tools": (piece(5, Section.TOOLS, "shelfmark"), piece(6, Section.TOOLS, "quire")),
        "charts": (
            Chart(
                key="huggingface_models",
                title="Hugging Face models by likes",
                unit="likes",
                as_of=AS_OF,
                rows=tuple(
                    ChartRow(rank=rank, name=f"press/model-{rank}", url=f"https://models.example.org/{rank}", gained=90)
                    for rank in range(1, 14)
                ),
            ),
        ),
        "movers": Movers(as_of=AS_OF, rows=(climber(), faller()), new=(newcomer(),)),
        "weekend": (piece(7, Section.WEEKEND, "A short history of the margin note", source="Interface Papers"),),
    }
    return EditionContent(**values | more)


def climber() -> Mover:
    spark = (140, 162, 151, 149, 170, 166, 180, 240, 610, 1120, 1680, 2040, 2290, 2310)
    return mover("press/millstone", was=44, now=3, gained=10_400, multiple=8.5, spark=spark)


def faller() -> Mover:
    return mover("press/saltmarsh-voice", was=9, now=11, gained=702, site="Hugging Face", unit="likes")


def newcomer() -> Mover:
    return mover("press/plainsong", now=3, gained=962, new=True)


def mover(name: str, **values: Any) -> Mover:
    return Mover(
        **{"name": name, "url": f"https://code.example.org/{name}", "site": "GitHub", "unit": "stars"} | values
    )


def web_page(paper: EditionContent) -> str:
    """A stored page: whole HTML with its styles inline, as the press leaves it."""
    return (
        '<!DOCTYPE html><html lang="en"><head><title>Paper</title></head><body style="margin:0">'
        f"<h1>{paper.lead.headline}</h1><p>No. {paper.number}</p></body></html>"
    )


async def publish(db: Database, paper: EditionContent, upto: EditionStatus = EditionStatus.SENT) -> str:
    """Prints `paper` and moves it along to `upto`; gives its slug."""
    now = datetime.combine(paper.date, AS_OF.timetz()) + timedelta(minutes=40)
    async with db.write() as session:
        await drafts.add(session, day=paper.date, number=paper.number, salt="pepper", now=now, kind=paper.kind)
        edition = await editions.of_day(session, paper.date, paper.kind)
        assert edition is not None
        digest = f"{paper.number:064}"
        await drafts.fill(session, edition.id, paper, digest, now)
        await editions.move(session, edition.id, EditionStatus.DRAFT, EditionStatus.READY, "enough material")
        if upto is EditionStatus.READY:
            return editions.slug_of(paper.kind, paper.date)
        await freeze(session, edition.id, html=web_page(paper), text="the same in words", now=now)
        for sections, body, name in ((ALL_SECTIONS, web_page(paper), "whole"), (1, "<p>short</p>", "short")):
            await editions.add_variant(
                session, edition_id=edition.id, sections=sections, form=VariantForm.WEB, body=body, body_hash=name
            )
        path = (EditionStatus.FROZEN, EditionStatus.SENDING, EditionStatus.SENT)
        for from_, to in pairwise(path):
            if from_ is upto:
                break
            await editions.move(session, edition.id, from_, to, "")
    return editions.slug_of(paper.kind, paper.date)
