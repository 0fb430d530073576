"""How far an edition is, how fast it goes and when it will be through: answered from counts, whatever its size."""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from app.core.db import Session
from app.core.errors import NotFound
from app.models.states import EditionStatus
from app.store import editions, progress, releases
from app.store.progress import Counts, Tallied

ENDED = (EditionStatus.SENT, EditionStatus.PARTIALLY_SENT, EditionStatus.CANCELLED)


@dataclass(frozen=True, slots=True)
class Look:
    """One look at an edition that goes out."""

    status: EditionStatus
    reason: str
    counts: Counts
    rate: float
    """Hand-overs answered for good per second, over the last minute."""
    done_at: datetime | None
    """When it is through at that rate, and not before the last planned morning; None where nothing can be said."""
    next_release_at: datetime | None
    providers: dict[str, Counts]
    domains: dict[str, Counts]

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def done(self) -> int:
        """Readers of whom nothing more is to come, but for unknown ones."""
        return self.counts.released - self.counts.open


async def look(session: Session, edition_id: int, now: datetime) -> Look:
    """Raises NotFound."""
    edition = await editions.get(session, edition_id)
    if edition is None:
        raise NotFound(f"There is no edition {edition_id}.")
    tallied = await progress.of_edition(session, edition_id)
    counts = progress.together(tallied)
    rate = await progress.rate(session, edition_id, now)
    waiting = [one.due_at for one in await releases.planned(session, edition_id) if one.done_at is None]
    return Look(
        status=edition.status,
        reason=edition.reason,
        counts=counts,
        rate=rate,
        done_at=None if edition.status in ENDED else through_at(counts, rate, now, waiting),
        next_release_at=min(waiting, default=None),
        providers=_by([(one.provider, one) for one in tallied if one.provider]),
        domains=_by([(one.domain_group, one) for one in tallied]),
    )


def through_at(counts: Counts, rate: float, now: datetime, waiting: list[datetime]) -> datetime | None:
    """When what is open will have been answered at `rate`; mornings that are to come may be later than that."""
    if not counts.open:
        return max(waiting, default=None)
    if not rate:
        return None
    return max([now + timedelta(seconds=counts.open / rate), *waiting])


def _by(pairs: list[tuple[str, Tallied]]) -> dict[str, Counts]:
    found: dict[str, Counts] = {}
    for name, one in pairs:
        found[name] = found.get(name, Counts()) + one.counts
    return found


def figures(counts: Counts) -> dict[str, int]:
    """Those that are not nothing, by name."""
    return {name: count for name, count in asdict(counts).items() if count}
