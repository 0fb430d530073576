"""Other products' files: recognised by their headers, and every row is a person or has a reason why not."""

import csv
import io
from dataclasses import astuple
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import InvalidInput
from app.stages.audience import address
from app.stages.audience.export_readers import write_csv
from app.stages.audience.import_readers import fast_address
from app.stages.audience.import_readers.columns import Meaning, Product, recognise
from app.stages.audience.import_readers.rows import Person, Reader
from app.stages.audience.import_readers.table import Row, open_table
from app.stages.audience.import_readers.words import Standing
from app.stages.audience.own_columns import FIELDS, unguarded

AT = datetime(2024, 3, 5, 6, 7, 8, tzinfo=UTC)
EXPORTS = {
    Product.MAILCHIMP: (
        "Email Address,First Name,Last Name,MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,TIMEZONE,LEID,EUID",
        'a@post.example.org,Ann,"Of, the Post",2,2024-03-05 06:07:08,,2024-03-05 06:07:08,Europe/Berlin,1,e1',
        ("Ann", "Europe/Berlin", AT),
    ),
    Product.SUBSTACK: (
        "email,active_subscription,expiry,plan,email_disabled,created_at,first_payment_at",
        "a@post.example.org,false,,other,false,2024-03-05T06:07:08.000Z,",
        ("", "", AT),
    ),
    Product.GHOST: (
        "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers",
        "m1,a@post.example.org,Ann Post,,true,false,,2024-03-05T06:07:08.000Z,,,",
        ("Ann", "", AT),
    ),
    Product.BUTTONDOWN: (
        "Email,Tags,Status,Subscription date,Unsubscription date",
        "a@post.example.org,,regular,2024-03-05T06:07:08Z,",
        ("", "", AT),
    ),
    Product.KIT: (
        "first_name,email,created_at,status",
        "Ann,a@post.example.org,2024-03-05T06:07:08Z,active",
        ("Ann", "", AT),
    ),
    Product.BEEHIIV: (
        "Email,Status,Tier,Created At",
        "a@post.example.org,active,free,2024-03-05 06:07:08 UTC",
        ("", "", AT),
    ),
    Product.LISTMONK: (
        "uuid,email,name,attributes,status,created_at,updated_at",
        'u1,a@post.example.org,Ann Post,"{""a"": 1}",enabled,2024-03-05T06:07:08.000Z,2024-03-05T06:07:08.000Z',
        ("Ann", "", AT),
    ),
    Product.KEILA: ("Email,First name,Last name,Data,Status", "a@post.example.org,Ann,Post,,active", ("Ann", "", None)),
}


def people(path: Path) -> list[Person]:
    table = open_table(path)
    reader = Reader(recognise(table.header, None))
    return [reader.read(row) for row in table.rows()]


@pytest.mark.parametrize("product", EXPORTS)
def test_each_products_export_is_read_as_it_is(tmp_path: Path, product: Product) -> None:
    """Whose it is, the address, the name, the zone and the date."""
    header, line, expected = EXPORTS[product]
    path = tmp_path / "members.csv"
    path.write_text(f"\ufeff{header}\r\n{line}\r\n\r\n", encoding="utf-8", newline="")
    assert recognise(header.split(","), None).product is product
    (person,) = people(path)
    assert person.mail == "a@post.example.org"
    assert person.standing is Standing.READER
    assert (person.first_name, person.zone, person.created) == expected


@pytest.mark.parametrize(
    ("header", "line", "standing"),
    [
        ("Email Address,UNSUB_TIME,LEID,EUID", "a@b.org,2024-01-01 00:00:00,1,2", Standing.LEFT),
        ("Email Address,CLEAN_TIME,LEID,EUID", "a@b.org,2024-01-01 00:00:00,1,2", Standing.BOUNCED),
        ("email,active_subscription,email_disabled", "a@b.org,true,true", Standing.LEFT),
        ("email,subscribed_to_emails,deleted_at", "a@b.org,false,", Standing.LEFT),
        ("email,subscribed_to_emails,deleted_at", "a@b.org,true,2024-01-01", Standing.LEFT),
        ("Email,Status,Subscription date", "a@b.org,unactivated,2024-01-01", Standing.UNCONFIRMED),
        ("first_name,email,created_at,status", ",a@b.org,2024-01-01,inactive", Standing.UNCONFIRMED),
        ("Email,Status,Tier", "a@b.org,inactive,free", Standing.LEFT),
        ("uuid,email,name,attributes,status", "u,a@b.org,,,blocklisted", Standing.COMPLAINED),
        ("Email,First name,Last name,Data,Status", "a@b.org,,,,unreachable", Standing.BOUNCED),
    ],
)
def test_whoever_is_gone_there_is_known_as_gone(tmp_path: Path, header: str, line: str, standing: Standing) -> None:
    """By the word or the column that the product has for it."""
    path = tmp_path / "gone.csv"
    path.write_text(f"{header}\n{line}\n", encoding="utf-8")
    assert [person.standing for person in people(path)] == [standing]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_latin_1_and_each_delimiter_are_read(tmp_path: Path, delimiter: str) -> None:
    """A file from an old spreadsheet keeps its letters."""
    path = tmp_path / "old.csv"
    path.write_bytes(f"Email{delimiter}First Name\na@b.org{delimiter}Zoë\n".encode("latin-1"))
    assert [person.first_name for person in people(path)] == ["Zoë"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"a@b.org,Ann\nb@b.org,Ben\n", "has no header"),
        (b'email,"name\na@b.org,Ann\n', "header of"),
        (b'email,"name\na@b.org,Ann\nb@b.org,Ben"\n', "header of"),
        (b"\x00e\x00m", "byte-order mark"),
        ("email\na@b.org".encode("utf-16")[:-1], "UTF-16"),
        (b"email\n\0\n", "zero bytes"),
        (b"email,n\na@b.org,\x81\xff\n", "neither UTF-8 nor Latin-1"),
        (b"colour\nred\n", "no column of addresses"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_a_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    """Before a single row is looked at."""
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidInput, match=sentence):
        people(path)


def test_a_mapping_wins_and_must_name_what_is_there() -> None:
    """Both the meaning and the column."""
    assert recognise(["email", "Second"], None, [("address", "Second")]).at[Meaning.ADDRESS] == (1,)
    for wrong in (("address", "Third"), ("colour", "email"), ("address", "")):
        with pytest.raises(InvalidInput):
            recognise(["email"], None, [wrong])


_WORD = st.text("abAB01.-_+@\"' é\t%", max_size=12)
_PART = st.one_of(_WORD, st.sampled_from(["news", "Info", "a.b", "a..b", ".a", "x" * 64, "x" * 65]))
_DOMAIN = st.sampled_from(
    ["Example.ORG", "xn--bcher-kva.example.org", "a.test", "localhost", "b-.org", "a.b.c.org", "1.2", "a." * 99 + "org",
     "ab--c.org", "-a.org", "host.local", "y" * 63 + ".org", "y" * 64 + ".org"]
)  # fmt: skip


@given(st.one_of(_WORD, st.builds("{}@{}".format, _PART, st.one_of(_DOMAIN, _WORD)), st.emails()))
def test_the_fast_way_agrees_with_the_library(text: str) -> None:
    """The same address, or the same sentence."""

    def outcome(parse: object) -> object:
        try:
            return parse(text)  # type: ignore[operator]  # one of two functions
        except InvalidInput as error:
            return str(error)

    assert outcome(fast_address.parse) == outcome(lambda typed: astuple(address.parse(typed)))


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=6))
def test_any_text_in_cells_is_read_or_refused_with_a_reason(cells: list[str]) -> None:
    """Never another error, and the address of a person is one that the library takes."""
    columns = recognise(["email", "first_name", "status", "created_at", "timezone"], None)
    try:
        person = Reader(columns).read(Row(2, cells))
    except InvalidInput as error:
        person = None
        reason = str(error)
    if person is None:
        assert reason
    else:
        assert address.parse(person.mail).key == person.key
        assert len(person.first_name) <= 80
        assert person.first_name.isprintable()


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40))
def test_any_text_survives_the_way_out_and_in(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """But for the apostrophe that keeps a spreadsheet from computing it."""
    out = io.StringIO(newline="")
    csv.writer(out).writerow(FIELDS)
    empty: dict[str, str | None] = dict.fromkeys(FIELDS)
    write_csv(out, [empty | {"address": "a@b.org", "first_name": text}])
    path = tmp_path_factory.mktemp("round") / "out.csv"
    path.write_text(out.getvalue(), encoding="utf-8", newline="")
    table = open_table(path)
    (row,) = table.rows()
    cell = row.cells[table.header.index("first_name")]
    assert unguarded(cell) == text
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
