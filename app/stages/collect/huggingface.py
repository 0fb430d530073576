"""Hugging Face Hub: the models, datasets and spaces that trend by its own seven-day measure, and the daily papers.

`GET /api/models`, `/api/datasets` and `/api/spaces`, sorted by `trendingScore`; anonymous is enough (500 calls in five
minutes). `trendingScore` is about the likes of the last seven days (hub-docs issue 1090). `downloads` is a rolling
sum of thirty days, so no difference of it means anything. Where a list fails, `/api/trending` gives the twenty that
the Hub's home page shows, without a score.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from app.core.errors import SourceError
from app.models.counts import Basis, Row, TrendKind, TrendSource
from app.stages.collect import papers, values
from app.stages.collect.client import Caller, Unavailable, bearer, calling
from app.stages.collect.deadline import Deadline
from app.stages.collect.harvest import Before, Capture, Harvest
from app.stages.collect.variants import Listed, fold, parent_of
from app.stages.collect.words import one_line

SITE = "https://huggingface.co"
DEPTH = 100
_ID = re.compile(r"[A-Za-z0-9][\w.-]{0,95}(/[\w.-]{1,96})?", re.ASCII)
_DATABASE_ID = re.compile(r"[0-9a-f]{24}")
_OLDEST = datetime(2022, 3, 3, tzinfo=UTC)
"""The Hub gives everything made before that day the same date."""
_EXPAND = {
    TrendKind.MODEL: ("likes", "downloads", "trendingScore", "createdAt", "tags", "pipeline_tag", "baseModels"),
    TrendKind.DATASET: ("likes", "downloads", "trendingScore", "createdAt", "tags"),
    TrendKind.SPACE: ("likes", "trendingScore", "createdAt", "tags", "sdk"),
}
_PATHS = {TrendKind.MODEL: "/api/models", TrendKind.DATASET: "/api/datasets", TrendKind.SPACE: "/api/spaces"}
_PAGES = {TrendKind.MODEL: "", TrendKind.DATASET: "datasets/", TrendKind.SPACE: "spaces/"}
_PLURALS = {
    TrendKind.MODEL: "models", TrendKind.DATASET: "datasets", TrendKind.SPACE: "spaces", TrendKind.PAPER: "papers",
}  # fmt: skip
_FALLBACK, _FALLBACK_MOST = "/api/trending", 20
_COUNTED_AFTER = timedelta(days=2)
"""Downloads are counted once a day: a 0 of the first days means "not yet"."""
_TASKS = {
    "automatic-speech-recognition": "speech recognition",
    "image-text-to-text": "image and text to text",
    "audio-text-to-text": "audio and text to text",
    "any-to-any": "any to any",
    "timeseries": "time series",
    "3d": "3D",
}


@dataclass(frozen=True)
class HuggingFace:
    """The Hub at `url`. The token is optional and only raises its limits."""

    url: str
    contact: str
    token: str = field(default="", repr=False)
    source: ClassVar = TrendSource.HUGGINGFACE
    name: ClassVar = "Hugging Face"
    kinds: ClassVar = (TrendKind.MODEL, TrendKind.DATASET, TrendKind.SPACE, TrendKind.PAPER)

    async def fetch(self, before: Mapping[TrendKind, Before], deadline: Deadline) -> Harvest:  # noqa: ARG002
        """All lists at once. One of them failing leaves the others. Raises SourceError where all fail."""
        async with calling(self.name, self.url, self.contact, bearer(self.token)) as caller:
            answers = await asyncio.gather(*(self._list(caller, kind, deadline) for kind in self.kinds))
        captures = tuple(capture for capture, _ in answers if capture is not None)
        failed = {kind: error for kind, (_, error) in zip(self.kinds, answers, strict=True) if error is not None}
        if not captures:
            raise next(iter(failed.values()))
        short = {one.kind for one in captures}
        return Harvest(
            captures,
            tuple(
                f"{'Only the short list' if kind in short else 'No list'} of {_PLURALS[kind]}: {error}"
                for kind, error in failed.items()
            ),
        )

    async def _list(
        self, caller: Caller, kind: TrendKind, deadline: Deadline
    ) -> tuple[Capture | None, SourceError | None]:
        try:
            if kind is TrendKind.PAPER:
                answer = await caller.json(papers.PATH, papers.PARAMS, deadline=deadline)
                return Capture(kind, papers.rows_of(answer)), None
            expand = [("expand[]", name) for name in _EXPAND[kind]]
            params = [("sort", "trendingScore"), ("limit", str(DEPTH)), *expand]
            # Some time is kept for the short list, should this one hang.
            answer = await caller.json(_PATHS[kind], params, deadline=deadline.share(0.7))
            return capture_of(answer, kind, deadline.now), None
        except Unavailable as error:
            return None, error
        except SourceError as error:
            return await self._short_list(caller, kind, deadline), error

    async def _short_list(self, caller: Caller, kind: TrendKind, deadline: Deadline) -> Capture | None:
        """What the Hub's home page shows; None where that fails as well, or there is none of the kind."""
        if kind is TrendKind.PAPER:
            return None
        params = [("type", kind.value), ("limit", str(_FALLBACK_MOST))]
        try:
            answer = values.mapping(await caller.json(_FALLBACK, params, deadline=deadline, tries=1))
            shown = [values.mapping(one) for one in values.items(answer.get("recentlyTrending"))]
            items = [one.get("repoData") for one in shown if one.get("repoType") == kind.value]
            found = capture_of(items, kind, deadline.now)
            return Capture(kind, found.rows, complete=False, ordered=True, seen=found.seen)
        except SourceError:
            return None


def capture_of(answer: Any, kind: TrendKind, now: datetime) -> Capture:
    """The answer's rows, repacks folded into their base. Raises SourceError where there is none we can read."""
    listed: dict[str, Listed] = {}
    for item in values.items(answer):
        found = _listed(values.mapping(item), kind, now)
        if found is not None:
            listed.setdefault(found.row.external_id, found)
    if not listed:
        raise SourceError(f"Hugging Face could not be read: its list of {_PLURALS[kind]} had no row we understand")
    return Capture(kind, fold(tuple(listed.values())), seen=frozenset(listed))


def _listed(item: Mapping[str, Any], kind: TrendKind, now: datetime) -> Listed | None:
    name = values.matching(_ID, item.get("id"))
    likes = values.count(item.get("likes"))
    if name is None or likes is None or item.get("disabled") is True or item.get("private") is True:
        return None
    score = values.number(item.get("trendingScore"))
    made = values.instant(item.get("createdAt"))
    tags = values.strings(item.get("tags"))
    row = Row(
        # The database id stays when a repository is renamed; its name does not.
        external_id=values.matching(_DATABASE_ID, item.get("_id")) or name[:64],
        name=name,
        url=f"{SITE}/{_PAGES[kind]}{name}",
        detail=_task(item.get("pipeline_tag"), tags),
        count=likes,
        score=score,
        gained=None if score is None else round(score),
        basis=None if score is None else Basis.ESTIMATE,
        downloads=_downloads(item.get("downloads"), made, now),
        created_at=made if made is not None and made > _OLDEST else None,
    )
    return Listed(row, parent_of(item.get("baseModels"), tags) if kind is TrendKind.MODEL else None)


def _downloads(value: Any, made: datetime | None, now: datetime) -> int | None:
    """Of the last thirty days; None where nobody says, or the first were not counted yet."""
    counted = values.count(value)
    if counted == 0 and (made is None or now - made < _COUNTED_AFTER):
        return None
    return counted


def _task(pipeline: Any, tags: tuple[str, ...]) -> str:
    """What a model does, or what a dataset holds, in words; empty where neither says so."""
    task = values.text(pipeline)
    if task:
        return one_line(_TASKS.get(task, task.replace("-", " ").replace("_", " ")), 60)
    modalities = sorted({tag.removeprefix("modality:") for tag in tags if tag.startswith("modality:")})
    return one_line(", ".join(_TASKS.get(one, one) for one in modalities[:3]), 60)
