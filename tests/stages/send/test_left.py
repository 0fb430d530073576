"""What may be left in a shard, told apart by groups."""

from dataclasses import dataclass, field

from app.stages.send.left import Left
from app.store.handovers import Portion
from app.store.releases import SHARD


@dataclass
class Rooms:
    """So many tokens for each group."""

    tokens: dict[str, int] = field(default_factory=dict)

    @property
    def apart(self) -> set[str]:
        return set(self.tokens)

    def room(self, group: str, most: int) -> int:
        return min(most, self.tokens.get(group, most))


def test_without_limits_nothing_is_told_apart() -> None:
    """One statement, as ever; less than was asked for means that nothing is left."""
    left = Left()
    assert left.portion(Rooms(), 10) == Portion(others=True, apart=[], each={})
    left.learn(Portion(others=True, apart=[], each={}), 10, {"": 10})
    assert not left.dry
    left.learn(Portion(others=True, apart=[], each={}), 10, {"": 9})
    assert left.dry


def test_a_limited_group_gets_what_there_are_tokens_for() -> None:
    """Beside the others; when those are through, the shard is only kept for it."""
    left = Left()
    portion = left.portion(Rooms({"gmail": 3}), 10)
    assert portion == Portion(others=True, apart=["gmail"], each={"gmail": 3})
    left.learn(portion, 10, {"gmail": 3, "other": 7})
    assert not left.waiting
    left.learn(portion, 10, {"gmail": 3, "other": 1})
    assert (left.waiting, left.dry) == ({"gmail"}, False)
    assert left.portion(Rooms({"gmail": 0}), 10) is None
    last = left.portion(Rooms({"gmail": 5}), 10)
    assert last == Portion(others=False, apart=["gmail"], each={"gmail": 5})
    left.learn(last, 10, {"gmail": 4})
    assert left.dry


def test_what_was_barred_is_asked_for_when_it_may_go_on() -> None:
    """Though nothing tells it apart any more, and the others are through."""
    left = Left()
    left.learn(left.portion(Rooms({"yahoo": 0}), 10), 10, {"other": 2})  # type: ignore[arg-type]  # others are due
    assert left.waiting == {"yahoo"}
    assert left.portion(Rooms(), 10) == Portion(others=False, apart=["yahoo"], each={"yahoo": 10})


def test_what_should_be_left_is_counted_down() -> None:
    """A shard that gives what it should not have had owes some again, and nobody knows how many."""
    left, all_ = Left(about=100), Portion(others=True, apart=[], each={})
    left.learn(all_, 80, {"": 80})
    assert left.about == 20
    left.learn(all_, 20, {"": 20})
    assert (left.about, left.dry) == (0, False)
    left.learn(all_, 64, {"": 64})
    assert (left.about, left.dry) == (SHARD, False)
    left.learn(all_, 64, {"": 3})
    assert left.dry
