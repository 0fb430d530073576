"""An edition before anybody gets it: the mail as HTML and text, with an invented reader's values in its slots.

Its pictures are in it, because before the freeze nobody serves them, and so that it can be read anywhere.
"""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from html import escape

from app.core.calendar import zone_words
from app.core.db import Database
from app.core.mail.template import Pieces, Slot
from app.core.publication import Publication
from app.models.content import EditionContent, EditionKind
from app.models.editions import VariantForm
from app.stages.render import charts, marks, mjml, printed, qr, variants, wording


@dataclass(frozen=True, slots=True)
class Preview:
    """What a reader would see, and the content it was made of as JSON."""

    html: str
    text: str
    json: str


async def of_edition(db: Database, edition_id: int, publication: Publication) -> Preview:
    """The preview of an edition in any state. Raises NotFound, and Conflict where nothing is composed yet."""
    edition = await printed.printed(db, edition_id, publication)
    values = neutral(publication, edition.content)
    html = _filled(edition.html, VariantForm.HTML, {name: escape(value) for name, value in values.items()})
    return Preview(
        html=with_pictures(html, edition.content, publication),
        text=_filled(edition.text, VariantForm.TEXT, values),
        json=edition.content.model_dump_json(indent=2),
    )


def neutral(publication: Publication, content: EditionContent) -> dict[Slot, str]:
    """Values of nobody: a reader with the default morning; the personal links lead to the front page."""
    day, weekly = content.date, content.kind is EditionKind.WEEKLY
    hour, minute = divmod(publication.deliver_minute, 60)
    at = f"{hour:02}:{minute:02}"
    following = day + timedelta(days=7 if weekly else 1)
    return {
        Slot.ADDRESS: "reader@example.org",
        Slot.CONFIRMED_ON: f"{wording.day_and_month(day)} {day.year}",
        Slot.SCHEDULE: f"{'on Saturdays' if weekly else 'every day'} at {at}, {zone_words(publication.zone)}",
        Slot.NEXT_DELIVERY: f"{wording.DAYS[following.weekday()]} at {at}",
        Slot.UNSUBSCRIBE: publication.public_url,
        Slot.MANAGE: publication.public_url,
    }


def with_pictures(html: str, content: EditionContent, publication: Publication) -> str:
    """`html` with the bytes of its pictures in the place of their addresses (RFC 2397)."""
    folder = mjml.charts_url(publication)
    shown = {f"{folder}/{name}.png": png for name, png in charts.of_content(content).items()}
    shown[f"{publication.public_url}/qr.png"] = qr.qr_png(publication.public_url)
    for address, png in shown.items():
        html = html.replace(f'src="{escape(address)}"', f'src="data:image/png;base64,{b64encode(png).decode()}"')
    return html


def _filled(body: str, form: VariantForm, values: Mapping[Slot, str]) -> str:
    return Pieces.cut(variants.cut(body, variants.EVERYTHING, form), marks.mark_of(body)).fill(values)
