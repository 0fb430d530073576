"""All routes of the operator API under /api/v1."""

from fastapi import APIRouter

from app.web.api import editions, placements, providers, sending, sources, stories, trends
from app.web.problems import Problem

_PROBLEMS = {
    status: {"model": Problem, "description": description}
    for status, description in {
        401: "No key, or one that is not known",
        403: "The key lacks the scope",
        404: "There is no such thing",
        409: "Its present state does not allow this",
        422: "A field is malformed",
    }.items()
}

router = APIRouter(prefix="/api/v1", responses=_PROBLEMS)  # type: ignore[arg-type]  # the wider key type of FastAPI
router.include_router(stories.router)
router.include_router(sources.router)
router.include_router(editions.router)
router.include_router(sending.router)
router.include_router(placements.router)
router.include_router(providers.router)
router.include_router(trends.router)
router.include_router(trends.movers)
