"""A file of rows as somebody's product wrote it: its encoding, its delimiter, its rows, and an account of every line.

CSV (RFC 4180 and what spreadsheets make of it) and JSON Lines. A quotation mark that is never closed costs its own
line and no other.
"""

import codecs
import csv
import json
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from app.core.errors import InvalidInput

_BLOCK = 1 << 20
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Controls of ISO 8859-1, and the places that Windows-1252 leaves empty.
_CONTROLS = bytes([*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), 0x7F])
_NOT_WINDOWS = bytes([0x81, 0x8D, 0x8F, 0x90, 0x9D])
_SAVE = "Save it as UTF-8 and try again."
_LONGEST_LINE = 1 << 22
_MOST_COLUMNS = 1_000
_MOST_LINES = 250
"""Of a cell with line breaks. A quotation mark still open after them was never meant to be."""
_LONGEST_CELL = 1 << 17
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_NAMES = {"utf-8-sig": "UTF-8", "utf-16": "UTF-16", "cp1252": "Latin-1 (Windows-1252)"}
_NEVER_CLOSED = "a quotation mark is opened in this line and never closed"


@dataclass(slots=True)
class Row:
    """One row: the line it begins in, its cells, what was wrong where it could not be split, how many lines it has."""

    line: int
    cells: list[str]
    trouble: str = ""
    lines: int = 1


@dataclass(slots=True)
class Table:
    """A file that was looked at. `rows` may be called again and again; each call reads the file from its beginning."""

    path: Path
    encoding: str
    delimiter: str
    """Empty for JSON Lines."""
    header: list[str]
    lines: int
    """In the whole file, counted by its line ends alone."""
    head_lines: int
    """Up to the end of the header: it, blank lines before it, and `sep=;`."""
    blank: int = field(default=0, init=False)
    """Lines without anything in them, of those that the last call of `rows` has passed."""

    @property
    def described(self) -> str:
        """How it was read, for a person."""
        kind = (
            f"separated by {_DELIMITERS.get(self.delimiter, repr(self.delimiter))}" if self.delimiter else "JSON Lines"
        )
        return f"{_NAMES[self.encoding]}, {kind}"

    def rows(self) -> Iterator[Row]:
        """Every row but those whose cells are all empty. One without trouble has as many cells as the header."""
        self.blank = 0
        with _text(self.path, self.encoding) as text:
            lines = _Lines(text)
            for _ in range(self.head_lines):
                lines.take()
            found = _split(lines, self.delimiter, len(self.header)) if self.delimiter else _objects(lines, self.header)
            for row in found:
                if row.trouble or _fill(row, len(self.header)):
                    yield row
                else:
                    self.blank += row.lines


def open_table(path: Path) -> Table:
    """Finds out how a file is written. Raises InvalidInput for what is no file of rows."""
    encoding, count = _encoding(path)
    with _text(path, encoding) as text:
        lines = _Lines(text)
        first = _first(lines)
        if first.startswith("{"):
            lines.back([first])
            before = lines.at
            return Table(path, encoding, "", _keys(lines), count, before)
        if first.startswith("["):
            raise InvalidInput(f"{path} is a JSON array; JSON Lines are read, one object a line.", "file")
        delimiter = _named_delimiter(first)
        if delimiter:
            first = _first(lines)
        delimiter = delimiter or delimiter_of(first)
        lines.back([first] if first else [])
        header = next(_split(lines, delimiter, 0), None)
        if header is None:
            raise InvalidInput(f"{path} is empty.", "file")
        _check_header(path, header)
        return Table(path, encoding, delimiter, _named(header.cells), count, lines.at)


def delimiter_of(line: str) -> str:
    """Comma, semicolon, tab or vertical bar: whichever the header has most of outside quotation marks."""
    bare = "".join(line.split('"')[::2])
    return max(_DELIMITERS, key=bare.count)


def _check_header(path: Path, header: Row) -> None:
    if header.trouble:
        raise InvalidInput(f"The header of {path} cannot be read: {header.trouble}.", "file")
    if any(looks_like_an_address(cell.strip()) for cell in header.cells):
        raise InvalidInput(
            f"{path} has no header: there is an address in its first line. Put a line with the names of its columns, "
            "such as email, in front.",
            "file",
        )
    if len(header.cells) > _MOST_COLUMNS:
        raise InvalidInput(f"{path} has more than {_MOST_COLUMNS} columns.", "file")


def _named(cells: list[str]) -> list[str]:
    """The names of a header; a column without one is called by its place."""
    return [name.strip() or f"column {number}" for number, name in enumerate(cells, 1)]


def _named_delimiter(line: str) -> str:
    """That of `sep=;`, the line by which a spreadsheet is told; empty for any other line."""
    told = line.rstrip("\r\n").strip('"')
    return told[4] if len(told) == 5 and told[:4].lower() == "sep=" else ""


# --- Bytes and lines ------------------------------------------------------------------------------------------------


def _encoding(path: Path) -> tuple[str, int]:
    """The encoding and how many lines there are, found by reading all of it. Raises InvalidInput."""
    try:
        with path.open("rb") as raw:
            blocks = iter(lambda: raw.read(_BLOCK), b"")
            first = next(blocks, b"")
            count = _LineCount()
            if first.startswith(_UTF16):
                _read_utf16(first, blocks, count)
                return "utf-16", count.total
            return _eight_bits(first, blocks, count), count.total
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.", "file") from None


def _read_utf16(first: bytes, blocks: Iterable[bytes], count: "_LineCount") -> None:
    decoder = codecs.getincrementaldecoder("utf-16")()
    try:
        for block in (first, *blocks):
            _no_zeros(text := decoder.decode(block))
            count.add(text.encode("utf-8"))
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise InvalidInput(f"The file begins as UTF-16 and does not go on so. {_SAVE}", "file") from None


def _eight_bits(first: bytes, blocks: Iterable[bytes], count: "_LineCount") -> str:
    decoder = codecs.getincrementaldecoder("utf-8")()
    utf8, latin1 = True, True
    for block in (first, *blocks) if first else ():
        _no_zeros(block.decode("latin-1") if b"\0" in block else "")
        count.add(block)
        utf8 = utf8 and _decodes(decoder, block)
        latin1 = latin1 and len(block.translate(None, _CONTROLS + _NOT_WINDOWS)) == len(block)
    if utf8 and _decodes(decoder, b"", final=True):
        return "utf-8-sig"
    if not latin1:
        raise InvalidInput(f"The file is neither UTF-8 nor Latin-1. {_SAVE}", "file")
    return "cp1252"


def _no_zeros(text: str) -> None:
    if "\0" in text:
        raise InvalidInput(
            "The file holds zero bytes: it is no CSV file, or UTF-16 without its byte-order mark.", "file"
        )


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes, *, final: bool = False) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True


class _LineCount:
    """Lines by their ends: LF, CR LF, or CR alone."""

    def __init__(self) -> None:
        self._ends = 0
        self._last = b""

    def add(self, block: bytes) -> None:
        if not block:
            return
        pair = self._last == b"\r" and block.startswith(b"\n")
        self._ends += block.count(b"\n") + block.count(b"\r") - block.count(b"\r\n") - pair
        self._last = block[-1:]

    @property
    def total(self) -> int:
        return self._ends + (self._last not in (b"", b"\n", b"\r"))


@contextmanager
def _text(path: Path, encoding: str) -> Iterator[TextIO]:
    try:
        with path.open(encoding=encoding, newline="") as text:
            yield text
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.", "file") from None
    except UnicodeDecodeError:
        raise InvalidInput(f"{path} was changed while it was read.", "file") from None


class _Lines:
    """The lines of a text with their ends, some of which may be given back. `at` is how many were taken."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._given_back: deque[str] = deque()
        self.at = 0

    def take(self) -> str:
        """The next line; empty at the end."""
        line = self._given_back.popleft() if self._given_back else self._text.readline(_LONGEST_LINE)
        if not line:
            return ""
        self.at += 1
        if len(line) == _LONGEST_LINE:
            raise InvalidInput(f"Line {self.at} is longer than {_LONGEST_LINE:,} characters.", "file")
        return line

    def back(self, lines: list[str]) -> None:
        self._given_back.extendleft(reversed(lines))
        self.at -= len(lines)


def _first(lines: _Lines) -> str:
    """The next line that is not blank; empty at the end."""
    while line := lines.take():
        if line.strip():
            return line
    return ""


# --- CSV ------------------------------------------------------------------------------------------------------------


def _split(lines: _Lines, delimiter: str, width: int) -> Iterator[Row]:
    """Rows as they stand, blank ones too. `width` is the header's, 0 for the header itself."""
    csv.field_size_limit(_LONGEST_LINE)
    while line := lines.take():
        if '"' in line:
            yield from _quoted(lines, line, delimiter, width)
        else:
            yield Row(lines.at, line.rstrip("\r\n").split(delimiter))


def _quoted(lines: _Lines, first: str, delimiter: str, width: int) -> Iterator[Row]:
    """The row that begins with a line in which there is a quotation mark, over as many lines as it has."""
    begins, taken = lines.at, list[str]()

    def following() -> Iterator[str]:
        yield first
        size = 0
        while len(taken) < _MOST_LINES and (line := lines.take()):
            taken.append(line)
            size += len(line)
            if size > _LONGEST_CELL:
                return
            yield line

    try:
        # Strict: a mark that is closed must be followed by a delimiter or the end, or it was never this cell's.
        cells = next(csv.reader(following(), delimiter=delimiter, strict=True))
    except csv.Error:
        lines.back(taken)
        yield _alone(begins, first, delimiter)
        return
    if not taken and len(cells) > width > 0:
        cells = _spaced(first, delimiter, width) or cells
    if not any(_is_row(line, delimiter, width) for line in taken):
        yield Row(begins, cells, lines=1 + len(taken))
        return
    trouble = f"the quotation mark of line {begins} is closed in line {lines.at} only, and rows stand in between"
    for number, line in enumerate((first, *taken), begins):
        yield Row(number, _lenient(line, delimiter)[0], trouble)


def _spaced(line: str, delimiter: str, width: int) -> list[str] | None:
    """The cells of a line with spaces before its quotation marks, where there are as many as the header has."""
    try:
        cells = next(csv.reader([line], delimiter=delimiter, strict=True, skipinitialspace=True))
    except csv.Error:
        return None
    return cells if len(cells) == width else None


def _alone(number: int, line: str, delimiter: str) -> Row:
    """A line whose quotation marks cannot be right, as a row by itself."""
    try:
        cells, closed = _lenient(line, delimiter)
    except csv.Error as error:
        return Row(number, [line.rstrip("\r\n")], f"the row cannot be split into cells: {error}")
    return Row(number, cells, "" if closed else _NEVER_CLOSED)


def _lenient(line: str, delimiter: str) -> tuple[list[str], bool]:
    """The cells of one line, whatever its quotation marks; False where one is still open at its end."""
    reader = csv.reader((line, ""), delimiter=delimiter)
    cells = next(reader)
    return [cell.rstrip("\r\n") for cell in cells], reader.line_num == 1


def _is_row(line: str, delimiter: str, width: int) -> bool:
    """Does this line look like a row by itself: as wide as the header, and one cell is an address?"""
    cells = line.rstrip("\r\n").split(delimiter)
    return len(cells) >= width and any(looks_like_an_address(cell.strip(' "')) for cell in cells)


def looks_like_an_address(cell: str) -> bool:
    """Is a cell an email address, at a glance?"""
    local, at, domain = cell.partition("@")
    return bool(local and at) and "." in domain and "@" not in domain and len(cell.split()) == 1


def _fill(row: Row, width: int) -> bool:
    """Brings a row to `width` cells, where what is too much is empty; False where the whole row is."""
    cells = row.cells
    while len(cells) > width and not cells[-1].strip():
        cells.pop()
    if len(cells) > width:
        row.trouble = f"the row has {len(cells)} cells, the header {width}"
        return True
    cells.extend([""] * (width - len(cells)))
    return any(cell and not cell.isspace() for cell in cells)


# --- JSON Lines -----------------------------------------------------------------------------------------------------


def _keys(lines: _Lines) -> list[str]:
    """The names of all objects of a file, in the order in which they are met."""
    keys: dict[str, None] = {}
    while line := lines.take():
        keys.update(dict.fromkeys(_object(line) or ()))
        if len(keys) > _MOST_COLUMNS:
            raise InvalidInput(f"The objects of the file have more than {_MOST_COLUMNS} different names.", "file")
    return list(keys)


def _objects(lines: _Lines, header: list[str]) -> Iterator[Row]:
    while line := lines.take():
        found = _object(line)
        if found is not None:
            yield Row(lines.at, [_cell(found.get(name)) for name in header])
        elif line.strip():
            yield Row(lines.at, [line.rstrip("\r\n")], "the line is not a JSON object")
        else:
            yield Row(lines.at, [])


def _object(line: str) -> dict[str, Any] | None:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _cell(value: object) -> str:
    """A JSON value as a cell: text as it is, everything else as JSON writes it, nothing for null."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)
