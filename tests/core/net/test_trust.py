"""Certificates are read at start, and what cannot be read is told and stops nothing that needs none."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from app.core.net import trust


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    trust.trusted.cache_clear()
    yield
    trust.trusted.cache_clear()


def test_they_are_read_once() -> None:
    """The first call to another site finds them there."""
    trust.ready()
    assert trust.trusted.cache_info().currsize == 1


def test_a_file_that_is_not_there_stops_no_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mail goes out without it; what is fetched by https says so by itself."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "nowhere.pem"))
    with capture_logs() as said:
        trust.ready()
    assert [line["event"] for line in said] == ["the certificates cannot be read; nothing can be fetched by https"]
