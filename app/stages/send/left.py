"""What may be left in a shard, told apart by groups of recipients' domains where that matters. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from app.store.handovers import Portion
from app.store.releases import SHARD


class Room(Protocol):
    """What may be begun of each group; `Shares` knows."""

    @property
    def apart(self) -> Collection[str]: ...
    def room(self, group: str, most: int) -> int: ...


@dataclass
class Left:
    """One shard at hand. A group that was once told apart stays so: what was seen of it stays true."""

    others: bool = True
    """May anything be left of the groups that are begun together?"""
    groups: dict[str, bool] = field(default_factory=dict)
    """May anything be left of those that are told apart?"""
    about: int = SHARD
    """Rows that should be left; a shard that owes some again may have more."""

    @property
    def dry(self) -> bool:
        return not self.others and not any(self.groups.values())

    @property
    def waiting(self) -> set[str]:
        """The groups that it is only kept for; empty as long as there are others, or nothing is left."""
        return set() if self.others else {group for group, left in self.groups.items() if left}

    def portion(self, room: Room, most: int) -> Portion | None:
        """What to begin of it, `most` together; None where that is nothing."""
        if self.others:
            self.groups = {**dict.fromkeys(room.apart, True), **self.groups}
        each = {group: room.room(group, most) for group, left in self.groups.items() if left}
        portion = Portion(self.others, sorted(self.groups), {group: count for group, count in each.items() if count})
        return portion if portion.others or portion.each else None

    def learn(self, portion: Portion, most: int, begun: Mapping[str, int]) -> None:
        """Whatever gave less than was asked for has no more that is due."""
        count = sum(begun.values())
        # One that gave all of what it should not have had owes some again, and nobody knows how many.
        self.about = max(self.about - count, 0) if self.about or count < most else SHARD
        if count >= most:
            return  # cut short: nobody knows
        self.others = False
        for group, asked in portion.each.items():
            if begun.get(group, 0) < asked:
                self.groups[group] = False
