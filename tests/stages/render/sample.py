"""Editions to render: a full one, a bare one, and one whose every field is awkward."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from app.core.mail.template import Slot
from app.core.publication import Publication
from app.models.content import Chart, ChartRow, Cooled, EditionContent, Move, Mover, Movers, Piece, Section

DAY = dt.date(2026, 11, 20)
AS_OF = dt.datetime(2026, 11, 20, 5, 40, tzinfo=dt.UTC)
SLUG = "2026-11-20"
MARK = "7f3a9c0b12de"
SALT = "7f3a9c0b12de4f5a6b7c8d9e0f1a2b3c"

PAPER = Publication(
    name="The AI Morning Post",
    tagline="Artificial Intelligence · Machine Learning · Future Tech",
    public_url="https://post.example.org",
    sender=("The AI Morning Post", "post@example.org"),
    reply_to="",
    postal_address="4 Galley Lane, Harwich CO12 0ZZ",
    list_id="daily.example.org",
    zone=ZoneInfo("Europe/London"),
    deliver_minute=390,
)
VALUES = {
    Slot.ADDRESS: "ada@example.org",
    Slot.CONFIRMED_ON: "4 March 2026",
    Slot.SCHEDULE: "every day at 06:30, London time",
    Slot.NEXT_DELIVERY: "Saturday at 06:30",
    Slot.MANAGE: "https://post.example.org/preferences/AQAAAAAAAGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6",
    Slot.UNSUBSCRIBE: "https://post.example.org/unsubscribe/AQAAAAAAAGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6",
}


def piece(number: int, section: Section, headline: str, **more: Any) -> Piece:
    """A story with a source, a link and a length."""
    values: dict[str, Any] = {
        "source": "The Harbour Review",
        "url": f"https://stories.example.net/{number}",
        "minutes": 6,
    }
    return Piece(story_id=number, section=section, headline=headline, **values | more)


def told(*paragraphs: str) -> dict[str, str]:
    """A body in both its forms."""
    return {"body": "".join(f"<p>{one}</p>" for one in paragraphs), "body_text": "\n\n".join(paragraphs)}


def full(**changed: Any) -> EditionContent:
    """Something in every section, as on a good morning."""
    values: dict[str, Any] = {
        "date": DAY,
        "volume": 1,
        "number": 214,
        "minutes": 9,
        "subject": "A harbour lets its tide tables go",
        "preheader": "A port asks a small model. Also: why benchmarks rust and a scheduler nobody expected. 9 minutes.",
        "lead": _lead(),
        "deep_dive": _deep_dive(),
        "opinion": _opinion(),
        "tools": _tools(),
        "charts": (_models(), _datasets(), _repositories()),
        "movers": _movers(),
        "weekend": _weekend(),
    }
    return EditionContent(**values | changed)


def fullest() -> EditionContent:
    """Everything that can be known of every row, as wordy as it comes, on a day with as many rows as there are."""
    told: dict[str, Any] = {
        "days_on_chart": 365,
        "listed": 12,
        "listed_since": dt.date(2026, 9, 30),
        "renamed_from": "an-organisation/the-name-that-it-had-before",
        "why": "Paper: " + "On the keeping of notebooks by small models that are read by nobody and yet kept, "
        "4,321 upvotes on Hugging Face",
        "why_url": "https://huggingface.co/papers/2611.01234",
        "spark": DAYS["treadle"],
    }
    rows = {
        "name": "an-organisation/a-repository-with-a-long-name",
        "detail": "What it is good for, in a few words. " * 3,
    }
    charts = tuple(
        chart.model_copy(update={"rows": tuple(row.model_copy(update=told | rows) for row in chart.rows)})
        for chart in (_models(), _datasets(), _repositories())
    )
    movers = _movers()
    many = (*movers.rows, movers.rows[0])
    gone = tuple(
        Cooled(name=f"an-organisation/gone-{number}", url=f"https://github.com/g/{number}", site="GitHub", was=number)
        for number in range(1, 4)
    )
    changed = {
        "rows": tuple(row.model_copy(update=told) for row in many),
        "new": tuple(row.model_copy(update=told) for row in movers.new),
        "cooled": gone,
    }
    return full(charts=charts, movers=movers.model_copy(update=changed))


def bare() -> EditionContent:
    """The least that is printed: a lead without a link, a standfirst, a source or a word of text, and one tool."""
    return full(
        lead=Piece(story_id=1, section=Section.LEAD, headline="Nothing but a headline", minutes=1),
        minutes=1,
        deep_dive=None,
        opinion=(),
        tools=(Piece(story_id=2, section=Section.TOOLS, headline="awl", minutes=1),),
        charts=(),
        movers=None,
        weekend=(),
    )


def first_day() -> EditionContent:
    """One snapshot only: totals and estimates, no arrows, movers that are still being measured."""
    rows = tuple(
        ChartRow(rank=rank, name=f"press/model-{rank}", url=f"https://models.example.net/{rank}", total=9_000 - rank)
        for rank in range(1, 4)
    )
    totals = Chart(key="huggingface-models", title="Hugging Face models", unit="likes", as_of=AS_OF, rows=rows)
    guessed = _repositories().model_copy(
        update={
            "rows": tuple(
                row.model_copy(update={"move": Move.UNKNOWN, "reentry": False, "approximate": True})
                for row in _repositories().rows
            )
        }
    )
    movers = Movers(
        as_of=AS_OF,
        measuring_since=DAY,
        rows=tuple(
            one.model_copy(update={"was": None, "multiple": None, "approximate": True}) for one in _movers().rows
        ),
    )
    return full(charts=(totals, guessed), movers=movers)


def late() -> EditionContent:
    """One source did not answer: its chart is yesterday's and says so."""
    yesterday = AS_OF - dt.timedelta(days=1)
    stale = _repositories().model_copy(update={"as_of": yesterday, "stale": True})
    return full(charts=(_models(), stale))


AWKWARD = (
    "A & B <b>bold</b> \"quoted\" 'single' {{ x }} {% y %} [[000000000000:unsubscribe]] <!--000000000000-lead--> ]]> "
    "<mj-text>mj</mj-text> &amp; &#60; 🤗🚀 日本語 "
    "עברית \u202eoverride\u202c e\u0301 .\nFrom here\u2028line\x07bell\x0bvt"
)
LONG = "an-owner-with-a-very-long-name-of-its-own/" + "and-a-repository-name-that-goes-on-" * 4 + "v1.5"


def awkward() -> EditionContent:
    """Every plain field holds what could break markup, marks, slots or lines; bodies hold what nh3 lets through."""
    body = (
        '<p>Plain, <em>stressed</em> and <strong>loud</strong>.<br>A <a href="https://x.example.net/?a=1&amp;b=[[0000'
        '00000000:address]]">link</a> &amp; <code>x &lt; y</code>.</p><ul><li>one</li><li>two</li></ul>'
        "<ol><li>first</li></ol><blockquote><p>Said “so”.</p></blockquote>"
        '<p class="web" style="position:fixed">kept plain</p><script>alert(1)</script><img src="https://spy.example.net">'
        "<!--000000000000+weekend-->"
    )
    one = piece(
        1,
        Section.LEAD,
        f"Head {AWKWARD}",
        standfirst=AWKWARD,
        body=body,
        body_text=f"Plain, stressed and loud. {AWKWARD}\n\n000000000000+weekend\n\n- one\n- two",
        byline=AWKWARD,
        source=AWKWARD,
        url="https://x.example.net/a b?q=\"'<>&é",
    )
    row = ChartRow(rank=1, name=LONG, url=one.url, detail=AWKWARD, variants=1, move=Move.DOWN, places=12, gained=-3)
    chart = Chart(
        key="odd", title=AWKWARD, unit="li<kes", as_of=AS_OF, rows=(row, row.model_copy(update={"name": AWKWARD}))
    )
    mover = Mover(name=LONG, url=one.url, site=AWKWARD, unit="stars", was=3, now=44, gained=12, multiple=8.0)
    return full(
        subject=f"Head {AWKWARD}",
        preheader=AWKWARD,
        lead=one,
        deep_dive=one.model_copy(update={"section": Section.DEEP_DIVE}),
        opinion=tuple(one.model_copy(update={"section": Section.OPINION}) for _ in range(3)),
        tools=(one.model_copy(update={"section": Section.TOOLS, "headline": LONG}),),
        charts=(chart,),
        movers=Movers(as_of=AS_OF, rows=(mover, mover.model_copy(update={"was": None})), new=(mover,)),
        weekend=(one.model_copy(update={"section": Section.WEEKEND}),),
    )


def _lead() -> Piece:
    return piece(
        1,
        Section.LEAD,
        "A harbour lets its tide tables go",
        standfirst="A small port stopped buying its forecasts and trained a model that fits on the pilot's own laptop. "
        "The boats came in as before; the invoices did not.",
        source="The Quayside Register",
        minutes=4,
        **told(
            "Every evening for eleven years the pilots of a small northern port bought tomorrow’s tides from a company "
            "two countries away. In June they began to run a model of their own beside it, trained on the gauge at the "
            "end of the pier, and wrote down each morning which of the two had been nearer.",
            "By September the gauge had won on two days of three. It lost in storms, when nobody trusts a table, "
            "and on those days the pilots went back to looking out of the window. The harbour master kept both columns "
            "and showed them to anybody who asked.",
            "Four other ports have asked for the notebook. It will be published in the spring, with the mistakes left "
            "in and the names of the boats taken out.",
        ),
    )


def _deep_dive() -> Piece:
    return piece(
        2,
        Section.DEEP_DIVE,
        "How a benchmark gathers rust",
        source="Methods Quarterly",
        minutes=18,
        **told(
            "A test is sharpest on the day it is published. The authors follow nine through four years and find "
            "that each is blunted in the same order: first its questions leak, then its graders tire, then the field "
            "learns to answer the grader instead of the question. The second half is a manual. It tells how one group "
            "keeps a tenth test bright by retiring a third of it every season, and what that costs in people.",
        ),
    )


def _opinion() -> tuple[Piece, ...]:
    first = told(
        "An assistant that admits it has not read the file is thought broken, and one that guesses is thought quick. "
        "The first should be paid more. Whoever has waited for a guess to be undone knows why."
    )
    second = told(
        "Announcements are written for people who will never use the thing. The few who will want to know what was "
        "renamed, what was dropped and what stops working in March."
    )
    return (
        piece(3, Section.OPINION, "Let it say that it has not read the file", byline="Oona Marchetti", **first),
        piece(4, Section.OPINION, "A good word for boring changelogs", byline="Pål Ekdahl", minutes=5, **second),
    )


def _tools() -> tuple[Piece, ...]:
    lines = {
        "Foliate": "Turns a carton of scans into clean text, and remembers which page each line stood on.",
        "Skerry": "Replays an agent’s run offline, forwards and backwards, one decision at a time.",
        "Tollbook": "Counts tokens by team and by feature, and will not draw you an average.",
        "Lullbench": "Runs an evaluation again only when something that it rests on has changed.",
    }
    return tuple(
        piece(number, Section.TOOLS, name, standfirst=line) for number, (name, line) in enumerate(lines.items(), 5)
    )


def _row(rank: int, name: str, detail: str, gained: int, move: Move, places: int = 0, **more: Any) -> ChartRow:
    url = f"https://{more.pop('host', 'huggingface.co')}/{name}"
    return ChartRow(rank=rank, name=name, url=url, detail=detail, gained=gained, move=move, places=places, **more)


def _models() -> Chart:
    rows = (
        _row(1, "breakwater-9b-chat", "northmole · text generation", 1284, Move.UP, 2, variants=6),
        _row(2, "curlew-asr-large", "openquay · speech recognition", 1107, Move.DOWN, 1, variants=3, days_on_chart=12),
        _row(3, "evensong-tts", "studio-wren · text to speech", 962, Move.NEW),
        _row(4, "gazetteer-embed-v3", "chartroom · sentence similarity", 845, Move.SAME, variants=2),
        _row(5, "blotter-vl-4b", "ragmill · image and text to text", 790, Move.UP, 9),
    )
    return Chart(key="huggingface-models", title="Hugging Face models", unit="likes", as_of=AS_OF, rows=rows)


def _datasets() -> Chart:
    rows = (
        _row(1, "parish-ledgers", "fieldnotes · tabular", 512, Move.UP, 1),
        _row(2, "empty-rooms", "openquay · audio", 431, Move.NEW),
        _row(3, "letters-to-the-council", "ragmill · text", 398, Move.DOWN, 2),
    )
    return Chart(key="huggingface-datasets", title="Hugging Face datasets", unit="likes", as_of=AS_OF, rows=rows)


def _repositories() -> Chart:
    hub: dict[str, Any] = {"host": "github.com"}
    back: dict[str, Any] = {"reentry": True, "days_on_chart": 9}
    rows = (
        _row(
            1, "skerry-dev/skerry", "Replay agent runs offline, like a debugger.", 14200, Move.SAME, total=52300, **hub
        ),
        _row(2, "weir-io/weir", "Streaming SQL over queues.", 11050, Move.UNKNOWN, total=41870, **back, **hub),
        _row(3, "treadle/treadle", "Batch inference on idle GPUs, politely.", 10400, Move.UP, 41, total=31600, **hub),
        _row(
            4,
            "ragmill/blotter",
            "Mark up long papers with small vision models.",
            6730,
            Move.DOWN,
            2,
            total=28940,
            **hub,
        ),
        _row(
            5, "lullbench/lullbench", "Evaluations that rerun only when they must.", 5120, Move.NEW, total=6010, **hub
        ),
    )
    return Chart(key="github-repositories", title="GitHub repositories", unit="stars", as_of=AS_OF, rows=rows)


def _moved(name: str, was: int | None, now: int, gained: int, times: float | None, **more: Any) -> Mover:
    hub = "/" in name
    return Mover(
        name=name,
        url=f"https://{'github.com' if hub else 'huggingface.co'}/{name}",
        site="GitHub" if hub else "Hugging Face",
        unit="stars" if hub else "likes",
        was=was,
        now=now,
        gained=gained,
        multiple=times,
        **more,
    )


DAYS: dict[str, tuple[int, ...]] = {
    "treadle": (140, 162, 151, 149, 170, 166, 180, 240, 610, 1120, 1680, 2040, 2290, 2310),
    "mudflat": (16, 15, 14, 17, 19, 15, 21, 22, 34, 61, 98, 120, 151, 149),
    "fold": (120, 110, 95, 104, 99, 132, 170, 240, 390, 470, 500, 560, 620, 540),
    "blotter": (40, 38, 44, 41, 52, 49, 66, 88, 120, 118, 125, 131, 142, 140),
    "evensong": (0, 0, 0, 0, 0, 0, 0, 3, 40, 110, 160, 181, 196, 204),
    "lullbench": (0, 0, 0, 0, 0, 0, 12, 290, 600, 790, 870, 890, 860, 820),
}


def _movers() -> Movers:
    return Movers(
        as_of=AS_OF,
        rows=(
            _moved(
                "treadle/treadle",
                44,
                3,
                10400,
                8.5,
                spark=DAYS["treadle"],
                why="Released treadle 2.0 on 18 November",
                why_url="https://github.com/treadle/treadle/releases/tag/v2.0",
                listed=3,
                listed_since=dt.date(2026, 11, 3),
            ),
            _moved("mudflat-voice", 35, 9, 702, 6.1, spark=DAYS["mudflat"], renamed_from="mudlark-voice"),
            _moved("fold-and-press/fold", 31, 12, 3340, 4.4, spark=DAYS["fold"]),
            _moved("blotter-vl-4b", 14, 5, 790, 3.0, spark=DAYS["blotter"]),
        ),
        new=(
            _moved("evensong-tts", None, 3, 962, None, new=True, spark=DAYS["evensong"]),
            _moved("lullbench/lullbench", None, 5, 5120, None, new=True, spark=DAYS["lullbench"]),
        ),
    )


def _weekend() -> tuple[Piece, ...]:
    return (
        piece(
            9,
            Section.WEEKEND,
            "A short history of the margin note",
            standfirst="Six centuries of readers answering back, from a monk’s pointing hand to the comment resolved "
            "this morning.",
            source="Interface Papers",
            minutes=12,
        ),
        piece(
            10,
            Section.WEEKEND,
            "Teaching a lighthouse to ignore the moon",
            standfirst="A sensor that mistook moonrise for dusk, and the people who had to explain it.",
            source="Night Sky Notes",
            minutes=9,
        ),
        piece(
            11,
            Section.WEEKEND,
            "The clerk who filed everything twice",
            standfirst="Once where it belonged and once where people would look.",
            source="Shelf Mark",
            minutes=15,
        ),
    )
