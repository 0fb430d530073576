"""Figures, dates and names in the paper's words, for HTML and text alike. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from app.core.calendar import roman, zone_words
from app.core.language import Phrase, dated, figure, forms, joined, plural, say
from app.models.content import Chart, ChartRow, Counted, EditionContent, EditionKind, Move, Mover, Piece

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
MEASURING = (
    "Places are compared once there is a week to compare with. "
    "Until then, the largest gains that the sources themselves report."
)
PASSED_ON = "Was this passed on to you?"
OFFER = "The paper is free, comes every morning, and takes one click to leave."
PUBLISHERS = "Story links go to the publishers named beside them."
LEFT = "Left our charts"
METHOD = "How we count"
ALSO = "Also this week"
RANKINGS = "Rankings are ours, from public figures."
_CHARTS = {
    "huggingface-models": "Hugging Face models",
    "huggingface-datasets": "Hugging Face datasets",
    "github-repositories": "GitHub repositories",
}
"""What readers look for among the charts, by key."""
_NOUNS = {"models": "Model", "datasets": "Dataset", "repositories": "Repository"}


@dataclass(frozen=True, slots=True)
class Shift:
    """A change of place: `glyph` as printed, `spoken` for a screen reader and plain text; both empty where unknown.

    A `tag` is a word in a frame, NEW or RE, instead of an arrow.
    """

    kind: Move
    glyph: str = ""
    spoken: str = ""
    tag: bool = False


def full_date(day: date) -> Phrase:
    """Friday, 20 November 2026."""
    return dated("EEEE, d MMMM y", day)


def day_and_month(day: date) -> Phrase:
    """20 November."""
    return dated("d MMMM", day)


def clock_time(instant: datetime) -> Phrase:
    """06:30, in the instant's own zone."""
    return dated("HH:mm", instant)


def arrival(due: datetime) -> Phrase:
    """Monday at 06:30, London time; in the instant's own zone, which is a ZoneInfo."""
    assert isinstance(due.tzinfo, ZoneInfo)
    return say("{when}, {zone}", when=dated("EEEE 'at' HH:mm", due), zone=zone_words(due.tzinfo))


def issue(volume: int, number: int | None) -> Phrase:
    """Vol. I · No. 214; without a number Vol. I."""
    if number is None:
        return say("Vol. {volume}", volume=roman(volume))
    return say("Vol. {volume} · No. {number}", volume=roman(volume), number=number)


def minutes_to_read(minutes: int) -> Phrase:
    """9 minutes to read."""
    return plural("{number} minute to read", "{number} minutes to read", minutes)


def stamp(as_of: datetime, *, stale: bool = False) -> Phrase:
    """As of 05:40 UTC; figures of another day name it: as of Thursday 05:40 UTC."""
    instant = as_of.astimezone(UTC)
    return say("as of {when} UTC", when=dated("EEEE HH:mm", instant) if stale else clock_time(instant))


def chart_stamp(chart: Chart) -> str:
    return stamp(chart.as_of, stale=chart.stale)


def common_stamp(charts: Sequence[Chart]) -> str:
    """The stamp over all charts: that of the first fresh one; empty where every one is late."""
    return next((chart_stamp(chart) for chart in charts if not chart.stale), "")


def credit(piece: Piece) -> str:
    """The Compute Ledger · 4 min; in a weekly also the day whose paper printed it: Wednesday."""
    printed = DAYS[piece.printed_on.weekday()] if piece.printed_on else ""
    return joined((piece.source, say("{number} min", number=piece.minutes), printed), between=" · ")


def masthead(content: EditionContent) -> str:
    """Vol. I · No. 214; a weekly says so: Weekly · Vol. I · No. 215."""
    weekly = "Weekly" if content.kind is EditionKind.WEEKLY else ""
    return joined((weekly, issue(content.volume, content.number)), between=" · ")


def address_of(piece: Piece, public_url: str) -> str:
    """Where a piece that a weekly prints as one line can be read: at its source, else in the paper of its day."""
    return piece.url or (f"{public_url}/editions/{piece.printed_on}" if piece.printed_on else "")


def led(chart: Chart) -> str:
    """First this week: gemma-3, Monday to Wednesday; qwen3, Thursday and Saturday. Empty where nobody counted."""
    if not chart.leaders:
        return ""
    return f"First this week: {'; '.join(f'{one.name}, {_days(one.days)}' for one in chart.leaders)}."


def _days(days: Sequence[date]) -> str:
    """Runs of three days and more as "Monday to Wednesday"."""
    runs: list[list[date]] = []
    for day in days:
        if runs and (day - runs[-1][-1]).days == 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    said = [
        word
        for run in runs
        for word in (
            [f"{DAYS[run[0].weekday()]} to {DAYS[run[-1].weekday()]}"]
            if len(run) > 2
            else [DAYS[day.weekday()] for day in run]
        )
    ]
    return " and ".join([", ".join(said[:-1]), said[-1]] if len(said) > 1 else said)


def line_of(piece: Piece) -> str:
    """What is said of a piece that is printed as one line."""
    return piece.standfirst or " ".join(piece.body_text.split())


def gain(gained: int | None, *, approximate: bool = False) -> str:
    """+1,284, −12, or ≈1,284 for a source's own estimate; empty where nobody can say."""
    if gained is None:
        return ""
    sign = "−" if gained < 0 else "≈" if approximate else "+"
    return joined((sign, figure(abs(gained))), between="")


def spoken_gain(gained: int | None, *, approximate: bool = False) -> str:
    """The gain without a sign that a screen reader might skip: about 1,284."""
    if gained is None:
        return ""
    return f"{'about ' if approximate else 'minus ' if gained < 0 else 'plus '}{abs(gained):,}"


def multiple(of: float) -> str:
    """8.5×, 8×."""
    return f"{f'{of:,.1f}'.removesuffix('.0')}×"


def noun(chart: Chart) -> str:
    """What stands in the chart's rows: Model, Dataset, Repository."""
    return _NOUNS.get(chart.key.rpartition("-")[2], "Name")


def has_gains(chart: Chart) -> bool:
    return any(row.gained is not None for row in chart.rows)


def has_moves(chart: Chart) -> bool:
    return any(row_shift(row).glyph for row in chart.rows)


def has_estimates(charts: Sequence[Chart]) -> bool:
    return any(row.approximate and row.gained is not None for chart in charts for row in chart.rows)


def hosts(charts: Sequence[Chart]) -> str:
    """The sites the charts were counted from: huggingface.co and github.com."""
    found = {urlsplit(row.url).hostname: None for chart in charts for row in chart.rows}
    return " and ".join(host for host in found if host)


def left_out(charts: Sequence[Chart]) -> str:
    """Which of the usual charts is not there, so that nobody takes a silent source for a still one; empty for none."""
    printed = {chart.key for chart in charts}
    missing = [title for key, title in _CHARTS.items() if key not in printed]
    return f"Left out, for want of fresh figures: {' and '.join(missing)}." if charts and missing else ""


def row_shift(row: ChartRow) -> Shift:
    """A chart row against last week; unknown stays blank, it is never "same"."""
    if row.reentry:
        return _back()
    match row.move:
        case Move.UP:
            return Shift(Move.UP, f"▲\u200a{row.places}", f"up {row.places}")
        case Move.DOWN:
            return Shift(Move.DOWN, f"▼\u200a{row.places}", f"down {row.places}")
        case Move.SAME:
            return Shift(Move.SAME, "–", "unchanged")
        case Move.NEW:
            return Shift(Move.NEW, "NEW", "new", tag=True)
        case Move.UNKNOWN:
            return Shift(Move.UNKNOWN)


def mover_shift(mover: Mover) -> Shift:
    """A mover's change of place, with both ranks said."""
    if mover.was is None:
        return _back() if mover.reentry else Shift(Move.UNKNOWN)
    places = abs(mover.was - mover.now)
    if not places:
        return Shift(Move.SAME, "–", say("unchanged at {place}", place=mover.now))
    ranks = {"was": mover.was, "now": mover.now}
    if mover.was > mover.now:
        one, many = forms("up {number} place, from {was} to {now}", "up {number} places, from {was} to {now}")
        return Shift(Move.UP, f"▲\u200a{places}", plural(one, many, places, **ranks))
    one, many = forms("down {number} place, from {was} to {now}", "down {number} places, from {was} to {now}")
    return Shift(Move.DOWN, f"▼\u200a{places}", plural(one, many, places, **ranks))


def _back() -> Shift:
    """Off the chart a week ago, on it some day before."""
    return Shift(Move.UNKNOWN, say("RE"), say("back on the chart"), tag=True)


def row_facts(row: ChartRow) -> tuple[str, ...]:
    """What stands under a row's name: what it is, its variants, its days on the chart, its earlier name."""
    days = row.days_on_chart or 0
    beside = (
        f"+{row.variants}\u00a0variant{'' if row.variants == 1 else 's'}" if row.variants else "",
        f"{days}\u00a0days on the chart" if days > 1 else "",
        _formerly(row),
    )
    facts = [fact for fact in beside if fact]
    # A description may be a whole sentence; a full stop before the dot between two facts would be one stop too many.
    detail = row.detail.removesuffix(".") if facts and not row.detail.endswith("..") else row.detail
    return tuple(fact for fact in (detail, *facts) if fact)


def mover_facts(mover: Mover) -> tuple[str, ...]:
    """What is said after a mover's gain: its multiple, or that it is new."""
    if mover.new:
        return ("first week on the chart",)
    return (f"{multiple(mover.multiple)} its usual week",) if mover.multiple is not None else ()


def mover_history(mover: Mover) -> str:
    """What the paper has said of a mover before: how often it was listed, its earlier name; empty where nothing."""
    return " · ".join(fact for fact in (_listed(mover), _formerly(mover)) if fact)


def _listed(one: Counted) -> str:
    if not one.listed or one.listed_since is None:
        return ""
    since = day_and_month(one.listed_since)
    return f"listed once before, on {since}" if one.listed == 1 else f"listed {one.listed} times since {since}"


def _formerly(one: Counted) -> str:
    return f"formerly {one.renamed_from}" if one.renamed_from else ""
