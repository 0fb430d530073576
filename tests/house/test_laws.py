"""The laws of the house that imports cannot show: who opens transactions, reads wall time, changes states."""

import ast
import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path

import pytest

from app.models import Base
from app.models.states import EDGES

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "app").rglob("*.py"))
MIGRATIONS = sorted((ROOT / "migrations").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))

Finder = Callable[[ast.Module], Iterator[tuple[int, str]]]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def findings(finder: Finder, paths: list[Path]) -> list[str]:
    return [
        f"{name_of(path)}:{line}: {what}"
        for path in paths
        for line, what in finder(ast.parse(path.read_text(encoding="utf-8")))
    ]


def dotted(node: ast.AST) -> str:
    """`a.b.c` for an attribute chain; unknown parts are `?`."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attr):
            return f"{dotted(value)}.{attr}"
        case _:
            return "?"


# --- Transactions ---------------------------------------------------------------------------------

OPENERS = {"sessionmaker", "async_sessionmaker", "AsyncSession", "create_async_engine", "create_engine"}


def transactions(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            # SQLAlchemy's take no argument; `ledger.begin(session, ...)` begins something else.
            case ast.Call(func=ast.Attribute(attr="commit" | "begin" | "rollback" as attr), args=[]):
                yield node.lineno, f".{attr}()"
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.alias(name=name) if name in OPENERS:
                yield node.lineno, name


def test_only_core_db_opens_transactions() -> None:
    """Everything else goes through `db.read()` and `db.write()`."""
    assert findings(transactions, [path for path in SOURCES if name_of(path) != "app/core/db.py"]) == []


@pytest.mark.parametrize(
    "line",
    ["await session.commit()", "async with engine.begin() as c: pass", "from sqlalchemy.orm import sessionmaker",
     "from sqlalchemy.ext.asyncio import AsyncSession", "x = orm.sessionmaker(engine)", "session.rollback()"],
)  # fmt: skip
def test_the_check_of_transactions_notices(line: str) -> None:
    """Each way of opening or ending one."""
    assert list(transactions(ast.parse(f"async def f():\n    {line}\n")))


# --- Characters ---------------------------------------------------------------------------------------


def printable(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "isprintable":
            yield node.lineno, dotted(node)


def test_only_core_text_says_which_characters_are_text() -> None:
    """`isprintable` refuses no-break spaces, joiners and marks of direction, which people write."""
    assert findings(printable, [path for path in SOURCES if name_of(path) != "app/core/text.py"]) == []


# --- Wall time ------------------------------------------------------------------------------------

WALL_CLOCKS = re.compile(
    r"(^|\.)(datetime\.(now|utcnow|today)|date\.today|time\.(time|time_ns|localtime|gmtime|ctime|strftime)"
    r"|func\.(now|current_timestamp|current_date|localtimestamp|clock_timestamp)|uuid\.uuid1|formatdate|make_msgid)$"
)
FROM_IMPORTS = {"time": {"time", "time_ns", "localtime", "gmtime", "ctime", "strftime"}, "uuid": {"uuid1"}}
SQL_CLOCKS = re.compile(
    r"current_timestamp|current_date|localtimestamp|\bnow\s*\(\s*\)|clock_timestamp|'now'|statement_timestamp",
    re.IGNORECASE,
)


def docstrings(tree: ast.Module) -> set[int]:
    return {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
    }


def wall_time(tree: ast.Module) -> Iterator[tuple[int, str]]:
    prose = docstrings(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Attribute() | ast.Name() if WALL_CLOCKS.search(dotted(node)):
                yield node.lineno, dotted(node)
            case ast.ImportFrom(module=str(module), names=names):
                yield from ((node.lineno, n.name) for n in names if n.name in FROM_IMPORTS.get(module, ()))
            case ast.keyword(arg="server_default" | "server_onupdate" as arg):
                yield node.value.lineno, arg
            case ast.Constant(value=str(value)) if id(node) not in prose and SQL_CLOCKS.search(value):
                yield node.lineno, value


def test_only_the_clock_reads_wall_time() -> None:
    """Leases run on the database's clock (core/db.py, lease_clock): the one exception, and it is the only one there."""
    found = findings(wall_time, [path for path in SOURCES if name_of(path) != "app/core/clock.py"])
    leases = [finding for finding in found if finding.startswith("app/core/db.py")]
    assert [finding for finding in found if finding not in leases] == []
    assert len(leases) == 2


def test_migrations_read_no_clock() -> None:
    """A column that is added may have a constant for the rows that are there; none may have the time."""
    found = findings(wall_time, MIGRATIONS)
    assert [finding for finding in found if not finding.endswith(": server_default")] == []


@pytest.mark.parametrize(
    "line",
    ["datetime.now(UTC)", "dt.datetime.utcnow()", "date.today()", "time.time()", "from time import time",
     "field(default_factory=datetime.now)", "select(func.now())", "text('SELECT CURRENT_TIMESTAMP')",
     "text('UPDATE x SET at = now()')", "mapped_column(server_default='x')", "formatdate()", "uuid.uuid1()"],
)  # fmt: skip
def test_the_check_of_wall_time_notices(line: str) -> None:
    """Python's clocks, SQL's clocks, and defaults that the server fills in."""
    assert list(wall_time(ast.parse(line)))


@pytest.mark.parametrize(
    "line", ["time.monotonic()", "clock.now()", '"""now() in prose"""', "datetime.fromtimestamp(0, UTC)"]
)
def test_the_check_of_wall_time_lets_the_rest_pass(line: str) -> None:
    """Monotonic time is free, and so is a clock that was handed in."""
    assert not list(wall_time(ast.parse(line)))


# --- States ---------------------------------------------------------------------------------------

MAPPED = {attribute.key for mapper in Base.registry.mappers for attribute in mapper.attrs}


def assignments(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Assignments to an attribute that has the name of a mapped column, but for an object's own (`self`)."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="setattr")):
                yield node.lineno, "setattr"
            case ast.Attribute(value=owner, attr=attr, ctx=ast.Store() | ast.Del()) if attr in MAPPED:
                if dotted(owner) != "self":
                    yield node.lineno, dotted(node)


def test_the_check_of_assignments_lets_the_rest_pass() -> None:
    """Reading a row, also as a key, and an object's own attributes."""
    assert not list(assignments(ast.parse("planned[edition.id] = now\nself.status = row.status")))


def test_rows_change_only_in_store() -> None:
    """Outside app/store nobody assigns a mapped attribute: states move by a conditional UPDATE or not at all."""
    assert findings(assignments, [path for path in SOURCES if not name_of(path).startswith("app/store/")]) == []


@pytest.mark.parametrize(
    "line",
    [
        "edition.status = 'sent'",
        "a, row.status = 1, 2",
        "row.attempt += 1",
        "setattr(row, 'status', 1)",
        "del row.code",
    ],
)
def test_the_check_of_assignments_notices(line: str) -> None:
    """Each way of changing a row in place."""
    assert list(assignments(ast.parse(line)))


@pytest.mark.parametrize("kind", EDGES)
def test_every_state_has_its_edges_and_every_edge_its_reason(kind: type[StrEnum]) -> None:
    """Edges join two different states of one kind, no state stands alone, and each edge says why."""
    edges = EDGES[kind]
    for (from_, to), reason in edges.items():
        assert isinstance(from_, kind)
        assert isinstance(to, kind)
        assert from_ is not to
        assert reason.strip()
    assert {state for edge in edges for state in edge} == set(kind)


@pytest.mark.parametrize("kind", EDGES)
def test_every_state_can_be_reached_from_the_first(kind: type[StrEnum]) -> None:
    """The first state of each enum is the one rows are born in."""
    reached = {next(iter(kind))}
    while more := {to for from_, to in EDGES[kind] if from_ in reached} - reached:
        reached |= more
    assert reached == set(kind)


def test_every_status_column_has_its_edges() -> None:
    """No table keeps a state that models/states does not know."""
    kinds = {
        column.type.enum_class
        for mapper in Base.registry.mappers
        for column in mapper.columns
        if column.key == "status" and hasattr(column.type, "enum_class")
    }
    assert kinds == set(EDGES)


# --- Names ----------------------------------------------------------------------------------------


def test_no_module_has_a_name_that_says_nothing() -> None:
    """A file called service or utils is where ideas go to lose their names."""
    empty = {"service", "services", "utils", "util", "helpers", "helper", "views", "common", "misc", "manager"}
    assert [name_of(path) for path in SOURCES if empty & {path.stem, path.parent.name}] == []


def test_every_module_says_what_it_is() -> None:
    """A docstring at its top; empty `__init__` files apart."""
    silent = [
        name_of(path)
        for path in SOURCES
        if (text := path.read_text(encoding="utf-8")).strip() and not ast.get_docstring(ast.parse(text))
    ]
    assert silent == []


def test_every_test_folder_is_a_package() -> None:
    """Else two test modules of one name would hide each other."""
    loose = {name_of(path.parent) for path in TESTS if not (path.parent / "__init__.py").exists()}
    assert loose == set()


def test_every_room_is_in_the_house_plan() -> None:
    """A folder that nobody drew is a wall that somebody moved."""
    rooms = {"cli", "web", "jobs", "stages", "operations", "providers", "store", "models", "core"}
    assert {path.name for path in (ROOT / "app").iterdir() if (path / "__init__.py").exists()} == rooms
    stages = {"audience", "collect", "compose", "render", "send", "track"}
    assert {path.name for path in (ROOT / "app/stages").iterdir() if (path / "__init__.py").exists()} <= stages


# --- Results ----------------------------------------------------------------------------------------


def conditional(tree: ast.Module) -> set[str]:
    """The functions that may have done nothing, and say so: they return a bool, or something or None."""
    functions = [node for node in tree.body if isinstance(node, ast.AsyncFunctionDef) and node.returns]
    return {
        one.name
        for one in functions
        if isinstance(one.returns, ast.BinOp) or (isinstance(one.returns, ast.Name) and one.returns.id == "bool")
    }


ANSWERS = {
    path.stem: conditional(ast.parse(path.read_text(encoding="utf-8")))
    for path in SOURCES
    if path.parent == ROOT / "app" / "store"
}


def dropped(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Calls of a store function whose answer nobody looks at: it may have changed nothing."""
    own = conditional(tree)
    names = {
        alias.asname or alias.name: alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "app.store"
        for alias in node.names
    }
    for node in ast.walk(tree):
        match node:
            case (
                ast.Expr(value=ast.Await(value=ast.Call(func=function)))
                | ast.Assign(targets=[ast.Name(id="_")], value=ast.Await(value=ast.Call(func=function)))
            ):
                module, _, name = dotted(function).rpartition(".")
                if name in (ANSWERS.get(names.get(module, ""), ()) if module else own):
                    yield node.lineno, dotted(function)


def test_what_came_of_a_change_is_looked_at() -> None:
    """A conditional UPDATE that met another state changes nothing: whoever asked for it must say so."""
    assert findings(dropped, SOURCES) == []


@pytest.mark.parametrize(
    "line", ["await drafts.successor(s, 1)", "_ = await subscribers.leave(s, 1, a, now)", "await one(s)"]
)
def test_the_check_of_results_notices(line: str) -> None:
    """As a statement of its own, or given to a name that nobody reads; by a name that the module was given, too."""
    source = f"""
from app.store import editions as drafts, subscribers
async def one(session) -> bool: ...
async def f():
    {line.replace("successor", "of_day")}
"""
    assert list(dropped(ast.parse(source)))


def test_the_check_of_results_lets_the_rest_pass() -> None:
    """A result that is looked at, and functions that say nothing, or how many."""
    source = """
from app.store import editions, stories, subscribers
async def f():
    if await subscribers.leave(s, 1, a, now): ...
    await editions.explain(s, 1, a, "")
    await stories.prune_candidates(s, now)
"""
    assert not list(dropped(ast.parse(source)))
