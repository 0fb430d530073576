"""How long a full edition takes to render, and its 64 cuts in each form. `python -m bench.render` ends with JSON."""

import json
import statistics
import sys
import time
from collections.abc import Callable

from app.core.mail.quoted import encode
from app.core.mail.template import Pieces
from app.models.content import ALL_SECTIONS, sections_of
from app.models.editions import VariantForm
from app.stages.render import mjml, text, variants
from bench.measure import Measurement
from tests.stages.render import sample

ROUNDS = 7


def measure() -> list[Measurement]:
    """Medians of seven rounds; the first rendering of the process is a figure of its own."""
    first = _milliseconds(_html)
    html, words = _html(), _text()
    rendered = _median(_html)
    one = rendered + _median(_text) + _median(lambda: variants.cut(html, variants.EVERYTHING, VariantForm.HTML))
    all_cuts = one + _median(lambda: _every_cut(html, words))
    mail = variants.cut(html, variants.EVERYTHING, VariantForm.HTML)
    return [
        Measurement("first rendering of a process", first, "ms", 1_500),
        Measurement("render one variant", one, "ms", 400),
        Measurement("render and cut 64 variants, HTML, text and web", all_cuts, "ms", 1_500),
        Measurement("encode a template", _median(lambda: _encode(mail)), "ms", 100),
        Measurement("HTML of a full mail", len(mail.encode()) / 1000, "kB", 90),
    ]


def _html() -> str:
    return mjml.edition_html(sample.full(), sample.PAPER, sample.SLUG, sample.MARK)


def _text() -> str:
    return text.edition_text(sample.full(), sample.PAPER, sample.SLUG, sample.MARK)


def _every_cut(html: str, words: str) -> None:
    for bits in range(ALL_SECTIONS + 1):
        kept = sections_of(bits)
        for body, form in ((html, VariantForm.HTML), (html, VariantForm.WEB), (words, VariantForm.TEXT)):
            variants.hash_of(variants.cut(body, kept, form))


def _encode(mail: str) -> None:
    for literal in Pieces.cut(mail, sample.MARK).literals:
        encode(literal)


def _median(work: Callable[[], object]) -> float:
    return statistics.median(_milliseconds(work) for _ in range(ROUNDS))


def _milliseconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000


def main() -> int:
    """Prints each figure beside its budget, then all of them as one line of JSON."""
    found = measure()
    for one in found:
        share = one.value / one.budget
        sys.stdout.write(f"{one.what}: {one.value:,.1f} {one.unit}, {share:.0%} of {one.budget:,.0f}\n")
    figures = {one.what: {"value": round(one.value, 2), "unit": one.unit, "budget": one.budget} for one in found}
    sys.stdout.write(json.dumps(figures) + "\n")
    return 0 if all(one.within for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
