"""Pictures of the finished edition for docs/look: `python -m tests.look FOLDER`. The words are the sample's own."""

import asyncio
import sys
import tempfile
from pathlib import Path

from app.core.mail.template import Pieces
from app.models.content import EditionContent
from app.models.editions import VariantForm
from app.stages.render import camera, mjml, preview, variants
from tests.stages.render import sample


def mail(content: EditionContent) -> str:
    """The whole mail, filled in, with its pictures in it."""
    whole = mjml.edition_html(content, sample.PAPER, sample.SLUG, sample.MARK)
    cut = variants.cut(whole, content.present, VariantForm.HTML)
    return preview.with_pictures(Pieces.cut(cut, sample.MARK).fill(sample.VALUES), content, sample.PAPER)


async def _take(folder: Path) -> None:
    chromium = camera.program()
    if chromium is None:
        sys.exit("There is no Chromium on this machine: apt-get install chromium (Debian), or put one on PATH.")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        page = Path(place) / "edition.html"
        page.write_text(mail(sample.full()), encoding="utf-8")
        for view in camera.VIEWS:
            await camera.take(chromium, page, view, folder / f"edition-{view.name}.png")


if __name__ == "__main__":
    asyncio.run(_take(Path(sys.argv[1])))
