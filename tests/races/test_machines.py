"""The same walks as state machines of Hypothesis: it chooses what is done at once, and shrinks what it finds."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractContextManager, AsyncExitStack, ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.conftest import Postgres, sqlite_copy
from tests.races import editions, readers
from tests.races.world import jitter, world

Databases = Callable[[], AbstractContextManager[str]]
"""Opens an empty, migrated database for as long as a block lasts; gives its URL."""
BOUNDED = settings(max_examples=4, stateful_step_count=10, suppress_health_check=list(HealthCheck), print_blob=True)
EDITION_DEEDS = sorted(editions.EditionWalk.names())
READER_DEEDS = sorted(readers.ReaderWalk.names())


class Machine(RuleBasedStateMachine):
    """A service on a database of its own, on an event loop of its own."""

    def __init__(self, databases: Databases) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.outer, self.stack = ExitStack(), AsyncExitStack()
        self.url = self.outer.enter_context(databases())
        self.walk: Any = None

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    @rule(minutes=st.sampled_from((1, 31, 120, 600)))
    def time_goes_by(self, minutes: int) -> None:
        clock = self.walk.world.clock
        clock.move(clock.now() + timedelta(minutes=minutes))

    def do(self, deeds: list[str]) -> None:
        async def both() -> None:
            choices = self.walk.choices()
            with jitter(self.walk.world.random):
                await self.walk.world.together(*(choices[name][1]() for name in deeds))
            await self.walk.look()

        self.run(both())

    def teardown(self) -> None:
        try:
            if self.walk is not None:
                self.run(self.walk.end())
        finally:
            self.run(self.stack.aclose())
            self.run(self.loop.shutdown_asyncgens())
            self.loop.close()
            self.outer.close()


class EditionMachine(Machine):
    """Operators, the timetable and a dispatcher at one edition."""

    @initialize(seed=st.integers(0, 2**16), manual=st.booleans())
    def begin(self, seed: int, manual: bool) -> None:
        async def begun() -> None:
            approval = "manual" if manual else "auto"
            at = await self.stack.enter_async_context(world(self.url, seed, approval=approval))
            self.walk = await editions.begun(at, manual=manual)

        self.run(begun())

    @rule(deeds=st.lists(st.sampled_from(EDITION_DEEDS), min_size=1, max_size=3))
    def at_once(self, deeds: list[str]) -> None:
        self.do(deeds)

    @rule(deeds=st.sampled_from(editions.PAIRS))
    def a_pair_that_decides_about_the_same(self, deeds: tuple[str, ...]) -> None:
        self.do(list(deeds))


class ReaderMachine(Machine):
    """Everything that people do with three addresses."""

    @initialize(seed=st.integers(0, 2**16))
    def begin(self, seed: int) -> None:
        async def begun() -> None:
            at = await self.stack.enter_async_context(world(self.url, seed))
            self.walk = await readers.begun(at)

        self.run(begun())

    @rule(deeds=st.lists(st.sampled_from(READER_DEEDS), min_size=1, max_size=5))
    def at_once(self, deeds: list[str]) -> None:
        self.do(deeds)


@pytest.fixture(params=["sqlite", "postgresql"])
def databases(request: pytest.FixtureRequest, tmp_path: Path) -> Databases:
    """A fresh database for each example, on each engine in turn."""
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        return server.database
    template, made = request.getfixturevalue("sqlite_template"), iter(range(1_000_000))

    @contextmanager
    def sqlite() -> Any:
        folder = tmp_path / str(next(made))
        folder.mkdir()
        yield sqlite_copy(template, folder)

    return sqlite


@pytest.mark.parametrize("machine", [EditionMachine, ReaderMachine])
def test_nothing_that_is_done_at_once_breaks_a_decision(databases: Databases, machine: type[Machine]) -> None:
    """A few examples, the same in every run; HYPOTHESIS_PROFILE=search looks for others."""

    class Opened(machine):  # type: ignore[misc, valid-type]  # a class that is handed in
        def __init__(self) -> None:
            super().__init__(databases)

    run_state_machine_as_test(Opened, settings=BOUNDED)
