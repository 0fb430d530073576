"""The API's documentation, drawn by a copy of Swagger UI that lies beside us: no page of ours loads from elsewhere."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.web.pages import page

router = APIRouter(include_in_schema=False)

# Swagger UI writes style elements and shows its icons as data URIs.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
)


@router.api_route("/docs", methods=["GET", "HEAD"])
def docs(request: Request) -> HTMLResponse:
    made = page(request, "docs.html", cache="no-cache")
    made.headers["content-security-policy"] = _POLICY
    return made
