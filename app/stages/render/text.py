"""The edition as plain text, written from the same content as the HTML. Pure.

Lines are wrapped at 76 columns; an address has a line of its own and is never broken. Links stand under what they
belong to, so that a text with sections cut out of it still reads from top to bottom.
"""

import textwrap
from collections.abc import Iterable, Sequence

from app.core.settings import Publication
from app.models.content import TITLES, Chart, ChartRow, EditionContent, Mover, Movers, Piece, Section
from app.stages.render import wording
from app.stages.render.characters import one_line
from app.stages.render.marks import Marker

WIDTH = 76
_INDENT = "    "


def edition_text(content: EditionContent, publication: Publication, slug: str, mark: str) -> str:
    """The whole edition with section marks and slots; `variants.cut` makes mails of it.

    Raises ValueError for a mark that is no word or that a story says.
    """
    marker = Marker(mark, html=False)
    parts = [_masthead(content, publication, slug)]
    for section, written in _sections(content):
        parts.append(marker.open(section) + _heading(TITLES[section]) + written + "\n" + marker.close(section))
    parts.append(_subscribe(publication))
    parts.append(_end(content, publication, marker))
    return marker.whole("".join(parts))


def wrap(words: str, indent: str = "", first: str | None = None) -> str:
    """`words` in lines of at most 76 columns, without control characters; `first` is the first line's indent."""
    lines = textwrap.wrap(
        one_line(words),
        WIDTH,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines) + "\n" if lines else ""


def _sections(content: EditionContent) -> Iterable[tuple[Section, str]]:
    yield Section.LEAD, _story(content.lead, "Read the full story")
    if content.deep_dive:
        yield Section.DEEP_DIVE, _story(content.deep_dive, "Read the deep dive")
    if content.opinion:
        yield Section.OPINION, "\n* * *\n\n".join(_story(piece, "Read the column") for piece in content.opinion)
    if content.tools:
        yield Section.TOOLS, "\n".join(_tool(piece) for piece in content.tools)
    if content.charts:
        yield Section.TRENDING, _trending(content.charts)
    if content.movers and (content.movers.rows or content.movers.new):
        yield Section.MOVERS, _movers(content.movers)
    if content.weekend:
        yield Section.WEEKEND, "\n".join(_weekend(piece) for piece in content.weekend)


def _masthead(content: EditionContent, publication: Publication, slug: str) -> str:
    line = " · ".join(
        (
            wording.issue(content.volume, content.number),
            wording.full_date(content.date),
            wording.minutes_to_read(content.minutes),
        )
    )
    page = f"View in browser: {publication.public_url}/editions/{slug}\n\n"
    return wrap(publication.name.upper()) + wrap(publication.tagline) + wrap(line) + page


def _heading(title: str) -> str:
    return f"{'=' * WIDTH}\n{title.upper()}\n\n"


def _story(piece: Piece, action: str) -> str:
    blocks = [wrap(piece.headline), wrap(piece.standfirst), wrap(f"By {piece.byline}" if piece.byline else "")]
    blocks += [_paragraph(part) for part in piece.body_text.split("\n\n")]
    blocks.append(wrap(wording.credit(piece)) + (f"{action}: {one_line(piece.url)}\n" if piece.url else ""))
    return "\n".join(block for block in blocks if block)


def _paragraph(part: str) -> str:
    """A paragraph; the lines of a list keep their own lines."""
    lines = [line for line in part.split("\n") if line.strip()]
    return "".join(wrap(line, "  " if line.startswith("- ") else "", "") for line in lines)


def _tool(piece: Piece) -> str:
    return wrap(piece.headline) + wrap(wording.line_of(piece), _INDENT) + _link(piece.url)


def _weekend(piece: Piece) -> str:
    line, credit = wrap(wording.line_of(piece), _INDENT), wrap(wording.credit(piece), _INDENT)
    return wrap(piece.headline) + line + credit + _link(piece.url)


def _link(url: str) -> str:
    return f"{_INDENT}{one_line(url)}\n" if url else ""


def _trending(charts: Sequence[Chart]) -> str:
    counted = f"Counted from the public pages of {wording.hosts(charts)}."
    return "\n".join([*(_chart(chart) for chart in charts), wrap(counted)])


def _chart(chart: Chart) -> str:
    title = wrap(f"{chart.title} by {chart.unit}, {wording.chart_stamp(chart)}")
    return "\n".join([title, *(_row(row) for row in chart.rows)])


def _row(row: ChartRow) -> str:
    shift = wording.row_shift(row).spoken
    counts = [_gained(row.gained, approximate=row.approximate)]
    counts.append(f"{row.total:,} in all" if row.total is not None else "")
    detail = [row.detail, f"+{row.variants} variant{'' if row.variants == 1 else 's'}" if row.variants else ""]
    head = ", ".join(part for part in (row.name, shift, *counts) if part)
    below = wrap(" · ".join(part for part in detail if part), _INDENT)
    return wrap(head, _INDENT, f"{row.rank:>2}. ") + below + _link(row.url)


def _gained(gained: int | None, *, approximate: bool) -> str:
    if gained is None:
        return ""
    sign = "-" if gained < 0 else "about " if approximate else "+"
    return f"{sign}{abs(gained):,} this week"


def _movers(movers: Movers) -> str:
    since = movers.measuring_since
    note = f"Figures {wording.stamp(movers.as_of)}."
    if since:
        note += f" Measuring since {wording.day_and_month(since)}. {wording.MEASURING}"
    new = ["New to the charts\n", *(_mover(mover) for mover in movers.new)] if movers.new else []
    return "\n".join([wrap(note), *(_mover(mover) for mover in movers.rows), *new])


def _mover(mover: Mover) -> str:
    where = wording.mover_shift(mover).spoken or f"at {mover.now}"
    facts = [_gained(mover.gained, approximate=mover.approximate), *wording.mover_facts(mover)]
    head = wrap(f"{mover.name} ({mover.site}): {where}", _INDENT, "")
    return head + wrap(", ".join(fact for fact in facts if fact), _INDENT) + _link(mover.url)


def _subscribe(publication: Publication) -> str:
    return _heading("Subscribe") + wrap(f"{wording.PASSED_ON} {wording.OFFER}") + f"{publication.public_url}\n\n"


def _end(content: EditionContent, publication: Publication, marker: Marker) -> str:
    imprint = ", ".join(part for part in (publication.name, publication.postal_address) if part)
    return "".join(
        (
            f"{'=' * WIDTH}\n",
            f"That is the whole paper. The next one is on {marker.slot('next_delivery')}.\n\n",
            f"You get this because {marker.slot('address')}\n",
            f"was confirmed on {marker.slot('confirmed_on')}.\n",
            f"It comes {marker.slot('schedule')}.\n\n",
            f"Manage preferences: {marker.slot('manage')}\n",
            f"Unsubscribe: {marker.slot('unsubscribe')}\n\n",
            wrap(f"{imprint}. {wording.PUBLISHERS}"),
            *_rankings(content, marker),
        )
    )


def _rankings(content: EditionContent, marker: Marker) -> list[str]:
    if not content.charts:
        return []
    return [marker.open(Section.TRENDING), wrap(wording.RANKINGS), marker.close(Section.TRENDING)]
