"""The API's documentation, drawn without another site's help."""

import re

from httpx import AsyncClient

from app.web.assets import FOLDER

VENDOR = FOLDER / "vendor" / "swagger-ui"


async def test_the_page_loads_only_files_of_ours(client: AsyncClient) -> None:
    page = await client.get("/docs")
    assert page.status_code == 200
    links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(links) == 4
    for link in links:
        assert link.startswith("/static/")
        assert (await client.get(link)).status_code == 200
    assert 'data-schema="/openapi.json"' in page.text
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "http" not in policy


async def test_the_schema_names_what_programs_may_ask(client: AsyncClient) -> None:
    """Sign-up with both bodies and its refusal; pages for people are not in it."""
    schema = (await client.get("/openapi.json")).json()
    asked = schema["paths"]["/subscribe"]["post"]
    assert set(asked["requestBody"]["content"]) == {"application/json", "application/x-www-form-urlencoded"}
    assert "application/problem+json" in asked["responses"]["422"]["content"]
    assert {"/healthz", "/readyz"} <= set(schema["paths"])
    assert not [path for path in schema["paths"] if path.startswith(("/confirm", "/unsubscribe", "/outbox"))]


def test_the_copy_of_swagger_ui_comes_with_its_licence() -> None:
    names = {path.name for path in VENDOR.iterdir()}
    assert {"LICENSE", "NOTICE", "VERSION", "swagger-ui-bundle.js", "swagger-ui.css"} <= names
    assert "Apache License" in (VENDOR / "LICENSE").read_text()
