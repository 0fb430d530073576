"""Who calls the API, and what their key allows."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Depends, Header, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from app.core.errors import NotAuthorized
from app.operations import access, idempotency
from app.operations.access import Actor, Scope
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


Reader = Annotated[Actor, Depends(_holding(Scope.READ))]
Writer = Annotated[Actor, Depends(_holding(Scope.WRITE))]
Sender = Annotated[Actor, Depends(_holding(Scope.SEND))]


async def _idempotent(
    request: Request,
    actor: Sender,
    idempotency_key: Annotated[
        str | None, Header(description="Makes a repeat of this request answer as the first did.")
    ] = None,
) -> idempotency.Request | None:
    if idempotency_key is None:
        return None
    return idempotency.describe(actor.key_id, idempotency_key, request.method, request.url.path, await request.body())


Once = Annotated[idempotency.Request | None, Depends(_idempotent)]
