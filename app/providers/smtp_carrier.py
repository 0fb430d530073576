"""Mail transactions on one wire: what is written when, and which answer belongs to what. No waiting in here.

Three manners, the best that the server offers:

- chunked (RFC 3030, RFC 2920): a whole transaction is one write, and several are under way. RSET stands before each,
  because the state after a failed BDAT is anybody's guess.
- pipelined (RFC 2920): the end of a message and the envelope of the next are one write; then the answer to DATA
  is awaited (section 3.1).
- lock-step (RFC 5321 section 3.3): a command, an answer.
"""

import asyncio
from collections import deque

from app.providers.smtp_ahead import Ahead
from app.providers.smtp_letter import Ask, Letter, Manner, Source
from app.providers.smtp_replies import Stage
from app.providers.smtp_session import Patience
from app.providers.smtp_wire import Wire

_CLOSING = 421


Step = tuple[Stage | Ask, bytes]


class Carrier:
    """Carries the letters of one source at a time over `wire`. `most` messages, then it wants no more (0: no end)."""

    def __init__(self, wire: Wire, manner: Manner, patience: Patience, *, size: bool, most: int = 0) -> None:
        self.wire = wire
        self.manner = manner
        self.carried = 0
        self._patience = patience
        self._size = size
        self._most = most
        self._at_once = wire.at_once
        self._loop = asyncio.get_running_loop()
        self._source: Source | None = None
        self._expected: deque[tuple[Stage | Ask, Letter | None]] = deque()
        self._steps: deque[Step] = deque()
        self._flight: deque[Letter] = deque()
        self._open: Letter | None = None
        self._ending: Letter | None = None
        self._out: list[bytes] = []
        self._last: list[Letter] = []
        self._dirty = False
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
        return not (self._flight or self._expected)

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
        if not self._expected:
            self._unasked(code, text)
            return
        what, letter = self._expected.popleft()
        if letter is None:
            if what is Ask.RSET and code not in (250, _CLOSING):
                self.wire.fail(f"the mail server refuses RSET: {code}")
            return
        letter.answered = True
        if not _sensible(what, code):
            # Whose answer is this? From here on nothing would fit its command.
            self.wire.fail(f"the mail server gave an answer to {what} that makes no sense: {code}")
            return
        self._heard(letter, what, code, text)
        if code == _CLOSING and not letter.decided:
            self._decide(letter, *(letter.refused or (_stage(what), code, text)))

    def pump(self) -> None:
        """Writes whatever may be written now, in one go."""
        if self.wire.closed:
            return
        if self._closing:
            self._see_off()
            return
        if self._ending:
            self._flush()
        if self._ending and not self.wire.paused:
            self._end(self._ending)
        if not self.wire.paused:
            self._advance()
        self._flush()
        if not self.wire.closed:
            self._await_next()
        if self._source:
            self._source.wake()

    def lost(self, why: str, *, hung_up: bool) -> None:
        self._steps.clear()
        self._expected.clear()
        self._out.clear()
        self._open = self._ending = None
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

    def _heard(self, letter: Letter, what: Stage | Ask, code: int, text: str) -> None:
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
        letter = self._ending
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
        if self.manner is Manner.LOCKSTEP:
            self._steps.clear()
            self._given_up(letter)

    def _data_answered(self, letter: Letter, code: int, text: str) -> None:
        if code != 354:
            letter.refused = letter.refused or (Stage.DATA, code, text)
            self._given_up(letter)
        elif letter.refused:
            # RFC 2920 section 3.1: DATA was taken all the same; a message of nothing ends it.
            self._put(Ask.LONE_DOT, b".\r\n")
            self._given_up(letter, dirty=False)
        elif self._source and not self._source.may_write():
            self._source.unbegun(letter)
            letter.decided = True
            self.wire.fail("the time to write the message was over")
        else:
            self._content(letter)

    def _end_answered(self, letter: Letter, code: int, text: str) -> None:
        refused = None if 200 <= code < 300 and letter.taken_on else letter.refused
        self._decide(letter, *(refused or (Stage.DOT, code, text)))

    def _given_up(self, letter: Letter, *, dirty: bool = True) -> None:
        assert letter.refused
        self._open, self._dirty = None, dirty
        self._decide(letter, *letter.refused)

    def _decide(self, letter: Letter, stage: Stage, code: int, text: str) -> None:
        letter.decided = True
        if self._open is letter:
            self._open = None
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
        if self._steps:
            if not self._expected:
                self._step(self._open)
            return
        while self._begin_next():
            self._flush()

    def _begin_next(self) -> bool:
        letter = self._source.next() if self._source and self._room() else None
        if letter:
            self._begin(letter)
        return letter is not None

    def _room(self) -> bool:
        if not self.usable or self._open or self._ending or self.wire.paused:
            return False
        if self._most and self.carried + len(self._flight) >= self._most:
            return False
        match self.manner:
            case Manner.CHUNKED:
                return len(self._flight) < self.ahead.count
            case Manner.PIPELINED:
                return True
            case Manner.LOCKSTEP:
                return not self._expected

    def _begin(self, letter: Letter) -> None:
        letter.begun = self._loop.time()
        self._flight.append(letter)
        envelope = letter.envelope
        mail = b"MAIL FROM:<" + envelope.sender + b">" + envelope.options
        if self._size:
            mail += b" SIZE=%d" % len(envelope.content)  # RFC 1870: refused before it is sent
        steps: list[Step] = [
            (Stage.MAIL, mail + b"\r\n"),
            (Stage.RCPT, b"RCPT TO:<" + envelope.recipient + b">\r\n"),
        ]
        if self._dirty or (self.manner is Manner.CHUNKED and (self.carried or len(self._flight) > 1)):
            steps.insert(0, (Ask.RSET, b"RSET\r\n"))
        self._dirty = False
        if self.manner is Manner.CHUNKED:
            for what, words in steps:
                self._put(what, words, letter if what is not Ask.RSET else None)
            self._chunk(letter)
            return
        self._open = letter
        steps.append((Stage.DATA, b"DATA\r\n"))
        self._steps.extend(steps)
        self._step(letter)
        while self._steps and self.manner is Manner.PIPELINED:
            self._step(letter)

    def _step(self, letter: Letter | None) -> None:
        what, words = self._steps.popleft()
        self._put(what, words, None if what is Ask.RSET else letter)

    def _put(self, what: Stage | Ask, words: bytes, letter: Letter | None = None) -> None:
        self._out.append(words)
        self._expected.append((what, letter))

    def _content(self, letter: Letter) -> None:
        """The message. Its end goes with it where all of it is sure to leave at once; else when the rest has left."""
        self._open = None
        self._out.append(letter.envelope.content)
        if len(letter.envelope.content) <= self._at_once:
            self._end(letter)
        else:
            self._ending = letter

    def _chunk(self, letter: Letter) -> None:
        content = letter.envelope.content
        if len(content) <= self._at_once:
            self._put(Stage.DOT, b"BDAT %d LAST\r\n" % len(content), letter)
            self._out.append(content)
            self._last.append(letter)
        else:
            self._put(Ask.CHUNK, b"BDAT %d\r\n" % len(content), letter)
            self._out.append(content)
            self._ending = letter

    def _end(self, letter: Letter) -> None:
        self._ending = None
        if letter.refused and letter.decided:
            return
        self._put(Stage.DOT, b"BDAT 0 LAST\r\n" if self.manner is Manner.CHUNKED else b".\r\n", letter)
        self._last.append(letter)

    def _flush(self) -> None:
        while self._out:
            out, self._out = self._out, []
            last, self._last = self._last, []
            for letter in last:
                letter.written = True
                if self._source:
                    self._source.written(letter)
            self.wire.write(b"".join(out))
            if self._ending and not self.wire.paused:
                self._end(self._ending)
                if self.manner is Manner.PIPELINED:
                    self._begin_next()

    def _await_next(self) -> None:
        if not self._expected:
            self.wire.rest()
            return
        what = self._expected[0][0]
        match what:
            case Stage.MAIL | Ask.RSET:
                patience = self._patience.mail
            case Stage.RCPT:
                patience = self._patience.rcpt
            case Stage.DATA | Ask.CHUNK:
                patience = self._patience.data
            case _:
                patience = self._patience.dot
        self.wire.expect(what.value, patience)


def _stage(what: Stage | Ask) -> Stage:
    return what if isinstance(what, Stage) else Stage.DOT


def _sensible(what: Stage | Ask, code: int) -> bool:
    """RFC 5321 section 4.2.1: the first digit says whether the answer fits the command."""
    return code >= 400 or (300 <= code < 400 if what is Stage.DATA else code < 300)
