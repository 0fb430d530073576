"""What one reading of a source gives: finds, cleaned of all that a stranger may have put into them. Pure."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median

import nh3

from app.core.markup import BLOCKS, has_tags, spelled, without_false_tags
from app.stages.collect.canonical import as_browsers_read, canonical
from app.stages.collect.words import one_line

HEADLINE, SUMMARY, AUTHOR = 200, 600, 120
_BREAK = re.compile(rf"(?i)(</?(?:br|{'|'.join(sorted(BLOCKS))})(?![a-z0-9-]))")
_NAMED = re.compile(r"<[a-zA-Z]\w*>")
_SPELLED = {"sup", "sub", "q", "del", "s", "strike"}
_LEAST_DATES = 4


@dataclass(frozen=True, slots=True)
class Found:
    """One find. `key` is its canonical address, `url` what to link, `discussion` where it is talked about."""

    key: str
    url: str
    title: str
    summary: str = ""
    author: str = ""
    published_at: datetime | None = None
    discussion: str = ""
    points: int | None = None
    comments: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """All that came of reading one source. `problem` is a sentence about what was odd, though something was read."""

    finds: tuple[Found, ...]
    problem: str = ""

    @property
    def newest(self) -> datetime | None:
        return max((one.published_at for one in self.finds if one.published_at), default=None)

    @property
    def usual_gap(self) -> float | None:
        """Seconds between two finds as a rule; None where there are too few dates to tell."""
        dates = sorted({one.published_at for one in self.finds if one.published_at})
        if len(dates) < _LEAST_DATES:
            return None
        return median((later - earlier).total_seconds() for earlier, later in pairwise(dates))


def find(
    url: str,
    title: str,
    *,
    summary: str = "",
    author: str = "",
    published_at: datetime | None = None,
    discussion: str = "",
    points: int | None = None,
    comments: int | None = None,
    now: datetime,
    title_is_html: bool = False,
) -> Found | None:
    """A find, cleaned; None where it has no public address or no headline. A date to come is taken for now."""
    url = as_browsers_read(url)
    key = canonical(url)
    headline = headline_of(title, is_html=title_is_html)
    if key is None or not headline or len(url) > 2000:
        return None
    return Found(
        key=key,
        url=url,
        title=headline,
        summary=one_line(plain(summary), SUMMARY),
        author=one_line(plain(author), AUTHOR),
        published_at=published_at and min(published_at, now),
        discussion=discussion,
        points=points,
        comments=comments,
    )


def headline_of(title: str, *, is_html: bool = False) -> str:
    """One line without markup. A text that merely has a "<" in it keeps it, and `Vec<T>` its type."""
    if not is_html and not has_tags(title):
        # What was taken for text because of its unknown tags has the entities of the others.
        return one_line(html.unescape(title) if _NAMED.search(title) else title, HEADLINE)
    return one_line(plain(title, line=True), HEADLINE)


def plain(markup: str, *, line: bool = False) -> str:
    """The words of some HTML, scripts and all tags left out; exponents and what was struck out keep their signs.

    `line` for a headline, in which more of the angle brackets are text (`without_false_tags`).
    """
    told = _BREAK.sub(r" \1", without_false_tags(markup, line=line))
    kept = nh3.clean(told, tags=_SPELLED, attributes={})
    return html.unescape(spelled(kept))


def unique(finds: Sequence[Found | None]) -> tuple[Found, ...]:
    """Each thing once, the first of each; in the order they came."""
    return tuple({one.key: one for one in reversed(finds) if one is not None}.values())[::-1]


FRESH = timedelta(days=7)
"""What was published earlier is not news, and not taken."""
