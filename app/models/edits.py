"""What operators asked of an edition: kept apart from its content, so that composing again loses none of it."""

from collections.abc import Mapping

from app.models.content import Frozen, Section


class Edits(Frozen):
    """An empty text, an empty section: the paper decides."""

    subject: str = ""
    preheader: str = ""
    pinned: Mapping[Section, tuple[int, ...]] = {}
    """Stories that stand first in a section, in this order, by their ids."""
    removed: tuple[int, ...] = ()
    """Stories that do not run in this edition."""
    hold: str = ""
    """Why an operator holds it; empty where none does."""
    enough: bool = False
    """An operator lets it go although there is little in it."""
