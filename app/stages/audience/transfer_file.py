"""A CSV file as somebody's product wrote it: its encoding, its delimiter, its rows one after the other."""

import codecs
import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

from app.core.errors import InvalidInput

_BLOCK = 1 << 20
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NEVER = bytes([*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0)])  # controls of ISO 8859-1
_SAVE = "Save it as UTF-8 and try again."


@dataclass(slots=True)
class Row:
    """One row: the line it ends on, its cells, and what was wrong with it where it could not be split."""

    line: int
    cells: list[str]
    trouble: str = ""


@contextmanager
def opened(path: Path) -> Iterator[tuple[list[str], Iterator[Row]]]:
    """The header, and an iterator over the rows without blank lines. Raises InvalidInput for what is no such file."""
    try:
        with path.open("rb") as raw:
            encoding = encoding_of(raw)
        with path.open(encoding=encoding, newline="") as text:
            delimiter = delimiter_of(text.readline(_BLOCK))
            text.seek(0)
            rows = _rows(text, delimiter)
            header = next(rows, None)
            if header is None or header.trouble:
                raise InvalidInput(f"{path} is empty or has no header.", "file")
            yield header.cells, rows
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.", "file") from None


def encoding_of(raw: BinaryIO) -> str:
    """`utf-8-sig` or `latin-1`, found by reading all of it. Raises InvalidInput where it is neither."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    utf8, latin1, first = True, True, True
    while block := raw.read(_BLOCK):
        if first and block.startswith(_UTF16):
            raise InvalidInput(f"The file is written in UTF-16. {_SAVE}", "file")
        first = False
        if b"\0" in block:
            raise InvalidInput("The file holds zero bytes: it is no CSV file.", "file")
        utf8 = utf8 and _decodes(decoder, block)
        latin1 = latin1 and len(block.translate(None, _NEVER)) == len(block)
    if utf8 and _decodes(decoder, b"", final=True):
        return "utf-8-sig"
    if not latin1:
        raise InvalidInput(f"The file is neither UTF-8 nor Latin-1. {_SAVE}", "file")
    return "latin-1"


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True


def delimiter_of(line: str) -> str:
    """Comma, semicolon or tab: whichever the header has most of outside quotation marks."""
    bare = "".join(line.split('"')[::2])
    return max(",;\t", key=bare.count)


def _rows(text: TextIO, delimiter: str) -> Iterator[Row]:
    reader = csv.reader(text, delimiter=delimiter)
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Row(reader.line_num, [], f"the row cannot be split into cells: {error}")
            continue
        if cells:
            yield Row(reader.line_num, cells)


def count_lines(path: Path) -> int:
    """How many lines a file has, for a bar that shows how far its reading is."""
    with path.open("rb") as raw:
        return sum(block.count(b"\n") for block in iter(lambda: raw.read(_BLOCK), b""))
