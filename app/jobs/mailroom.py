"""Hands over what is owed: service mail, and the shards of editions. Wires rendering to sending."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import structlog

from app.bootstrap import Container
from app.core.languages import language_of
from app.core.mail.template import MailTemplate, Slot
from app.core.mail.tokens import Limits
from app.core.signing import Purpose
from app.models.content import sections_of
from app.models.states import MailForm
from app.stages.audience import consent, fresh
from app.stages.render import message, operator_letters, printed
from app.stages.render import transactional as letters
from app.stages.render.wording import arrival
from app.stages.send import operators, shard, transactional
from app.stages.send.edition_ledger import MOST_SHARDS
from app.stages.send.journal import Journal
from app.stages.send.meter import Meter
from app.stages.send.mornings import next_paper
from app.stages.send.stream import Rendered, S, Stream, hand_over
from app.stages.send.throttle import ProviderThrottle, Throttle
from app.stages.send.ways import Way, usable_now
from app.store import operator_mail
from app.store.transactional import Begun

ASKED_FIRST = frozenset({consent.CONFIRMATION, consent.REMINDER, Purpose.NEW_ADDRESS.value})
"""Mail to addresses that nobody has confirmed yet."""

MOST_EMPTY = 50
"""Shards in a row that were due and gave nothing, since all their readers left; a second later it is looked again."""
MOST_TAILS = 8
"""Hand-overs of service mail that may wait for slow answers while others have their turn, and as many of papers."""

HandOver = Callable[..., Coroutine[Any, Any, int]]
"""Takes `on_tail`; gives how many messages were handed over."""

log = structlog.get_logger(__name__)


class Mailroom:
    """One worker's way out, with up to `shards` shards in hand. `stop` is set when the service is asked to end.

    `journal` is where it notes what it writes, for whoever takes over should this process be killed.
    """

    def __init__(
        self,
        container: Container,
        owner: str,
        stop: asyncio.Event,
        shards: int = MOST_SHARDS,
        journal: Journal | None = None,
    ) -> None:
        self._journal = journal or Journal()
        self._shards = shards
        self._container = container
        self._owner = owner
        self._stop = stop
        self.meter = Meter()
        exchangers = container.exchangers
        self._check = transactional.DomainCheck(exchangers, ASKED_FIRST) if exchangers else None
        self._editions: dict[int, asyncio.Task[printed.Printed]] = {}
        self._templates: dict[tuple[int, int, MailForm], MailTemplate] = {}
        self._post_tails: set[asyncio.Task[int]] = set()
        self._paper_tails: set[asyncio.Task[int]] = set()

    @property
    def tails(self) -> set[asyncio.Task[int]]:
        """Hand-overs that only wait for slow answers, while others have their turn."""
        return self._post_tails | self._paper_tails

    async def post(self) -> None:
        """Service mail that is due, and letters to operators."""
        for way in await self._ways():
            for stream in (self._post_by, self._letters_by):
                if not self._stop.is_set():
                    await self._to_its_tail(partial(stream, way), self._post_tails)

    async def _to_its_tail(self, hand_over: HandOver, tails: set[asyncio.Task[int]]) -> int:
        """Until its end, or until only slow answers are awaited; gives how many messages, 1 where that is open.

        Then it is one of `tails`, unless these are too many already.
        """
        tail = asyncio.Event()
        task = asyncio.create_task(hand_over(on_tail=tail.set))
        waits = asyncio.create_task(tail.wait())
        try:
            several = len(tails) < MOST_TAILS
            await asyncio.wait({task, waits} if several else {task}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.wait({task})
            raise
        finally:
            waits.cancel()
        if task.done():
            return task.result()
        tails.add(task)
        task.add_done_callback(tails.discard)
        task.add_done_callback(_ended)
        return 1

    async def _post_by(self, way: Way, on_tail: Callable[[], None]) -> int:
        container, throttle = self._container, self._throttle(way, service=True)
        stream = transactional.Post(
            way=way,
            settings=container.settings,
            clock=container.clock,
            journal=self._journal,
            render=self._letter,
            signer=container.signer,
            check=self._check,
            shares=throttle.shares,
        )
        return await self._hand_over(stream, throttle, on_tail)

    async def _letters_by(self, way: Way, on_tail: Callable[[], None]) -> int:
        container = self._container
        stream = operators.OperatorPost(
            way=way,
            settings=container.settings,
            clock=container.clock,
            journal=self._journal,
            render=self._to_operators,
        )
        return await self._hand_over(stream, self._throttle(way, service=True), on_tail)

    async def _hand_over(self, stream: Stream[S], throttle: Throttle, on_tail: Callable[[], None]) -> int:
        return await hand_over(
            self._container.db,
            stream,
            owner=self._owner,
            stop=self._stop,
            throttle=throttle,
            on_tail=on_tail,
            meter=self.meter,
        )

    async def papers(self) -> None:
        """Shards that are due, until none is free, or none gives anything."""
        empty = 0
        while not self._stop.is_set() and empty < MOST_EMPTY and (handed := await self.paper()) >= 0:
            empty = 0 if handed else empty + 1

    async def paper(self, first: tuple[int, int] | None = None) -> int:
        """What is due of one edition, any or this one; gives how many messages, -1 where no shard was free.

        `first` is the edition and the shard to begin with. A provider that gives nothing leaves the turn to the next:
        what waits may be for that one alone.
        """
        handed = -1
        for way in await self._ways():
            handed = await self._to_its_tail(partial(self._paper_by, way, first), self._paper_tails)
            if handed:
                break
        return handed

    async def _paper_by(self, way: Way, first: tuple[int, int] | None, on_tail: Callable[[], None]) -> int:
        if first:
            self._edition(first[0])
        return await shard.send_due(
            self._container.db,
            way,
            settings=self._container.settings,
            signer=self._container.signer,
            clock=self._container.clock,
            template_for=self._template,
            owner=self._owner,
            stop=self._stop,
            shard=first,
            most_shards=self._shards,
            throttle=self._throttle(way, service=False),
            on_tail=on_tail,
            meter=self.meter,
            journal=self._journal,
        )

    async def _ways(self) -> list[Way]:
        return await usable_now(self._container.db, self._container.providers, self._container.clock.now())

    def _throttle(self, way: Way, *, service: bool) -> ProviderThrottle:
        container, limits = self._container, self._container.limits.get(way.name, Limits())
        return ProviderThrottle(container.db, way.name, limits, container.settings.zone, service=service)

    async def _template(self, edition_id: int, sections: int, form: MailForm) -> MailTemplate:
        key = (edition_id, sections, form)
        if key not in self._templates:
            if any(kept != edition_id for kept, _, _ in self._templates):
                self._templates.clear()
            publication, edition = self._container.settings.publication, await asyncio.shield(self._edition(edition_id))
            self._templates[key] = await message.template_for(edition, publication, sections_of(sections), form)
        return self._templates[key]

    def _edition(self, edition_id: int) -> "asyncio.Task[printed.Printed]":
        """A frozen edition, which never changes: read once for all its variants, and beside what comes first."""
        read = self._editions.get(edition_id)
        if read is None or (read.done() and (read.cancelled() or read.exception())):
            read = asyncio.create_task(printed.frozen(self._container.db, edition_id))
            read.add_done_callback(lambda task: task.cancelled() or task.exception())  # whoever needs it tells of it
            self._editions = {edition_id: read}
        return read

    def _to_operators(self, row: operator_mail.Begun) -> MailTemplate:
        publication = self._container.settings.publication
        match row.kind:
            case operator_letters.HELD:
                return operator_letters.held_template(publication, row.parameters)
            case operator_letters.FAULT:
                return operator_letters.fault_template(publication, row.parameters)
            case operator_letters.CLOCK:
                return operator_letters.clock_template(publication, row.parameters)
            case other:
                raise ValueError(f"no letter to operators is called {other}")

    def _letter(self, row: Begun) -> Rendered:
        publication, language = self._container.settings.publication, language_of(row.language)
        match row.kind:
            case consent.CONFIRMATION | consent.REMINDER:
                template = letters.confirmation_template(publication, language, reminder=row.kind == consent.REMINDER)
                return Rendered(template, {Slot.CONFIRM: self._confirm_link(row)})
            case consent.WELCOME:
                return self._welcome(row)
            case consent.ALREADY:
                template = letters.linked_template(publication, row.kind, language)
                token = self._container.signer.sign(Purpose.PREFERENCES, row.reader_ref)
                return Rendered(template, {Slot.LINK: f"{publication.public_url}/preferences/{token}"})
            case "download" | "erase" | "move" | "new-address" | "old-address":
                return self._with_link(row, Purpose(row.kind))
            case other:
                raise ValueError(f"no service mail is called {other}")

    def _with_link(self, row: Begun, purpose: Purpose) -> Rendered:
        """A letter whose link does one thing, for so long as the letter says."""
        settings = self._container.settings
        token = self._container.signer.sign(purpose, row.ref, row.created_at + fresh.WORKS_FOR[purpose])
        values = {Slot.LINK: f"{settings.public_url}/{purpose}/{token}"}
        template = letters.linked_template(settings.publication, purpose.value, language_of(row.language))
        if Slot.OTHER_ADDRESS in template.slots:
            values[Slot.OTHER_ADDRESS] = str(row.parameters["to"])
        return Rendered(template, values)

    def _confirm_link(self, row: Begun) -> str:
        token = self._container.signer.sign(Purpose.CONFIRM, row.ref, row.created_at + consent.CONFIRM_WITHIN)
        return f"{self._container.settings.public_url}/confirm/{token}"

    def _welcome(self, row: Begun) -> Rendered:
        settings = self._container.settings
        language = language_of(row.language)
        due = next_paper(settings, self._container.clock.now(), row.zone, row.minute, row.frequency)
        edition = row.parameters.get("edition")
        sign = self._container.signer.sign
        values = {
            Slot.NEXT_DELIVERY: arrival(due).in_(language),
            Slot.MANAGE: f"{settings.public_url}/preferences/{sign(Purpose.PREFERENCES, row.reader_ref)}",
            Slot.UNSUBSCRIBE: f"{settings.public_url}/unsubscribe/{sign(Purpose.UNSUBSCRIBE, row.reader_ref)}",
        }
        if edition:
            values[Slot.EDITION] = f"{settings.public_url}/editions/{edition}"
        return Rendered(letters.welcome_template(settings.publication, language, with_edition=bool(edition)), values)


def _ended(task: asyncio.Task[int]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.warning("a hand-over broke off", why=str(error))
