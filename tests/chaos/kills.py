"""Killing workers at seeded random instants until so many are dead, and letting the last ones finish."""

import random
import time
from functools import partial
from multiprocessing.process import BaseProcess

from tests.chaos.night import Account, Night


def kill_again_and_again(night: Night, kills: int, seed: int, workers: int = 1) -> Account:
    """Each victim is killed up to half a second after its start, or after mail began to flow again.

    Gives the account when the edition has ended.
    """
    chance = random.Random(seed)
    team = [night.start() for _ in range(workers)]
    for _ in range(kills):
        if night.ended():
            raise AssertionError("the edition ended before its workers were all killed: it needs more readers")
        victim = chance.randrange(workers)
        _let_live(night, chance)
        night.kill(team[victim])
        team[victim] = night.start()
    _finish(night, team)
    return night.account()


def _let_live(night: Night, chance: random.Random) -> None:
    before, until = night.receiver.count, time.monotonic() + 4
    if chance.random() < 0.8:  # one in five dies before it has handed over anything
        while night.receiver.count == before and time.monotonic() < until:
            time.sleep(0.005)
    time.sleep(chance.uniform(0, 0.3))


def _more_than(night: Night, received: int) -> bool:
    return night.receiver.count > received or night.ended()


def _finish(night: Night, team: list[BaseProcess]) -> None:
    while not night.ended():  # as long as mail comes there is no hurry
        news = partial(_more_than, night, night.receiver.count)
        night.wait("more mail, or the edition's end", news, within=120, every=0.5)
    for process in team:
        process.terminate()
        process.join(20)
        assert process.exitcode is not None, "a worker did not end on SIGTERM"
