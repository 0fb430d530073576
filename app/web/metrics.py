"""The figures of the database in the words of Prometheus. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from app.store import counters
from app.store.clocks import Offset
from app.store.figures import Figures


@dataclass(frozen=True, slots=True)
class Clocks:
    """How the clocks stand, as the process that answers knows it."""

    offsets: Sequence[Offset]
    """Its own, and those of other processes that are off."""
    confirmed: bool


class _Looked(Collector):
    """What was just looked up, for one answer."""

    def __init__(self, found: Figures, clocks: Clocks, now: datetime) -> None:
        self._found, self._clocks, self._now = found, clocks, now

    def collect(self) -> Iterable[Metric]:
        yield from _mail(self._found, self._now)
        yield from _workers(self._found)
        yield from _rest(self._found, self._now)
        yield from _clocks(self._clocks)


def text_of(found: Figures, clocks: Clocks, now: datetime) -> bytes:
    """In the text format 0.0.4 (prometheus.io, "Exposition formats")."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Looked(found, clocks, now))
    return generate_latest(registry)


def _gauge(name: str, help_: str, labels: tuple[str, ...], rows: Iterable[tuple[tuple[str, ...], float]]) -> Metric:
    family = GaugeMetricFamily(f"morningpost_{name}", help_, labels=labels)
    for values, value in rows:
        family.add_metric(values, value)
    return family


def _one(name: str, help_: str, value: float) -> Metric:
    return GaugeMetricFamily(f"morningpost_{name}", help_, value=value)


def _mail(found: Figures, now: datetime) -> Iterator[Metric]:
    yield _gauge(
        "deliveries", "Papers by where they are, over all editions", ("provider", "state"), found.deliveries.items()
    )
    yield _gauge("service_mails", "Service mail of thirty days", ("kind", "state"), found.service_mail.items())
    yield _one("papers_open", "Papers of editions going out that are still to be handed over", found.open)
    yield _one("papers_per_second", "Hand-overs answered for good, over the last minute", found.pace)
    yield _gauge(
        "provider_failures",
        "How often a provider failed in a row; 0 where it works",
        ("provider",),
        [((name,), failures) for name, failures in found.provider_failures.items()],
    )
    yield _gauge(
        "barred_seconds",
        "For how long a mailbox provider that slows us down is still left alone",
        ("provider", "group"),
        [((provider, group), left) for provider, group, left in found.barred],
    )
    yield _one("shards_leased", "Shards that a worker holds", found.leased)
    yield _gauge(
        "oldest_due_seconds",
        "For how long the oldest owed mail has been due",
        ("stream",),
        [(("papers",), _age(found.papers_due_since, now)), (("service",), _age(found.service_mail_due_since, now))],
    )


def _workers(found: Figures) -> Iterator[Metric]:
    yield _one("workers", "Workers that gave a sign of life in the last 15 seconds", found.workers)
    yield _one("mails_in_hand", "Mails begun and not answered: the window in use, of 512 a worker", found.in_hand)
    groups = counters.groups(found.counted)
    bounds = [*(str(bound / 1000) for bound in counters.BOUNDS), "+Inf"]
    yield HistogramMetricFamily(
        "morningpost_group_seconds",
        "How long the transaction of a group of hand-overs took",
        buckets=list(zip(bounds, groups.within, strict=True)),
        sum_value=groups.seconds,
    )
    yield _count("leases_lost", "Shards that another worker took over", found.counted.get(counters.LEASES_LOST))
    yield _count("sign_ups", "Times that somebody asked for the paper", found.counted.get(counters.SIGN_UPS))
    yield _count("confirmations", "Times that somebody confirmed", found.counted.get(counters.CONFIRMATIONS))


def _count(name: str, help_: str, value: int | None) -> Metric:
    return CounterMetricFamily(f"morningpost_{name}", help_, value=value or 0)


def _rest(found: Figures, now: datetime) -> Iterator[Metric]:
    yield _gauge("editions", "Editions by state", ("state",), [((name,), n) for name, n in found.editions.items()])
    yield _gauge("readers", "Readers by state", ("state",), [((name,), n) for name, n in found.readers.items()])
    yield _gauge(
        "source_failures",
        "How often a source failed in a row",
        ("source",),
        [((one.name,), one.failures) for one in found.sources],
    )
    yield _gauge(
        "source_age_seconds",
        "How long ago a source answered",
        ("source",),
        [((one.name,), _age(one.succeeded_at, now)) for one in found.sources if one.succeeded_at],
    )


def _clocks(found: Clocks) -> Iterator[Metric]:
    yield _gauge(
        "clock_offset_seconds",
        "How far a process's machine is ahead of the clock that decides: who answers, and whoever else is off",
        ("process",),
        [((one.process,), one.seconds) for one in found.offsets],
    )
    yield _one("clock_confirmed", "0 while release, expiry and the timetable wait after a jump", found.confirmed)


def _age(since: datetime | None, now: datetime) -> float:
    return max((now - since).total_seconds(), 0.0) if since else 0.0
