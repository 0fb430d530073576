"""The editions for feed readers."""

from datetime import UTC, datetime, time

from fastapi import APIRouter, Request
from fastapi.responses import Response

from app.stages.render.feed import MOST, Entry, atom
from app.store import archive
from app.web.deps import ContainerDep, Now, ReadSession
from app.web.fresh import ANYWHERE, revalidated
from app.web.morning import todays_date
from app.web.pages import PUBLIC

router = APIRouter(include_in_schema=False)


@router.api_route("/feed.xml", methods=["GET", "HEAD"])
async def feed(request: Request, session: ReadSession, container: ContainerDep, now: Now) -> Response:
    """Atom, with the full text of the last editions. Before the first one it is valid, and empty."""
    found = await archive.newest(session, MOST)
    entries = [Entry(one.slug, content, one.at) for one, content in found]
    beginning = datetime.combine(todays_date(container.settings, now), time(), UTC)
    made = atom(entries, container.settings.publication, beginning)
    answer = Response(made, media_type="application/atom+xml", headers={"cache-control": PUBLIC, **ANYWHERE})
    return revalidated(request, answer, max((entry.at for entry in entries), default=None))
