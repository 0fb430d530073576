"""Reads Hugging Face's daily papers: what the field reads, and which repository a paper brings. Pure.

`GET /api/daily_papers` gives an array of `{paper, title, …}`; `paper` holds `id` (arXiv), `upvotes`,
`submittedOnDailyAt` and, in about half of them, `githubRepo`. At weekends the list is short or empty, and healthy.
"""

import re
from typing import Any

from app.core.errors import SourceError
from app.models.counts import Row
from app.stages.collect import values
from app.stages.collect.words import one_line

PATH = "/api/daily_papers"
PARAMS = [("sort", "trending"), ("limit", "100")]
_ARXIV = re.compile(r"\d{4}\.\d{4,5}")
_REPOSITORY = re.compile(
    r"https?://(?:www\.)?github\.com/([A-Za-z0-9][A-Za-z0-9-]{0,38}/[\w.-]{1,100}?)(?:\.git)?/?(?:[?#].*)?", re.ASCII
)


def rows_of(answer: Any) -> tuple[Row, ...]:
    """One row a paper, by arXiv id; its count is its upvotes, its `link` its repository. Raises SourceError for
    anything but a list, and for a list without a row we understand."""
    if not isinstance(answer, list):
        raise SourceError("Hugging Face could not be read: its daily papers were not a list")
    found = {row.external_id: row for row in (_row(item) for item in answer) if row is not None}
    if answer and not found:
        raise SourceError("Hugging Face could not be read: its daily papers had no row we understand")
    return tuple(found.values())


def _row(item: Any) -> Row | None:
    fields = values.mapping(item)
    paper = values.mapping(fields.get("paper"))
    key = values.matching(_ARXIV, paper.get("id"))
    title = one_line(values.text(paper.get("title")) or values.text(fields.get("title")), 200)
    upvotes = values.count(paper.get("upvotes"))
    if key is None or not title or upvotes is None:
        return None
    repository = _REPOSITORY.fullmatch(values.text(paper.get("githubRepo")).strip())
    return Row(
        external_id=key,
        name=title,
        url=f"https://huggingface.co/papers/{key}",
        count=upvotes,
        # The day it was put on the list, not the one it was published on: the two differ in most rows.
        created_at=values.instant(paper.get("submittedOnDailyAt")) or values.instant(fields.get("publishedAt")),
        link=repository[1].lower() if repository else "",
    )
