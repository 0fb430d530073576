"""What is written on one wire, in which order, and which answers are still to come. No waiting and no wire in here.

Three manners, the best that the server offers:

- chunked (RFC 3030, RFC 2920): a whole transaction is one write, and several are under way. RSET stands before each,
  because the state after a failed BDAT is anybody's guess.
- pipelined (RFC 2920): the end of a message and the envelope of the next are one write; then the answer to DATA
  is awaited (section 3.1).
- lock-step (RFC 5321 section 3.3): a command, an answer.
"""

from collections import deque

from app.providers.smtp_commands import Ask, Command
from app.providers.smtp_letter import Letter, Manner
from app.providers.smtp_replies import Stage


class Pipeline:
    """`at_once` octets are sure to leave with one write; `size`: MAIL says how long the message is."""

    def __init__(self, manner: Manner, *, at_once: int, size: bool) -> None:
        self.manner = manner
        self.ending: Letter | None = None
        """Its message is written but for the end, which waits until the rest has left."""
        self._at_once = at_once
        self._size = size
        self._open: Letter | None = None
        self._steps: deque[tuple[Command, bytes]] = deque()
        self._expected: deque[tuple[Command, Letter | None]] = deque()
        self._out: list[bytes] = []
        self._whole: list[Letter] = []
        self._dirty = False

    # -- what is to be written ---------------------------------------------------------------------------

    @property
    def free(self) -> bool:
        """May another transaction begin?"""
        if self._open or self.ending:
            return False
        return self.manner is not Manner.LOCKSTEP or not self._expected

    def begin(self, letter: Letter) -> None:
        """As much of its transaction as may be written before an answer."""
        envelope = letter.envelope
        mail = b"MAIL FROM:<" + envelope.sender + b">" + envelope.options
        if self._size:
            mail += b" SIZE=%d" % len(envelope.content)  # RFC 1870: refused before it is sent
        if self._dirty:
            self._steps.append((Ask.RSET, b"RSET\r\n"))
        self._steps.append((Stage.MAIL, mail + b"\r\n"))
        self._steps.append((Stage.RCPT, b"RCPT TO:<" + envelope.recipient + b">\r\n"))
        self._dirty = self.manner is Manner.CHUNKED
        if self.manner is not Manner.CHUNKED:
            self._open = letter
            self._steps.append((Stage.DATA, b"DATA\r\n"))
        self._step(letter)
        while self._steps and self.manner is not Manner.LOCKSTEP:
            self._step(letter)
        if self.manner is Manner.CHUNKED:
            self._chunk(letter)

    def go_on(self) -> None:
        """In lock-step the next command, where the one before is answered."""
        if self._steps and not self._expected:
            self._step(self._open)

    def content(self, letter: Letter) -> None:
        """The message. Its end goes with it where all of it is sure to leave at once; else when the rest has left."""
        self._open = None
        self._out.append(letter.envelope.content)
        self.ending = letter
        if len(letter.envelope.content) <= self._at_once:
            self.end()

    def end(self) -> None:
        """The end of the message that waits for it, unless it is refused already."""
        letter, self.ending = self.ending, None
        if letter is None or (letter.refused and letter.decided):
            return
        self._put(Stage.DOT, b"BDAT 0 LAST\r\n" if self.manner is Manner.CHUNKED else b".\r\n", letter)
        self._whole.append(letter)

    def give_up(self) -> None:
        """The transaction goes no further: the next one begins with RSET."""
        self._steps.clear()
        self._open, self._dirty = None, True

    def give_up_by_dot(self) -> None:
        """The same where the server took DATA all the same (RFC 2920 section 3.1): a message of nothing ends it."""
        self._put(Ask.LONE_DOT, b".\r\n", None)
        self._open = None

    def take(self) -> tuple[bytes, list[Letter]]:
        """What is to be written now, empty where nothing is; and the messages that are written whole with it."""
        out, self._out = self._out, []
        whole, self._whole = self._whole, []
        return b"".join(out), whole

    def clear(self) -> None:
        """Nothing is written any more, and no answer comes."""
        self._steps.clear()
        self._expected.clear()
        self._out.clear()
        self._whole.clear()
        self._open = self.ending = None

    # -- what is to be answered --------------------------------------------------------------------------

    @property
    def awaited(self) -> Command | None:
        """The command that is to be answered next."""
        return self._expected[0][0] if self._expected else None

    def answered(self) -> tuple[Command, Letter | None]:
        """Strikes out the command that is to be answered next, and gives it, with the message that it belongs to."""
        return self._expected.popleft()

    # ----------------------------------------------------------------------------------------------------

    def _step(self, letter: Letter | None) -> None:
        command, words = self._steps.popleft()
        self._put(command, words, None if command is Ask.RSET else letter)

    def _chunk(self, letter: Letter) -> None:
        content = letter.envelope.content
        if len(content) <= self._at_once:
            self._put(Stage.DOT, b"BDAT %d LAST\r\n" % len(content), letter)
            self._whole.append(letter)
        else:
            self._put(Ask.CHUNK, b"BDAT %d\r\n" % len(content), letter)
            self.ending = letter
        self._out.append(content)

    def _put(self, command: Command, words: bytes, letter: Letter | None) -> None:
        self._out.append(words)
        self._expected.append((command, letter))
