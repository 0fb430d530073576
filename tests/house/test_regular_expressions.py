"""No regular expression that sees a stranger's text takes more than linear time, whatever the text.

Every use of `re` in app/ is found. Those that see only text of our own or of the operator stand in `OWN` with the
reason; all others are run on long texts of their own worst characters.
"""

import ast
import importlib
import re
import re._constants as sc  # type: ignore[import-not-found]  # only the parser knows what a pattern is made of
import re._parser as parser  # type: ignore[import-not-found]  # the same
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

APP = Path(__file__).parents[2] / "app"
USES = frozenset({"search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer"})
LONG = 100_000

OWN = {
    "core/setting_types.py": "settings, written by the operator",
    "core/mail/rates.py": "a setting",
    "core/mail/template.py": "a template of ours, and quoted names in our own headers",
    "core/calendar.py": "names of the zone files on this machine",
    "providers/urls.py": "a setting",
    "cli/demo_reader.py": "a mail that the demo sent itself",
    "stages/render/inlining.py": "style sheets of our templates",
    "stages/render/marks.py": "style sheets and templates of ours",
    "stages/render/mjml.py": "templates in emails/, written by us or the operator",
    "stages/render/lint/sheet.py": "style sheets of our templates",
    "stages/render/lint/clients.py": "style sheets of our templates",
    "stages/render/lint/contrast.py": "style sheets of our templates",
    "stages/render/lint/support.py": "the table of mail programs that comes with us",
    "web/public/outbox.py": "a mail in our own outbox",
    "web/public/private.py": "the name of the publication, a setting",
    "web/public/sheet.py": "HTML that we made ourselves and that is sanitised: each <p> has its </p>",
}
"""Files below app/ whose regular expressions see no stranger's text, and what they see."""

CUT = {
    "stages/collect/likeness.py": 500,  # essence() reads so much of a title
    "stages/collect/waits.py": 200,  # and wait_of() of a header
    "stages/compose/wording.py": 160,  # _cut() before _DANGLING
    "providers/smtp_replies.py": 1000,  # _one_line()
}
"""Files where the text is cut to so many characters before."""


@dataclass(frozen=True)
class Use:
    """A pattern and how it is asked."""

    where: str
    pattern: re.Pattern[Any]
    methods: frozenset[str]

    def __str__(self) -> str:
        return self.where


def _patterns(value: Any) -> Iterator[re.Pattern[Any]]:
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, tuple):
        for one in value:
            yield from _patterns(one)


def _calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str, str]]:
    """Calls of the form `name.method(...)`."""
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
        ):
            yield node, node.func.value.id, node.func.attr


def _in_file(file: Path) -> Iterator[Use]:
    tree, name = ast.parse(file.read_text()), str(file.relative_to(APP))
    calls = list(_calls(tree))
    module = importlib.import_module("app." + name.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    for line, (node, owner, method) in enumerate(calls):
        if owner == "re" and method in USES:
            first = node.args[0]
            if isinstance(first, ast.Constant):
                flags = re.IGNORECASE if "IGNORECASE" in ast.dump(node) else 0
                yield Use(f"{name} {line} {method}", re.compile(first.value, flags), frozenset({method}))
    for constant, value in vars(module).items():
        for number, pattern in enumerate(_patterns(value)):
            methods = frozenset(method for _, owner, method in calls if owner == constant and method in USES)
            yield Use(f"{name} {constant} {number}", pattern, methods or frozenset({"finditer", "fullmatch"}))


def _using_re() -> list[Path]:
    return [file for file in sorted(APP.rglob("*.py")) if re.search(r"^import re$", file.read_text(), re.MULTILINE)]


def _strangers() -> list[Use]:
    files = [file for file in _using_re() if str(file.relative_to(APP)) not in OWN]
    return [use for file in files for use in _in_file(file)]


def _signs(parts: Iterable[Any]) -> Iterator[str]:  # noqa: C901, PLR0912  # one branch for each kind of part
    """A character, or the beginning of a word, for each part of a pattern."""
    for kind, value in parts:
        if kind is sc.LITERAL:
            yield chr(value)
        elif kind is sc.IN:
            for one, of in value:
                if one is sc.LITERAL:
                    yield chr(of)
                elif one is sc.RANGE:
                    yield chr(of[0])
                elif one is sc.CATEGORY:
                    yield {"CATEGORY_DIGIT": "1", "CATEGORY_SPACE": " ", "CATEGORY_WORD": "a"}.get(str(of), "-")
        elif kind is sc.BRANCH:
            for branch in value[1]:
                yield "".join(_signs(branch))
        elif kind is sc.SUBPATTERN:
            yield from _signs(value[3])
        elif kind in (sc.MAX_REPEAT, sc.MIN_REPEAT, sc.POSSESSIVE_REPEAT):
            yield from _signs(value[2])
        elif kind in (sc.ASSERT, sc.ASSERT_NOT):
            yield from _signs(value[1])
        elif kind is sc.ANY:
            yield "a"


def _units(pattern: re.Pattern[Any]) -> list[tuple[str, str]]:
    """What a bad text begins with, and what it repeats."""
    written = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    signs = list(dict.fromkeys(sign for sign in _signs(parser.parse(written, pattern.flags & re.VERBOSE)) if sign))
    whole = "".join(signs)[:200]
    few = signs[:12]
    pairs = ["".join(pair) for pair in permutations(few[:4], 2)]
    return [(start, unit) for unit in (*few, *pairs, whole) if unit for start in ("", whole)]


def _seconds(use: Use, text: str) -> float:
    """Of this thread's processor: what else the machine does is not counted."""
    given: Any = text if isinstance(use.pattern.pattern, str) else text.encode("utf-8", "replace")
    began = time.thread_time()
    if use.methods & {"match", "fullmatch"}:
        use.pattern.fullmatch(given)
        use.pattern.match(given)
    if use.methods - {"match", "fullmatch"}:
        for _ in use.pattern.finditer(given):
            pass
    return time.thread_time() - began


def _allowed(length: int) -> float:
    """A hundred times what the slowest of them takes; a quadratic one takes as much at 10,000 characters, and a hundred
    times that at 100,000.
    """
    return 0.05 + length * 1e-5


@pytest.mark.parametrize("use", _strangers(), ids=str)
def test_a_regular_expression_takes_linear_time(use: Use) -> None:
    """First on a tenth of the length, so that a bad one fails soon."""
    longest = CUT.get(use.where.split()[0], LONG)
    for start, unit in _units(use.pattern):
        for length in (longest // 10, longest):
            text = start + unit * (length // len(unit)) + "\x00"
            took = min(_seconds(use, text) for _ in range(2))
            assert took < _allowed(length), (
                f"{use.pattern.pattern!r} on {start!r}, {unit!r} * n: {took:.2f} s at {length}"
            )


def test_every_file_that_is_left_out_uses_regular_expressions() -> None:
    files = {str(file.relative_to(APP)) for file in _using_re()}
    assert OWN.keys() | CUT.keys() <= files
    assert OWN.keys().isdisjoint(CUT)


def test_a_quadratic_one_is_noticed() -> None:
    """The first form of the expression that masked addresses in logs."""
    bad = Use("", re.compile(r"""("[^"@]*"|[^\s@])[^\s@]*@(?=[\w\[])"""), frozenset({"sub"}))
    assert _seconds(bad, "a" * 30_000) > _allowed(30_000)
