"""Lines for a plain screen: wrapped at 76 columns, with links as numbers. Pure."""

import textwrap

from app.stages.render.characters import one_line, undirected

WIDTH = 76
INDENT = "    "
_TIE = "\ue000"  # a space at which no line ends; of the private use area, so that no story means anything by it


class Links:
    """The links of one section: numbered from 1 in the order of reading, the same address by the same number.

    Sections number their own, and list them at their end, so that a paper reads right with any of its sections cut out.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def ref(self, url: str) -> str:
        """` [3]`, which keeps to the word before it; empty where there is no address."""
        address = one_line(url)
        return f"{_TIE}[{self._numbers.setdefault(address, len(self._numbers) + 1)}]" if address else ""

    def listed(self) -> str:
        """Every address on a line of its own, which is never broken, after its number."""
        edge = len(f"[{len(self._numbers)}]")
        return "".join(f"{f'[{number}]':>{edge}} {address}\n" for address, number in self._numbers.items())


def wrap(words: str, indent: str = "", first: str | None = None) -> str:
    """`words` in lines of at most 76 columns, without control characters; `first` is the first line's indent."""
    lines = textwrap.wrap(
        one_line(words),
        WIDTH,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(line.replace(_TIE, " ") for line in lines) + "\n" if lines else ""


def verbatim(line: str, indent: str = "") -> str:
    """A line of code or of a table, of any length, its blanks as they are."""
    return (indent + undirected(line)).replace(_TIE, " ").rstrip() + "\n"
