"""Every line of a file is accounted for, however its cells are quoted, separated and encoded."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InvalidInput
from app.stages.audience.import_readers.table import Row, Table, open_table
from tests.stages.audience.test_import_survey import Tried


def read(folder: Path, content: str | bytes) -> tuple[Table, list[Row]]:
    path = folder / "people.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    table = open_table(path)
    return table, list(table.rows())


def people(*rest: str) -> str:
    """Lines `a@…,A`, `b@…,B` and so on, each with something behind its first quotation mark or name."""
    return "email,name\n" + "\n".join(
        f"{letter}@post.example.org,{cell}" for letter, cell in zip("abcdef", rest, strict=False)
    )


@pytest.mark.parametrize(
    ("cells", "come", "refused"),
    [
        (("A", '"B', "C", "D"), "acd", [3]),
        (("A", '"B', "C", '"D"', "E"), "acde", [3]),
        (("A", '"B', "C", 'D"', "E"), "ae", [3, 4, 5]),
        (('"A', '"B', '"C'), "", [2, 3, 4]),
        (("A", '"B'), "a", [3]),
        (('A "Al" B', 'B"', '"Ann "the" X"'), "abc", []),
    ],
)
def test_a_quotation_mark_that_is_never_closed_costs_no_other_line(
    tmp_path: Path, cells: tuple[str, ...], come: str, refused: list[int]
) -> None:
    """What it seems to swallow comes in, or is named with its line where it may have been meant so."""
    tried = Tried(tmp_path, people(*cells))
    assert tried.names == come
    assert list(tried.rejects) == refused


def test_it_costs_no_other_line_in_a_long_file(tmp_path: Path) -> None:
    """Also where it stands in the first of many thousands."""
    lines = [f"reader{n}@post.example.org,N" for n in range(5_000)]
    tried = Tried(tmp_path, "\n".join(["email,name", 'x@post.example.org,"X', *lines]))
    assert len(tried.people) == 5_000
    assert list(tried.rejects) == [2]


def test_line_breaks_within_a_cell_are_no_rows(tmp_path: Path) -> None:
    """Where they are quoted, and no line of the cell looks like a row."""
    table, rows = read(tmp_path, 'email,notes\na@b.org,"one\ntwo, three\n\nfour"\nb@b.org,\n')
    assert [(row.line, row.lines, row.cells[1]) for row in rows] == [(2, 4, "one\ntwo, three\n\nfour"), (6, 1, "")]
    assert table.lines == 6


def test_empty_cells_beyond_the_header_say_nothing(tmp_path: Path) -> None:
    """A row of nothing but them is blank; one with something in them is refused."""
    tried = Tried(tmp_path, "email,name\na@post.example.org,A,\nb@post.example.org,B,, \n,,,\nc@post.example.org,C,x\n")
    assert tried.names == "ab"
    assert tried.rejects == {5: "the row has 3 cells, the header 2"}
    assert tried.table.blank == 1
    short = Tried(tmp_path, 'email, name, state\na@post.example.org\nb@post.example.org, "B, the second", TX\n')
    assert short.names == "ab"


@pytest.mark.parametrize(
    ("content", "delimiter"),
    [
        ("sep=;\nemail;name\na@post.example.org;Zoë\n", ";"),
        ('\ufeff"SEP=|"\r\nemail|name\r\na@post.example.org|Zoë\r\n', "|"),
        ("sep=\t\nemail\tname\na@post.example.org\tZoë", "\t"),
        ("\n\nemail,name\n\na@post.example.org,Zoë\n", ","),
        ("email,name\ra@post.example.org,Zoë\r", ","),
        ('\ufeff"email";"name"\r\n"a@post.example.org";"Zoë\r\nX"\r\n', ";"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_every_way_of_a_spreadsheet_is_read(tmp_path: Path, content: str, delimiter: str, encoding: str) -> None:
    """Delimiters told and found, blank lines before the header, every line end and encoding."""
    text = content if encoding == "utf-8" else content.removeprefix("\ufeff")
    tried = Tried(tmp_path, text.encode(encoding))
    assert [person.first_name for person in tried.people] == ["Zoë"]
    assert tried.table.delimiter == delimiter


def test_utf_16_of_either_order_is_read_by_its_mark(tmp_path: Path) -> None:
    for mark, encoding in ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be")):
        table, rows = read(tmp_path, mark + "email\tname\r\na@b.org\tŁ😀\r\n".encode(encoding))
        assert rows == [Row(2, ["a@b.org", "Ł😀"])]
        assert table.described == "UTF-16, separated by tabs"


def test_json_lines_are_read(tmp_path: Path) -> None:
    """The names of all objects make the header: what only some of them have counts too."""
    tried = Tried(
        tmp_path,
        '{"email": "a@post.example.org", "name": "Ann B"}\n\n{"email": "b@post.example.org", "unsubscribed": true}\n'
        '{"email": "c@post.example.org", "unsubscribed": null}\nnonsense\n',
        name="people.jsonl",
    )
    assert tried.names == "ac"
    assert list(tried.rejects) == [5]
    with pytest.raises(InvalidInput, match="JSON array"):
        Tried(tmp_path, "[{}]")


def test_a_line_without_end_is_refused(tmp_path: Path) -> None:
    """And a header without end."""
    with pytest.raises(InvalidInput, match="is longer than"):
        read(tmp_path, "email\n" + "x" * (1 << 22))
    with pytest.raises(InvalidInput, match="columns"):
        read(tmp_path, "email" + ",x" * 2_000)


@given(st.lists(st.text('a@b.c,"\n\r; x', max_size=20), max_size=12))
def test_whatever_the_quotation_marks_every_line_is_in_one_row(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str]
) -> None:
    """None is lost, none counted twice, and rows come in the order of their lines."""
    table, rows = read(tmp_path_factory.mktemp("lines"), "email,name\n" + "\n".join(pieces))
    assert table.head_lines + table.blank + sum(row.lines for row in rows) == table.lines
    ends = [row.line + row.lines for row in rows]
    assert all(row.line >= end for row, end in zip(rows[1:], ends, strict=False))
