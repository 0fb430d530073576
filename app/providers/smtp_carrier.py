"""Mail transactions on one wire: which answer belongs to what, and what becomes of the letter. No waiting in here."""

import asyncio
from collections import deque

from app.providers.smtp_ahead import Ahead
from app.providers.smtp_commands import Ask, Command, fits, seconds_for, stage_of
from app.providers.smtp_letter import Letter, Manner, Source
from app.providers.smtp_pipeline import Pipeline
from app.providers.smtp_replies import Stage
from app.providers.smtp_session import Patience
from app.providers.smtp_wire import Wire

_CLOSING = 421


class Carrier:
    """Carries the letters of one source at a time over `wire`. `most` messages, then it wants no more (0: no end)."""

    def __init__(self, wire: Wire, manner: Manner, patience: Patience, *, size: bool, most: int = 0) -> None:
        self.wire = wire
        self.carried = 0
        self._patience = patience
        self._most = most
        self._pipeline = Pipeline(manner, at_once=wire.at_once, size=size)
        self._loop = asyncio.get_running_loop()
        self._source: Source | None = None
        self._flight: deque[Letter] = deque()
        self._closing = False
        self.ahead = Ahead()
        self._asked: asyncio.Future[int] | None = None
        wire.listen(self)

    # -- for the lane ------------------------------------------------------------------------------------

    @property
    def usable(self) -> bool:
        """Can another message begin on it?"""
        return not self.ending and not (self._most and self.carried >= self._most)

    @property
    def ending(self) -> bool:
        """Has the wire ended, or said that it will?"""
        return self.wire.closed or self._closing

    @property
    def idle(self) -> bool:
        """Is nothing under way?"""
        return not (self._flight or self._pipeline.awaited)

    def wants(self, waiting: int) -> int:
        """How many more letters it could use, where `waiting` lie ready; 0 until half of them are gone."""
        have = waiting + len(self._flight)
        ahead = self.ahead.count
        return ahead - have if have <= ahead // 2 else 0

    def serve(self, source: Source | None) -> None:
        self._source = source

    async def ask(self, verb: str, patience: float) -> int:
        """The code that answers RSET or QUIT on an idle wire; 0 where it broke."""
        if self.wire.closed or not self.idle:
            return 0
        self._asked = self._loop.create_future()
        self.wire.write(verb.encode() + b"\r\n")
        self.wire.expect(verb, patience)
        return await self._asked

    # -- for the wire ------------------------------------------------------------------------------------

    def replied(self, code: int, text: str) -> None:
        if code == _CLOSING:
            self._closing = True
        if not self._pipeline.awaited:
            self._unasked(code, text)
            return
        what, letter = self._pipeline.answered()
        if letter is None:
            if what is Ask.RSET and code not in (250, _CLOSING):
                self.wire.fail(f"the mail server refuses RSET: {code}")
            return
        letter.answered = True
        if not fits(what, code):
            # Whose answer is this? From here on nothing would fit its command.
            self.wire.fail(f"the mail server gave an answer to {what} that makes no sense: {code}")
            return
        self._heard(letter, what, code, text)
        if code == _CLOSING and not letter.decided:
            self._decide(letter, *(letter.refused or (stage_of(what), code, text)))

    def pump(self) -> None:
        """Writes whatever may be written now, in one go."""
        if self.wire.closed:
            return
        if self._closing:
            self._see_off()
            return
        if self._pipeline.ending:
            self._flush()
        if self._pipeline.ending and not self.wire.paused:
            self._pipeline.end()
        if not self.wire.paused:
            self._advance()
        self._flush()
        if not self.wire.closed:
            self._await_next()
        if self._source:
            self._source.wake()

    def lost(self, why: str, *, hung_up: bool) -> None:
        self._pipeline.clear()
        flight, self._flight = self._flight, deque()
        source = self._source
        back: list[Letter] = []
        for place, letter in enumerate(flight):
            if source is None or letter.decided:
                continue
            if letter.refused:
                self._decide(letter, *letter.refused)
            elif self._never_taken(letter, place, hung_up=hung_up):
                back.append(letter)
            else:
                source.broken(letter, why)
        for letter in reversed(back):
            if source:
                source.unbegun(letter)
        if self._asked and not self._asked.done():
            self._asked.set_result(0)
        if source:
            source.wake()

    def _never_taken(self, letter: Letter, place: int, *, hung_up: bool) -> bool:
        """Is it certain that the server has nothing of it, and that it did not end the wire either?

        After 421 and the end, what has no answer was not taken on (RFC 5321 section 3.8). A wire that had carried mail
        and broke before a word was said is no trouble: servers do that.
        """
        if letter.written:
            return self._closing and hung_up
        return place > 0 or (self.carried > 0 and not letter.answered)

    # -- answers -----------------------------------------------------------------------------------------

    def _heard(self, letter: Letter, what: Command, code: int, text: str) -> None:
        match what:
            case (Stage.MAIL | Stage.RCPT) as stage if isinstance(stage, Stage):
                self._envelope_answered(letter, stage, code, text)
            case Stage.DATA:
                self._data_answered(letter, code, text)
            case Stage.DOT:
                self._end_answered(letter, code, text)
            case _ if not 200 <= code < 300:  # a chunk
                letter.refused = letter.refused or (Stage.DOT, code, text)

    def _unasked(self, code: int, text: str) -> None:
        """An answer to RSET or QUIT; or one that comes before its time."""
        letter = self._pipeline.ending
        if self._asked and not self._asked.done():
            self.wire.rest()
            self._asked.set_result(code)
        elif letter and not letter.written and 400 <= code < 600:
            # Refused in mid-message: the rest of it cannot be called back, so the wire ends here.
            self._decide(letter, Stage.DOT, code, text)
            self.wire.fail("the mail server answered before the end of a message")
        elif code == _CLOSING:
            self._see_off()
        else:
            self.wire.fail("the mail server gave an answer that nobody asked for")

    def _envelope_answered(self, letter: Letter, stage: Stage, code: int, text: str) -> None:
        if code < 300:
            letter.taken_on = letter.taken_on or stage is Stage.RCPT
            return
        letter.refused = letter.refused or (stage, code, text)
        if self._pipeline.manner is Manner.LOCKSTEP:
            self._pipeline.give_up()
            self._decide(letter, *letter.refused)

    def _data_answered(self, letter: Letter, code: int, text: str) -> None:
        if code != 354:
            letter.refused = letter.refused or (Stage.DATA, code, text)
            self._pipeline.give_up()
            self._decide(letter, *letter.refused)
        elif letter.refused:
            self._pipeline.give_up_by_dot()
            self._decide(letter, *letter.refused)
        elif self._source and not self._source.may_write():
            self._source.unbegun(letter)
            letter.decided = True
            self.wire.fail("the time to write the message was over")
        else:
            self._pipeline.content(letter)

    def _end_answered(self, letter: Letter, code: int, text: str) -> None:
        refused = None if 200 <= code < 300 and letter.taken_on else letter.refused
        self._decide(letter, *(refused or (Stage.DOT, code, text)))

    def _decide(self, letter: Letter, stage: Stage, code: int, text: str) -> None:
        letter.decided = True
        with_it = self._flight
        if with_it and with_it[0] is letter:
            with_it.popleft()
        elif letter in with_it:
            with_it.remove(letter)
        self.carried += 1
        self.ahead.learn(letter.begun, self._loop.time())
        if self._source:
            self._source.decided(letter, stage, code, text)

    def _see_off(self) -> None:
        """After 421 the server closes; answers to what was written whole are still waited for."""
        if any(letter.written for letter in self._flight):
            self.wire.expect("what was under way at its 421", self._patience.check)
        else:
            self.wire.fail("the mail server closes the connection", hung_up=True)

    # -- writing -----------------------------------------------------------------------------------------

    def _advance(self) -> None:
        self._pipeline.go_on()
        while self._begin_next():
            self._flush()

    def _begin_next(self) -> bool:
        letter = self._source.next() if self._source and self._room() else None
        if letter:
            letter.begun = self._loop.time()
            self._flight.append(letter)
            self._pipeline.begin(letter)
        return letter is not None

    def _room(self) -> bool:
        if not self.usable or not self._pipeline.free or self.wire.paused:
            return False
        if self._most and self.carried + len(self._flight) >= self._most:
            return False
        return self._pipeline.manner is not Manner.CHUNKED or len(self._flight) < self.ahead.count

    def _flush(self) -> None:
        while True:
            octets, whole = self._pipeline.take()
            if not octets:
                return
            for letter in whole:
                letter.written = True
                if self._source:
                    self._source.written(letter)
            self.wire.write(octets)
            if self._pipeline.ending and not self.wire.paused:
                self._pipeline.end()
                if self._pipeline.manner is Manner.PIPELINED:
                    self._begin_next()

    def _await_next(self) -> None:
        if command := self._pipeline.awaited:
            self.wire.expect(command.value, seconds_for(command, self._patience))
        else:
            self.wire.rest()
