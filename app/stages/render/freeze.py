"""The freeze: an edition is linted and rendered once, with all its sections, and never changes again."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from typing import NoReturn

import structlog

from app.core.db import Database
from app.core.errors import Conflict, NotFound, Stale
from app.core.publication import Publication
from app.models import Edition
from app.models.content import ALL_SECTIONS, EditionContent, EditionKind
from app.models.editions import VariantForm
from app.models.states import EditionStatus
from app.stages.render import charts, linting, printed, variants
from app.stages.render.lint.problem import Problem, errors
from app.stages.render.lint.rules import reason
from app.store import editions, holding, numbers, pictures, stories
from app.store.holding import Hold, Holder

TRIES = 3
"""How often an edition is rendered that others change meanwhile."""

log = structlog.get_logger(__name__)


def mark_of(salt: str) -> str:
    """The random word that tells this edition's slots from anything a story may say."""
    return salt[:12]


async def freeze(
    db: Database,
    edition_id: int,
    publication: Publication,
    now: datetime,
    *,
    force: bool = False,
    approved: bool = False,
    operators: Sequence[str] = (),
) -> tuple[Problem, ...]:
    """Renders, lints and freezes a ready edition; gives what lint found. Freezing a frozen one does nothing.

    An edition in which lint finds an error is held, with the reason in words, and `operators` are told. `force`
    freezes it all the same, and one that is held already. `approved`: only what an operator has approved. Raises
    NotFound, and Conflict where the edition is or was held, is not approved, or is in no state to be frozen. Where it
    was changed while it was rendered it is read and rendered again; Stale where that happens `TRIES` times.
    """
    for tried in range(1, TRIES + 1):
        try:
            # Of two that go before each other, the second try takes the number that is left to it.
            return await _freeze(
                db, edition_id, publication, now, force=force, approved=approved, operators=operators, ahead=tried == 1
            )
        except Stale:
            if tried == TRIES:
                raise
    raise AssertionError("the last try returned or raised")


async def _freeze(
    db: Database,
    edition_id: int,
    publication: Publication,
    now: datetime,
    *,
    force: bool,
    approved: bool,
    operators: Sequence[str],
    ahead: bool,
) -> tuple[Problem, ...]:
    async with db.read() as session:
        edition = await editions.get(session, edition_id)
    if edition is None:
        raise NotFound(f"There is no edition {edition_id}.")
    if edition.frozen_at is not None:
        return ()
    overruled = force and edition.status is EditionStatus.HELD and edition.content is not None
    if edition.status is not EditionStatus.READY and not overruled:
        why = f": {edition.reason}" if edition.reason else "."
        raise Conflict(f"The edition of {edition.date} is {edition.status.value} and cannot be frozen{why}")
    if approved and edition.approved_at is None:
        raise Conflict(f"The edition of {edition.date} waits for an operator to approve it.")
    if ahead or edition.number is None:
        edition = await _numbered(db, edition, now.astimezone(publication.zone).date())
    content, slug = editions.content_of(edition), editions.slug_of(edition.kind, edition.date)
    assert content is not None
    try:
        html, text = await printed.press(content, publication, slug, mark_of(edition.salt))
    except printed.Unprintable as refusal:  # nobody can overrule that: there is nothing to send
        await _hold(db, edition, (linting.unprintable(refusal),), now, operators)
    proof = linting.proof_of(content, publication, slug, html, text, now)
    problems = await linting.problems_of(db, proof)
    if errors(problems) and not force:
        await _hold(db, edition, problems, now, operators)
    await _keep(db, edition, content, html, text, now)
    log.info(
        "the edition is frozen",
        edition=edition_id,
        date=str(edition.date),
        html_bytes=len(html.encode()),
        overruled=[f"{one.rule}: {one.where}" for one in errors(problems)],
        warnings=dict(Counter(one.rule for one in problems if one not in errors(problems))),
    )
    return problems


async def _numbered(db: Database, edition: Edition, today: date) -> Edition:
    """The edition with the next number, whatever drafts there are before it."""
    async with db.write() as session:
        await numbers.take_next(session, edition.id, today)
        found = await editions.get(session, edition.id)
    if found is None or (found.version, found.status) != (edition.version, edition.status):
        raise Stale(f"The edition of {edition.date} was changed while it was rendered; freeze it again.")
    return found


async def _hold(
    db: Database, edition: Edition, problems: tuple[Problem, ...], now: datetime, operators: Sequence[str]
) -> NoReturn:
    """Holds the edition and says so: always raises Conflict."""
    why = reason(problems)
    if edition.status is EditionStatus.READY:
        async with db.write() as session:
            await holding.hold(session, edition, Hold(why, Holder.LINT, operators), now)
        log.warning("the edition is held", date=str(edition.date), why=why)
    raise Conflict(f"The edition of {edition.date} is held and cannot be frozen: {why}")


async def _keep(db: Database, edition: Edition, content: EditionContent, html: str, text: str, now: datetime) -> None:
    page = variants.cut(html, content.present, VariantForm.WEB)
    async with db.write() as session:
        found = await editions.lock(session, edition.id)
        if found is not None and found.frozen_at is not None and found.content_hash == edition.content_hash:
            return  # somebody else froze the same content a moment ago
        as_rendered = (edition.version, edition.status, edition.number)
        if found is None or (found.version, found.status, found.number) != as_rendered:
            raise Stale(f"The edition of {edition.date} was changed while it was rendered; freeze it again.")
        if found.status is EditionStatus.HELD:
            await editions.move(session, found.id, EditionStatus.HELD, EditionStatus.READY, found.reason)
            found = await editions.lock(session, found.id)
            assert found is not None
        await editions.freeze(session, found, html=html, text=text, now=now)
        await pictures.keep(session, charts.of_content(content))
        if edition.kind is EditionKind.DAILY:  # what only a weekly printed may still run for everybody else
            await stories.mark_printed(session, [piece.story_id for piece in content.pieces], edition.id)
        await editions.add_variant(
            session,
            edition_id=edition.id,
            sections=ALL_SECTIONS,
            form=VariantForm.WEB,
            body=page,
            body_hash=variants.hash_of(page),
        )
