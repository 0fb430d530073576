"""The clock that decides follows what is read, doubts a jump, and never goes backwards for a small correction."""

from datetime import UTC, datetime, timedelta

import pytest

from app.core.clock import CALM, CONFIRM_AFTER, EARLIEST, GAP, Change, GuardedClock, Turn
from tests.conftest import NOON
from tests.machine import Machine

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def machine() -> Machine:
    return Machine(NOON)


@pytest.fixture
def clock(machine: Machine) -> GuardedClock:
    """Started at noon, ten minutes ago."""
    made = machine.clock()
    made.start(machine.read(), None, None)
    machine.wait(seconds=CALM)
    made.read(machine.read())
    return made


def turn(change: Change | None) -> Turn | None:
    return change.turn if change else None


def test_a_clock_that_was_not_started_gives_no_time(machine: Machine) -> None:
    """Rather than one that nobody confirmed."""
    clock = machine.clock()
    assert not clock.is_confirmed
    assert not clock.may_expire
    with pytest.raises(RuntimeError, match="not started"):
        clock.now()


def test_time_goes_on_by_the_monotonic_clock_between_readings(machine: Machine, clock: GuardedClock) -> None:
    """Whatever the machine's own says meanwhile."""
    before = clock.now()
    machine.wait(seconds=10)
    machine.wall += DAY
    assert clock.now() == before + 10 * SECOND
    assert clock.offset == DAY


@pytest.mark.parametrize("by", [-60, -0.01, 0.01, 60])
def test_a_reading_within_a_minute_is_followed_and_time_never_goes_backwards(
    machine: Machine, clock: GuardedClock, by: float
) -> None:
    """Forward at once; where it was ahead it stands still until the other has caught up, and no longer."""
    before = clock.now()
    machine.wall += by * SECOND
    assert clock.read(machine.read()) is None
    assert clock.now() == max(before, machine.wall)
    assert clock.is_confirmed
    assert clock.may_expire
    machine.wait(seconds=30)
    assert clock.now() == max(before, machine.wall)
    machine.wait(seconds=60)
    assert clock.now() == machine.wall


@pytest.mark.parametrize("by", [-DAY, -61 * SECOND, 61 * SECOND, DAY])
def test_a_jump_is_believed_when_two_readings_a_minute_apart_agree(
    machine: Machine, clock: GuardedClock, by: timedelta
) -> None:
    """Until then time goes on as before, and nothing is driven by it; for ten minutes after it nothing expires."""
    before = clock.now()
    machine.wall += by
    change = clock.read(machine.read())
    assert turn(change) is Turn.DOUBTED
    assert change is not None
    assert change.by == by
    machine.wait(seconds=CONFIRM_AFTER - 1)
    assert clock.read(machine.read()) is None
    assert not clock.is_confirmed
    assert not clock.may_expire
    assert clock.now() == before + (CONFIRM_AFTER - 1) * SECOND
    machine.wait(seconds=1)
    change = clock.read(machine.read())
    assert change == Change(Turn.CONFIRMED, by, set_back=by < timedelta(0))
    assert clock.is_confirmed
    assert clock.now() == machine.wall
    machine.wait(seconds=CALM - 1)
    assert not clock.may_expire
    machine.wait(seconds=1)
    assert clock.may_expire


def test_a_jump_that_is_put_right_changes_nothing(machine: Machine, clock: GuardedClock) -> None:
    """Only that nothing expires for ten minutes."""
    before = clock.now()
    machine.wall += DAY
    clock.read(machine.read())
    machine.wait(seconds=30)
    machine.wall -= DAY
    assert turn(clock.read(machine.read())) is Turn.RETURNED
    assert clock.is_confirmed
    assert clock.now() == before + 30 * SECOND
    assert not clock.may_expire
    machine.wait(seconds=CALM)
    assert clock.may_expire


def test_readings_that_do_not_agree_confirm_nothing(machine: Machine, clock: GuardedClock) -> None:
    """Each new time waits a minute of its own."""
    for _ in range(5):
        machine.wall += timedelta(hours=1)
        assert turn(clock.read(machine.read())) is Turn.DOUBTED
        machine.wait(seconds=40)
    assert clock.read(machine.read()) is None
    machine.wait(seconds=20)
    assert turn(clock.read(machine.read())) is Turn.CONFIRMED


def test_a_time_before_this_program_was_made_is_never_believed(machine: Machine, clock: GuardedClock) -> None:
    """A machine without a battery boots in 1970, for as long as it takes."""
    before, monotonic = clock.now(), machine.monotonic
    machine.wall = datetime(1970, 1, 1, tzinfo=UTC)
    for _ in range(120):
        clock.read(machine.read())
        machine.wait(seconds=30)
    assert not clock.is_confirmed
    assert clock.now() == before + timedelta(hours=1)
    machine.wall = before + (machine.monotonic - monotonic) * SECOND
    assert turn(clock.read(machine.read())) is Turn.RETURNED


def test_an_empty_database_knows_no_time_and_the_first_is_taken(machine: Machine) -> None:
    """Unless it is absurd."""
    clock = machine.clock()
    assert clock.start(machine.read(), None, None) is None
    assert clock.is_confirmed
    machine.wall = EARLIEST - SECOND
    clock = machine.clock()
    assert turn(clock.start(machine.read(), None, None)) is Turn.DOUBTED


@pytest.mark.parametrize("gone", [timedelta(0), -timedelta(minutes=1), GAP])
def test_a_start_soon_after_the_last_sign_of_life_waits_for_nothing(machine: Machine, gone: timedelta) -> None:
    """But to expire something it waits ten minutes."""
    clock = machine.clock()
    assert clock.start(machine.read(), NOON - gone, None) is None
    assert clock.is_confirmed
    assert not clock.may_expire
    machine.wait(seconds=CALM)
    assert clock.may_expire


@pytest.mark.parametrize("gone", [GAP + SECOND, timedelta(days=7)])
def test_a_start_long_after_it_waits_a_minute(machine: Machine, gone: timedelta) -> None:
    """Either the machine was off, or its clock is ahead: `now()` is what it says, and nothing is driven by it."""
    clock = machine.clock()
    assert clock.start(machine.read(), NOON - gone, None) == Change(Turn.DOUBTED, gone)
    assert clock.now() == NOON
    assert not clock.is_confirmed
    machine.wait(seconds=CONFIRM_AFTER)
    assert turn(clock.read(machine.read())) is Turn.CONFIRMED
    assert clock.now() == machine.wall


def test_a_start_before_the_last_sign_of_life_waits_a_minute(machine: Machine) -> None:
    """Time was never earlier than that, so it goes on from there. The time before was wrong, if this one holds."""
    clock = machine.clock()
    assert clock.start(machine.read(), NOON + DAY, None) == Change(Turn.DOUBTED, -DAY)
    assert clock.now() == NOON + DAY
    machine.wait(seconds=CONFIRM_AFTER)
    assert clock.read(machine.read()) == Change(Turn.CONFIRMED, -DAY, set_back=True)
    assert clock.now() == machine.wall


def test_a_start_that_was_ahead_and_is_put_right_within_the_minute_was_set_back(machine: Machine) -> None:
    """What was written in that minute lies in the future."""
    machine.wall += DAY
    clock = machine.clock()
    assert turn(clock.start(machine.read(), NOON, None)) is Turn.DOUBTED
    assert clock.now() == NOON + DAY
    machine.wait(seconds=30)
    machine.wall -= DAY
    assert clock.read(machine.read()) == Change(Turn.CONFIRMED, timedelta(0), set_back=True)
    assert clock.now() == machine.wall


def test_nothing_expires_before_the_hold_ends(machine: Machine, clock: GuardedClock) -> None:
    """Which other processes may set."""
    clock.hold = clock.now() + timedelta(hours=1)
    assert clock.is_confirmed
    assert not clock.may_expire
    machine.wait(hours=1)
    assert clock.may_expire
