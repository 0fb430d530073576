"""The web application: `create_app` puts routes, errors and protection around one container."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from fastapi import FastAPI

from app.bootstrap import Container
from app.core.errors import StorageError
from app.web import docs, errors, openapi, public
from app.web.api.router import router as api
from app.web.assets import Assets
from app.web.guard import BelowPath, BodyLimit, ProtectiveHeaders
from app.web.pages import Pages
from app.web.proxies import BehindProxies
from app.web.public.door import Limits
from app.web.public.health import parts_of
from app.web.replay import Replay
from app.web.request_head import HeadLimit


def create_app(container: Container, *, with_worker: bool = False) -> FastAPI:
    """The application over `container`, which it closes when it ends; `with_worker`: the process supervises one."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        watching = asyncio.create_task(container.watch.run())
        yield
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        with suppress(StorageError):
            await container.watch.leave()
        await container.close()

    app = FastAPI(
        title=container.settings.publication_name,
        version="1",  # of the API, as in /api/v1
        lifespan=lifespan,
        # Spans and events would carry the paths of signed links past the masks of core/log.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would break one-click unsubscribing (RFC 8058 section 3.1)
    )
    assets = Assets()
    app.state.container = container
    app.state.pages = Pages(container, assets)
    app.state.limits = Limits(container.settings)
    app.state.parts = parts_of(container, with_worker=with_worker)
    app.include_router(public.router)
    app.include_router(api)
    app.include_router(docs.router)
    app.mount("/static", assets, name="static")
    errors.install(app)
    openapi.describe(app)
    app.add_middleware(Replay)
    app.add_middleware(BodyLimit)
    app.add_middleware(HeadLimit)
    app.add_middleware(BelowPath, path=urlsplit(container.settings.public_url).path)
    app.add_middleware(BehindProxies, trusted=container.settings.trusted_proxies)
    app.add_middleware(ProtectiveHeaders)
    return app
