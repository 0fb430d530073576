"""Who left is never taken for a reader: every column that may say so is read, or the import asks before it writes."""

from collections import Counter
from pathlib import Path

import pytest

from app.core.errors import InvalidInput
from app.stages.audience.dates import Order
from app.stages.audience.import_readers.columns import recognise
from app.stages.audience.import_readers.run import Fate, Terms, begin
from app.stages.audience.import_readers.survey import Plan, read_answers, survey
from app.stages.audience.import_readers.table import open_table

DECLARE = Terms(confirm=False, basis="They signed up on the old site.")


class Tried:
    """What an import makes of a file, but for the database."""

    def __init__(
        self,
        folder: Path,
        content: str | bytes,
        *,
        maps: tuple[tuple[str, str], ...] = (),
        values: tuple[str, ...] = (),
        order: Order | None = None,
        terms: Terms = DECLARE,
        name: str = "people.csv",
    ) -> None:
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.table = open_table(path)
        columns = recognise(self.table.header, None, maps)
        answers = read_answers(values)
        self.plan: Plan = survey(self.table, columns, order=order, answers=answers, dates_count=not terms.confirm)
        self.rejects: dict[int, str] = {}
        self.arrival = begin(self.table, self.plan, terms, lambda row, reason: self.rejects.update({row.line: reason}))
        rows = list(self.table.rows())
        self.people = [person for row in rows if (person := self.arrival.look_at(row))]
        assert self.table.head_lines + self.table.blank + sum(row.lines for row in rows) == self.table.lines
        assert len(self.people) + self.arrival.fates.total() == len(rows)

    @property
    def names(self) -> str:
        """The first letters of those who come in."""
        return "".join(person.mail[0] for person in self.people)

    @property
    def fates(self) -> Counter[Fate]:
        return self.arrival.fates


def rows(header: str, *cells: str) -> str:
    """A file whose people are a@, b@, c@ and so on, each with these cells."""
    lines = (f"{letter}@post.example.org,{cell}" for letter, cell in zip("abcdefgh", cells, strict=False))
    return "\n".join((f"Email,{header}", *lines, ""))


@pytest.mark.parametrize(
    ("header", "cells", "come"),
    [
        ("unsubscribed", ("true", "false"), "b"),
        ("Unsubscribed?", ("Y", "N"), "b"),
        ("unsubscribed_at", ("2024-01-01 10:00:00", "", "0000-00-00 00:00:00", "NULL"), "bcd"),
        ("bounced", ("0", "1"), "a"),
        ("Hard Bounce", ("no", "yes"), "a"),
        ("Subscribed", ("no", "yes"), "b"),
        ("is_active", ("1", "0"), "a"),
        ("Accepts Email Marketing", ("no", "yes"), "b"),
        ("GDPR consent", ("ja", "nein"), "a"),
        ("blacklisted", ("1", "0"), "b"),
        ("EMAIL_BLACKLISTED", ("False", "True"), "a"),
        ("Email Opt Out", ("1", "0"), "b"),
        ("HasOptedOutOfEmail", ("TRUE", "FALSE"), "b"),
        ("Do Not Email", ("Yes", "No"), "b"),
        ("DoNotEmail", ("x", ""), "b"),
        ("Unsubscribed from all email", ("Yes", ""), "b"),
        ("Opted out of email: Product News", ("true", ""), "b"),
        ("Email hard bounce reason", ("Unknown user", ""), "b"),
        ("Spam complaint date", ("2024-01-01", ""), "b"),
        ("Email Marketing Consent", ("SUBSCRIBED", "UNSUBSCRIBED", "NEVER_SUBSCRIBED"), "a"),
        ("Email subscriber status", ("Subscribed", "Never subscribed"), "a"),
        ("Member Status", ("Opted-Out", "Opted In", "Suppressed", "Held"), "b"),
        ("Status", ("Active", "Bounced", "Cleaned", "Non-subscribed", "Spam complaint"), "a"),
        ("Abgemeldet", ("ja", "nein"), "b"),
        ("désinscrit", ("oui", "non"), "b"),
        ("confirmed", ("1", "0"), "a"),
        ("status,unsubscribed", ("active,true", "active,false"), "b"),
        ("status,email_status", ("active,bounced", "active,active"), "b"),
    ],
)
def test_whoever_left_stays_out(tmp_path: Path, header: str, cells: tuple[str, ...], come: str) -> None:
    """Flags, dates, reasons and words, as the exports of mailing products and customer lists have them."""
    assert Tried(tmp_path, rows(header, *cells)).names == come


@pytest.mark.parametrize(
    ("header", "cells", "word"),
    [
        ("mystery", ("yes", "no"), "mystery"),
        ("gone", ("1", "0"), "gone"),
        ("mark", ("x", ""), "mark"),
        ("Not unsubscribed", ("true", "false"), "Not unsubscribed"),
        ("permission", ("express", "none given"), "permission"),
        ("Consent date", ("2024-01-01", ""), "Consent date"),
        ("unsubscribe groups", ("news", ""), "unsubscribe groups"),
        ("remarks", ("likes tea", "please unsubscribe me"), "please unsubscribe me"),
        ("status", ("gold", "silver"), "--value gold=reader"),
        ("unsubscribed", ("maybe", "perhaps"), "unsubscribed"),
        ("type", ("free", "customer"), "customer"),
        ("state", ("active", "TX", "Texas"), "state"),
        ("newsletter", ("yes", ""), "--value =reader"),
        ("status", ("active", ""), "--value =left"),
        ("confirmed_at", ("2024-01-01", ""), "--value =unconfirmed"),
        ("created", ("03/04/2024", "05/06/2024"), "--dates day-first"),
        ("created", ("31/12/2023", "12/31/2023", "03/04/2024"), "--dates day-first"),
    ],
)
def test_what_cannot_be_known_is_asked_before_anything_is_written(
    tmp_path: Path, header: str, cells: tuple[str, ...], word: str
) -> None:
    """In a sentence that names the column or the word, and how to answer."""
    with pytest.raises(InvalidInput, match="Nothing was imported") as asked:
        Tried(tmp_path, rows(header, *cells))
    assert word in str(asked.value)


@pytest.mark.parametrize(
    ("header", "cells", "maps", "values", "come"),
    [
        ("mystery", ("yes", "no"), (("wants", "mystery"),), (), "a"),
        ("mystery", ("yes", "no"), (("left", "mystery"),), (), "b"),
        ("mystery", ("yes", "no"), (("ignored", "mystery"),), (), "ab"),
        ("one,two", ("yes,no", "no,yes", "no,no"), (("left", "one"), ("left", "two")), (), "c"),
        ("status", ("gold", "silver"), (), ("gold=reader", "Silver=left"), "a"),
        ("status", ("gold", "silver"), (("status", ""),), (), "ab"),
        ("state", ("active", "Texas"), (("status", ""),), (), "ab"),
        ("newsletter", ("yes", ""), (), ("=left",), "a"),
        ("newsletter", ("yes", ""), (), ("=reader",), "ab"),
        ("confirmed_at", ("2024-01-01", ""), (), ("=unconfirmed",), "a"),
    ],
)
def test_an_answer_settles_it(
    tmp_path: Path,
    header: str,
    cells: tuple[str, ...],
    maps: tuple[tuple[str, str], ...],
    values: tuple[str, ...],
    come: str,
) -> None:
    """A mapping, an unmapping, or what a word means; also for an empty cell."""
    assert Tried(tmp_path, rows(header, *cells), maps=maps, values=values).names == come


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("City,State", ("Austin,TX", "Gary,IN", "Oslo,NO")),
        ("State", ("Texas", "New York")),
        ("Type", ("customer", "lead")),
        ("Address", ("1 High Street", "2 Low Street")),
        ("Phone,Do Not Call,Accepts SMS Marketing", ("1,yes,no", "2,no,yes")),
        ("Company,Last Name,Notes,Tags", ("A,B,C,D", "E,F,G,H")),
        ("unsubscribed", ("", "")),
    ],
)
def test_a_column_about_something_else_keeps_nobody_out(tmp_path: Path, header: str, cells: tuple[str, ...]) -> None:
    """And each that is not read is listed with what stands in it."""
    tried = Tried(tmp_path, rows(header, *cells))
    assert tried.names == "abcdefgh"[: len(cells)]
    listed = [name for name in header.split(",") if any(cells)]
    assert list(tried.plan.not_read) == listed


def test_of_several_columns_the_one_with_addresses_is_the_address(tmp_path: Path) -> None:
    content = "Name,Address,Mail\nAda,1 High Street,a@post.example.org\n"
    assert Tried(tmp_path, content).names == "a"
    with pytest.raises(InvalidInput, match="holds no email addresses"):
        Tried(tmp_path, "Name,Address,Contact\nAda,1 High Street,a@post.example.org\n")
    mapped = Tried(tmp_path, "Name,Address,Contact\nAda,1 High St,a@post.example.org\n", maps=(("address", "Contact"),))
    assert mapped.names == "a"


def test_whoever_any_row_says_to_be_gone_stays_out(tmp_path: Path) -> None:
    """Whichever row comes first, and however the address is written."""
    content = "email,status\na@post.example.org,active\nb@post.example.org,active\nA@post.example.org,unsubscribed\n"
    tried = Tried(tmp_path, content)
    assert tried.names == "b"
    assert tried.fates == Counter({Fate.LEFT: 1, Fate.REPEATED: 1})


def test_whoever_confirmed_by_any_row_comes_in(tmp_path: Path) -> None:
    """A sign-up that was never confirmed says nothing against one that was."""
    content = "email,status\na@post.example.org,pending\na@post.example.org,active\nb@post.example.org,pending\n"
    tried = Tried(tmp_path, content)
    assert tried.names == "a"
    assert tried.fates == Counter({Fate.UNCONFIRMED: 2})


def test_one_odd_word_among_known_ones_costs_its_own_row(tmp_path: Path) -> None:
    tried = Tried(tmp_path, rows("status", "active", "gold", "unsubscribed"))
    assert tried.names == "a"
    assert list(tried.rejects) == [3]
    assert "'gold'" in tried.rejects[3]


@pytest.mark.parametrize("name", ["unsubscribed_members.csv", "cleaned_export_1.csv", "nonsubscribed_members.csv"])
def test_a_file_named_after_those_who_left_is_asked_about(tmp_path: Path, name: str) -> None:
    """Unless a column of it says who left."""
    with pytest.raises(InvalidInput, match="is called"):
        Tried(tmp_path, rows("first_name", "Ann"), name=name)
    assert Tried(tmp_path, rows("UNSUB_TIME", "2024-01-01"), name=name).names == ""


@pytest.mark.parametrize(
    ("cells", "order", "months"),
    [
        (("31.12.2023 14:05", "03.04.2024", "31/12/2023"), None, [12, 4, 12]),
        (("03/04/2024", "31/12/2023"), None, [4, 12]),
        (("03/04/2024 2:05 PM", "12/31/2023 11:59 PM"), None, [3, 12]),
        (("03/04/2024", "05/06/2024"), Order.DAY_FIRST, [4, 6]),
        (("03/04/2024", "05/06/2024"), Order.MONTH_FIRST, [3, 5]),
    ],
)
def test_the_file_shows_how_it_writes_dates(
    tmp_path: Path, cells: tuple[str, ...], order: Order | None, months: list[int]
) -> None:
    """One date that can be read in one way only tells how the others are meant."""
    tried = Tried(tmp_path, rows("created", *cells), order=order)
    assert [person.created.month for person in tried.people if person.created] == months


def test_a_date_that_cannot_be_read_loses_nobody(tmp_path: Path) -> None:
    """It is counted, and one of them is shown. Where the dates are not kept, nobody is asked about them."""
    tried = Tried(tmp_path, rows("created", "soon", "2024-01-01"))
    assert tried.names == "ab"
    assert {meaning.value: count for meaning, count in tried.arrival.reader.unread.items()} == {"created": 1}
    assert "line 2: 'soon'" in tried.arrival.reader.examples.values()
    assert Tried(tmp_path, rows("created", "03/04/2024"), terms=Terms(confirm=True)).names == "a"


@pytest.mark.parametrize("given", ["gold", "gold=left=maybe", "=somehow"])
def test_an_answer_that_is_none_is_refused(given: str) -> None:
    with pytest.raises(InvalidInput, match="--value is written"):
        read_answers([given])
