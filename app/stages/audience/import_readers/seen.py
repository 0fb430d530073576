"""Which addresses of a file were met already: a million of them in 16 MB, where a set takes 70. Pure."""

from array import array

_FIRST = 1 << 12


class Marks:
    """64 bits of each address in an open table (linear probing) that is never more than half full.

    The bits are Python's own keyed hash: two of a million addresses share theirs in one run of forty million.
    """

    def __init__(self) -> None:
        self._size = _FIRST
        self._table = array("q", bytes(8 * _FIRST))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, key: object) -> bool:
        mark, mask = hash(key) or 1, self._size - 1
        at = mark & mask
        while found := self._table[at]:
            if found == mark:
                return True
            at = (at + 1) & mask
        return False

    def add(self, key: str) -> bool:
        """Remembers an address; False where it was met before."""
        # Nought marks a free place.
        if not _put(self._table, self._size - 1, hash(key) or 1):
            return False
        self._count += 1
        if 2 * self._count > self._size:
            self._grow()
        return True

    def _grow(self) -> None:
        self._size *= 2
        larger = array("q", bytes(8)) * self._size
        for mark in self._table:
            if mark:
                _put(larger, self._size - 1, mark)
        self._table = larger


def _put(table: "array[int]", mask: int, mark: int) -> bool:
    at = mark & mask
    while found := table[at]:
        if found == mark:
            return False
        at = (at + 1) & mask
    table[at] = mark
    return True
