"""Who calls the API, and what their key allows."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.bootstrap import Container
from app.core.errors import NotAuthorized
from app.operations import access, idempotency
from app.operations.access import Actor, Scope
from app.store import access as keys
from app.web.deps import ContainerDep

_bearer = HTTPBearer(auto_error=False, description="A key made with `morningpost keys create`.")
Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]


def _holding(scope: Scope) -> Callable[..., Awaitable[Actor]]:
    async def actor(container: ContainerDep, credentials: Credentials) -> Actor:
        if credentials is None:
            raise NotAuthorized("Send a key as Authorization: Bearer.")
        async with container.db.read() as session:
            found = await access.identify(session, credentials.credentials)
        access.demand(found, scope)
        return found

    return actor


async def is_in_force(container: Container, actor: Actor) -> bool:
    """Is the key that somebody came with still good? Asked by answers that go on for minutes."""
    async with container.db.read() as session:
        return await keys.is_in_force(session, actor.key_id)


Reader = Annotated[Actor, Depends(_holding(Scope.READ))]
Writer = Annotated[Actor, Depends(_holding(Scope.WRITE))]
Sender = Annotated[Actor, Depends(_holding(Scope.SEND))]


async def _idempotent(
    request: Request,
    actor: Sender,
    idempotency_key: Annotated[
        str | None,
        Header(
            description="Makes a repeat of this request answer as the first did.",
            json_schema_extra={"minLength": 1, "maxLength": idempotency.LONGEST},
        ),
    ] = None,
) -> idempotency.Request | None:
    if idempotency_key is None:
        return None
    return idempotency.describe(actor.key_id, idempotency_key, request.method, _target(request), await request.body())


def _target(request: Request) -> str:
    """The path with its query: another query is another request."""
    return f"{request.url.path}?{request.url.query}"


Once = Annotated[idempotency.Request | None, Depends(_idempotent)]
