"""The QR code of the paper's address. Pure."""

import io
from functools import lru_cache

import qrcode
from qrcode.constants import ERROR_CORRECT_M

QUIET = 4
"""Modules of white around the code (ISO/IEC 18004 section 9.1)."""
_INK = "#16181B"


@lru_cache(maxsize=64)
def qr_svg(url: str) -> str:
    """`url` as an SVG: one path in ink on a white tile with its quiet zone, one unit a module."""
    rows = _modules(url)
    side = len(rows) + 2 * QUIET
    path = "".join(
        f"M{start + QUIET} {top + QUIET}h{length}v1h-{length}z"
        for top, row in enumerate(rows)
        for start, length in _runs(row)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {side} {side}" shape-rendering="crispEdges">'
        f'<path fill="#fff" d="M0 0h{side}v{side}H0z"/><path fill="{_INK}" d="{path}"/></svg>'
    )


@lru_cache(maxsize=64)
def qr_png(url: str, scale: int = 8) -> bytes:
    """`url` as a PNG: black on white with its quiet zone, `scale` pixels a module."""
    image = _code(url, scale).make_image().get_image()
    out = io.BytesIO()
    image.save(out, "PNG", optimize=True)
    return out.getvalue()


def _code(url: str, scale: int) -> qrcode.QRCode:
    code = qrcode.QRCode(error_correction=ERROR_CORRECT_M, box_size=scale, border=QUIET)
    code.add_data(url)
    code.make(fit=True)
    return code


def _modules(url: str) -> list[list[bool]]:
    rows: list[list[bool]] = _code(url, 1).modules
    return rows


def _runs(row: list[bool]) -> list[tuple[int, int]]:
    """The dark runs of a row as (start, length)."""
    found: list[tuple[int, int]] = []
    for at, dark in enumerate(row):
        if not dark:
            continue
        if found and sum(found[-1]) == at:
            found[-1] = (found[-1][0], found[-1][1] + 1)
        else:
            found.append((at, 1))
    return found
