"""The edition as plain text, written from the same content as the HTML. Pure.

Lines are wrapped at 76 columns; an address has a line of its own and is never broken. Each section numbers its links
and lists them at its end, so that a text with sections cut out of it still reads from top to bottom.
"""

from collections.abc import Iterable
from typing import assert_never

from app.core.publication import Publication
from app.models.content import TITLES, EditionContent, Piece, Section
from app.stages.render import paragraphs, text_charts, wording
from app.stages.render.marks import Marker
from app.stages.render.plain import INDENT, WIDTH, Links, wrap
from app.stages.render.templates import body


def edition_text(content: EditionContent, publication: Publication, slug: str, mark: str) -> str:
    """The whole edition with section marks and slots; `variants.cut` makes mails of it.

    Raises ValueError for a mark that is no word or that a story says.
    """
    marker = Marker(mark, html=False)
    parts = [_masthead(content, publication, slug)]
    for section, written in _sections(content, publication):
        parts.append(marker.open(section) + _heading(TITLES[section]) + written + "\n" + marker.close(section))
    parts.append(_subscribe(publication))
    parts.append(_end(content, publication, marker))
    return marker.whole("".join(parts))


def _sections(content: EditionContent, publication: Publication) -> Iterable[tuple[Section, str]]:
    """The sections that have anything today, each with its own links under it."""
    for section in Section:
        links = Links()
        if words := _section(section, content, publication, links):
            listed = links.listed()
            yield section, f"{words}\n{listed}" if listed else words


def _section(section: Section, content: EditionContent, publication: Publication, links: Links) -> str:
    """Empty where it has nothing today."""
    match section:
        case Section.LEAD:
            words = _story(content.lead, "Read the full story", links)
            words += _also(content, publication, links)
        case Section.DEEP_DIVE:
            words = _story(content.deep_dive, "Read the deep dive", links) if content.deep_dive else ""
        case Section.OPINION:
            words = "\n* * *\n\n".join(_story(piece, "Read the column", links) for piece in content.opinion)
        case Section.TOOLS:
            words = "\n".join(_line(piece, links) for piece in content.tools)
        case Section.TRENDING:
            words = text_charts.trending(content.charts, publication, links) if content.charts else ""
        case Section.MOVERS:
            words = text_charts.movers(content.movers, links) if section in content.present and content.movers else ""
        case Section.WEEKEND:
            words = "\n".join(_line(piece, links, credited=True) for piece in content.weekend)
        case _:
            assert_never(section)
    return words


def _masthead(content: EditionContent, publication: Publication, slug: str) -> str:
    line = " · ".join(
        (
            wording.masthead(content),
            wording.full_date(content.date),
            wording.minutes_to_read(content.minutes),
        )
    )
    page = f"View in browser: {publication.public_url}/editions/{slug}\n\n"
    return wrap(publication.name.upper()) + wrap(publication.tagline) + wrap(line) + page


def _heading(title: str) -> str:
    return f"{'=' * WIDTH}\n{title.upper()}\n\n"


def _story(piece: Piece, action: str, links: Links) -> str:
    blocks = [wrap(piece.headline), wrap(piece.standfirst), wrap(f"By {piece.byline}" if piece.byline else "")]
    blocks.append(paragraphs.written(body(piece), links) if piece.body else _words(piece.body_text))
    blocks.append(wrap(wording.credit(piece)) + (wrap(action + links.ref(piece.url)) if piece.url else ""))
    return "\n".join(block for block in blocks if block)


def _also(content: EditionContent, publication: Publication, links: Links) -> str:
    """The other leads of a weekly, a line each; empty in a daily."""
    if not content.also:
        return ""
    lines = [
        wrap(one.headline + links.ref(wording.address_of(one, publication.public_url)))
        + wrap(one.standfirst, INDENT)
        + wrap(wording.credit(one), INDENT)
        for one in content.also
    ]
    return "\n" + "\n".join([wrap(wording.ALSO.upper()), *lines])


def _words(told: str) -> str:
    """A story that came without HTML: paragraphs apart by a blank line; the lines of a list keep their own lines."""
    return "\n".join(block for block in map(_paragraph, told.split("\n\n")) if block)


def _paragraph(part: str) -> str:
    lines = [line for line in part.split("\n") if line.strip()]
    return "".join(wrap(line, "  " if line.startswith("- ") else "", "") for line in lines)


def _line(piece: Piece, links: Links, *, credited: bool = False) -> str:
    credit = wrap(wording.credit(piece), INDENT) if credited else ""
    return wrap(piece.headline + links.ref(piece.url)) + wrap(wording.line_of(piece), INDENT) + credit


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
