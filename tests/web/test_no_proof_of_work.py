"""Where MORNINGPOST_ALTCHA is off, as it is by default, nothing of it is seen."""

from httpx import AsyncClient


async def test_there_is_no_widget_and_no_challenge(client: AsyncClient) -> None:
    """A proof that comes all the same is not looked at."""
    front = await client.get("/")
    assert "altcha" not in front.text
    assert "connect-src" not in front.headers["content-security-policy"]
    assert (await client.get("/altcha")).status_code == 404
    answer = await client.post("/subscribe", json={"email": "a@example.org", "altcha": "rubbish"})
    assert answer.status_code == 202
