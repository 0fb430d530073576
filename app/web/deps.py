"""What a route may ask for. A write session commits before the answer leaves: no answer is ahead of the truth.

A route with a write session has no other effect than that one transaction: one that lost against another is done again
from the beginning (web/replay). What else must happen once a request is remembered in `request.state`.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, cast

from fastapi import Depends, Path, Request

from app.bootstrap import Container
from app.core.db import Session
from app.core.numbers import LARGEST_ID
from app.stages.audience.visitor import Visitor
from app.web import replay


def container_of(request: Request) -> Container:
    """The container that `create_app` was given."""
    return cast("Container", request.app.state.container)


ContainerDep = Annotated[Container, Depends(container_of)]


async def read_session(container: ContainerDep) -> AsyncIterator[Session]:
    """One snapshot for the length of the route."""
    async with container.db.read() as session:
        yield session


async def write_session(request: Request, container: ContainerDep) -> AsyncIterator[Session]:
    """One transaction for the length of the route; what the route raises rolls it back."""
    await request.body()  # a sender that dawdles must not hold the one writer
    replay.allow(request)
    async with container.db.write() as session:
        yield session


async def brief_session(request: Request, container: ContainerDep) -> AsyncIterator[Session]:
    """The same for routes that change one person's rows, and look for them by key."""
    await request.body()
    replay.allow(request)
    async with container.db.write(brief=True) as session:
        yield session


def visitor_of(request: Request) -> Visitor:
    """Who is asking, as far as the connection tells."""
    return Visitor(request.client.host if request.client else "", request.headers.get("user-agent", ""))


def now_of(container: ContainerDep) -> datetime:
    """The present instant, by the container's clock."""
    return container.clock.now()


ReadSession = Annotated[Session, Depends(read_session, scope="function")]
WriteSession = Annotated[Session, Depends(write_session, scope="function")]
BriefSession = Annotated[Session, Depends(brief_session, scope="function")]
VisitorDep = Annotated[Visitor, Depends(visitor_of)]
Now = Annotated[datetime, Depends(now_of)]
RowId = Annotated[int, Path(ge=0, le=LARGEST_ID)]
"""Of a row, in a path; whatever is more is no row's id (422)."""
