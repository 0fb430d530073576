"""All routes of the operator API under /api/v1."""

from fastapi import APIRouter

from app.web.api import editions, placements, providers, sending, sources, stories, trends

router = APIRouter(prefix="/api/v1")
router.include_router(stories.router)
router.include_router(sources.router)
router.include_router(editions.router)
router.include_router(sending.router)
router.include_router(placements.router)
router.include_router(providers.router)
router.include_router(trends.router)
router.include_router(trends.movers)
