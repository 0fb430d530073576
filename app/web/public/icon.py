"""The paper's mark where browsers look for it unasked: beside a page that names none, such as a stored edition."""

from fastapi import APIRouter
from fastapi.responses import FileResponse

from app.web.assets import FOLDER

router = APIRouter(include_in_schema=False)


@router.api_route("/favicon.ico", methods=["GET", "HEAD"])
def icon() -> FileResponse:
    return FileResponse(
        FOLDER / "icon.svg", media_type="image/svg+xml", headers={"cache-control": "public, max-age=86400"}
    )
