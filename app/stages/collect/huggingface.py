"""Hugging Face Hub: the models and datasets that trend, by its own seven-day measure.

`GET /api/models` and `/api/datasets`, sorted by `trendingScore`; anonymous is enough (500 calls in five minutes).
`trendingScore` is about the likes of the last seven days (hub-docs issue 1090). `downloads` is a rolling sum of
thirty days, so no difference of it means anything: it is not asked for.
"""

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar

from app.core.errors import SourceError
from app.models.counts import Basis, Row, TrendKind, TrendSource
from app.stages.collect import values
from app.stages.collect.client import Caller, bearer, calling
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
    TrendKind.MODEL: ("likes", "trendingScore", "createdAt", "tags", "pipeline_tag", "baseModels"),
    TrendKind.DATASET: ("likes", "trendingScore", "createdAt", "tags"),
}
_PATHS = {TrendKind.MODEL: "/api/models", TrendKind.DATASET: "/api/datasets"}
_PLURALS = {TrendKind.MODEL: "models", TrendKind.DATASET: "datasets"}
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
    kinds: ClassVar = (TrendKind.MODEL, TrendKind.DATASET)

    async def fetch(self, before: Mapping[TrendKind, Before], deadline: Deadline) -> Harvest:  # noqa: ARG002
        """Both lists at once. One of them failing leaves the other. Raises SourceError where both fail."""
        async with calling(self.name, self.url, self.contact, bearer(self.token)) as caller:
            answers = await asyncio.gather(*(self._list(caller, kind, deadline) for kind in self.kinds))
        captures = tuple(one for one in answers if isinstance(one, Capture))
        failed = {kind: one for kind, one in zip(self.kinds, answers, strict=True) if isinstance(one, SourceError)}
        if not captures:
            raise next(iter(failed.values()))
        return Harvest(captures, tuple(f"No list of {_PLURALS[kind]}: {error}" for kind, error in failed.items()))

    async def _list(self, caller: Caller, kind: TrendKind, deadline: Deadline) -> Capture | SourceError:
        expand = [("expand[]", name) for name in _EXPAND[kind]]
        params = [("sort", "trendingScore"), ("limit", str(DEPTH)), *expand]
        try:
            answer = await caller.json(_PATHS[kind], params, deadline=deadline)
            return Capture(kind, rows_of(answer, kind))
        except SourceError as error:
            return error


def rows_of(answer: Any, kind: TrendKind) -> tuple[Row, ...]:
    """The answer's rows, repacks folded into their base. Raises SourceError where there is none we can read."""
    listed: dict[str, Listed] = {}
    for item in answer if isinstance(answer, list) else ():
        found = _listed(values.mapping(item), kind)
        if found is not None:
            listed.setdefault(found.row.external_id, found)
    if not listed:
        raise SourceError(f"Hugging Face could not be read: its list of {_PLURALS[kind]} had no row we understand")
    return fold(tuple(listed.values()))


def _listed(item: Mapping[str, Any], kind: TrendKind) -> Listed | None:
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
        url=f"{SITE}/datasets/{name}" if kind is TrendKind.DATASET else f"{SITE}/{name}",
        detail=_task(item.get("pipeline_tag"), tags),
        count=likes,
        score=score,
        gained=None if score is None else round(score),
        basis=None if score is None else Basis.ESTIMATE,
        created_at=made if made is not None and made > _OLDEST else None,
    )
    return Listed(row, parent_of(item.get("baseModels"), tags) if kind is TrendKind.MODEL else None)


def _task(pipeline: Any, tags: tuple[str, ...]) -> str:
    """What a model does, or what a dataset holds, in words; empty where neither says so."""
    task = values.text(pipeline)
    if task:
        return one_line(_TASKS.get(task, task.replace("-", " ").replace("_", " ")), 60)
    modalities = sorted({tag.removeprefix("modality:") for tag in tags if tag.startswith("modality:")})
    return one_line(", ".join(_TASKS.get(one, one) for one in modalities[:3]), 60)
