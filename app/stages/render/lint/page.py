"""The finished page: its size, its images, what the law wants at its foot."""

from collections.abc import Iterator

from app.stages.render.lint.problem import Problem, error, warning
from app.stages.render.lint.proof import Proof, said, short

BUDGET, CLIPPED = 90_000, 102_000
"""Bytes of HTML: our own limit, and where Gmail cuts the rest off, the way out with it."""
LARGEST_SHEET = 8_192
"""Characters of one style sheet; Gmail ignores a larger one."""


def size(proof: Proof) -> Iterator[Problem]:
    """Of the HTML with all sections, as it is decoded."""
    weight = len(proof.page.encode())
    if weight > CLIPPED:
        yield error(
            "size", "HTML part", f"It has {weight:,} bytes; Gmail cuts it at {CLIPPED:,}, with the link to leave."
        )
    elif weight > BUDGET:
        yield warning("size", "HTML part", f"It has {weight:,} bytes; {BUDGET:,} are the budget.")
    for number, sheet in enumerate(proof.sheets, 1):
        if len(sheet) > LARGEST_SHEET:
            yield error("size", f"style sheet {number}", f"It has {len(sheet):,} characters; Gmail ignores it.")


def images(proof: Proof) -> Iterator[Problem]:
    """An image without `alt` is read out as its address; one that is a link must say where to (WCAG 2.2, 1.1.1)."""
    for image in proof.tree.iter("img"):
        where = f"image {short(image.get('src', ''))}"
        alt = image.get("alt")
        if alt is None:
            yield error("alt", where, 'It has no alt text; write one, or alt="" where it only decorates.')
        elif not alt.strip() and any(one.tag == "a" and not said(one) for one in image.iterancestors()):
            yield error("alt", where, "It is a link, and its alt text does not say where to.")


def imprint(proof: Proof) -> Iterator[Problem]:
    """A postal address in both parts (CAN-SPAM, 16 CFR 316 and 15 U.S.C. 7704(a)(5)), if the paper has one at all."""
    address = " ".join(proof.publication.postal_address.split())
    if not address:
        told = ("address", "foot", "There is no postal address; set MORNINGPOST_POSTAL_ADDRESS.")
        yield error(*told) if proof.publication.production else warning(*told)
        return
    for name, words in (("HTML", said(proof.tree)), ("text", " ".join(proof.words.split()))):
        if address not in words:
            yield error("address", f"{name} part", "The postal address is missing from it.")
