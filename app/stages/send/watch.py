"""How far an edition is, how fast it goes and when it will be through: answered from counts, whatever its size."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from app.core.db import Session
from app.core.errors import NotFound
from app.models.states import EditionStatus
from app.store import editions, progress, releases, waits, workers
from app.store.progress import Counts, Tallied
from app.store.waits import Waits

ENDED = (EditionStatus.SENT, EditionStatus.PARTIALLY_SENT, EditionStatus.CANCELLED)
_GOING = (EditionStatus.FROZEN, EditionStatus.SENDING)


@dataclass(frozen=True, slots=True)
class Look:
    """One look at an edition that goes out."""

    status: EditionStatus
    reason: str
    counts: Counts
    rate: float
    """Hand-overs answered for good per second, over the last minute."""
    done_at: datetime | None
    """When it is through at that rate, and not before the last planned morning, retry and decision on unknown mail: the
    earliest, since what is tried again may be deferred again. None where nothing can be said."""
    next_release_at: datetime | None
    providers: dict[str, Counts]
    domains: dict[str, Counts]
    waits: Waits
    undecided: int
    """Unknown deliveries that will be sent again unless an answer comes; none where they are held, or it has ended."""
    workers: int
    """Workers that live."""

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def done(self) -> int:
        """Readers of whom nothing more is to come, whatever their answer was."""
        return self.counts.released - self.counts.open - self.undecided


async def look(session: Session, edition_id: int, now: datetime, *, resend: bool = True) -> Look:
    """`resend`: unknown deliveries are sent again (ON_UNKNOWN). Raises NotFound."""
    edition = await editions.get(session, edition_id)
    if edition is None:
        raise NotFound(f"There is no edition {edition_id}.")
    tallied = await progress.of_edition(session, edition_id)
    counts = progress.together(tallied)
    rate = await progress.rate(session, edition_id, now)
    mornings = [one.due_at for one in await releases.planned(session, edition_id) if one.done_at is None]
    undecided = counts.unknown if resend and edition.status not in ENDED else 0
    waiting = Waits()
    if edition.status not in ENDED and (counts.queued or counts.deferred or undecided):
        waiting = await waits.of_edition(session, edition_id, now, undecided=bool(undecided))
    living, _ = await workers.living(session)
    return Look(
        status=edition.status,
        reason=edition.reason,
        counts=counts,
        rate=rate,
        done_at=through_at(counts, undecided, rate, now, waiting, mornings) if edition.status in _GOING else None,
        next_release_at=min(mornings, default=None),
        providers=_by([(one.provider, one) for one in tallied if one.provider]),
        domains=_by([(one.domain_group, one) for one in tallied]),
        waits=waiting,
        undecided=undecided,
        workers=living,
    )


def through_at(
    counts: Counts, undecided: int, rate: float, now: datetime, waiting: Waits, mornings: list[datetime]
) -> datetime | None:
    """When what is open or undecided will have been answered at `rate`, but not before what is known to come later.

    None where mail could go out now, or was never tried, and there is no rate to go by.
    """
    later = [span.last for span in (waiting.retries, waiting.decisions) if span is not None]
    if not (counts.open or undecided):
        return max(mornings, default=None)
    if rate:
        return max([now + timedelta(seconds=(counts.open + undecided) / rate), *later, *mornings])
    if waiting.ready or counts.queued or counts.sending:
        return None
    return max([*later, *mornings], default=None)


def _by(pairs: list[tuple[str, Tallied]]) -> dict[str, Counts]:
    found: dict[str, Counts] = {}
    for name, one in pairs:
        found[name] = found.get(name, Counts()) + one.counts
    return found


def figures(counts: Counts) -> dict[str, int]:
    """Those that are not nothing, by name."""
    return {name: count for name, count in asdict(counts).items() if count}
