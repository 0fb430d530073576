"""A browser for the whole folder, and a site of its own for each test."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

import pytest
from playwright.sync_api import Browser, sync_playwright

from app.core.clock import FixedClock
from tests.browser.reader import Device, Reader
from tests.browser.site import Site
from tests.conftest import Postgres

ROOT = Path(__file__).resolve().parents[2]
PICTURES = Path(os.environ.get("SCREENSHOTS") or ROOT / "var" / "screenshots").resolve()
MISSING = "there is no chromium on this machine: apt-get install chromium (Debian), or put one on PATH"


class Opening(Protocol):
    """Opens a window; with `bypass_csp` one in which a checker may run scripts of its own."""

    def __call__(self, device: Device, *, bypass_csp: bool = False, locale: str = "en-GB") -> Reader: ...


# While Playwright's loop runs in this thread nothing else asynchronous can: so it is not of the session, and the
# templates of both engines, which are migrated by a loop of their own, are made before it.
@pytest.fixture(scope="package")
def browser(sqlite_template: Path, postgres: Postgres) -> Iterator[Browser]:
    """Debian's Chromium. Without one the tests are skipped, but in CI they fail."""
    program = shutil.which("chromium")
    if program is None:
        if os.environ.get("CI", "").lower() in ("", "0", "false"):
            pytest.skip(MISSING)
        pytest.fail(MISSING, pytrace=False)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=program, args=["--disable-dev-shm-usage"])
        yield launched
        launched.close()


@pytest.fixture
def engine_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh SQLite file; a test that asks for `database_url` takes both engines in turn."""
    if "database_url" in request.fixturenames:
        return str(request.getfixturevalue("database_url"))
    shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "post.db")
    return f"sqlite:///{tmp_path / 'post.db'}"


@pytest.fixture
def site(engine_url: str, clock: FixedClock) -> Iterator[Site]:
    with Site(engine_url, clock) as served:
        yield served


@pytest.fixture
def pictures(request: pytest.FixtureRequest) -> Path:
    """Where this test's pictures are kept: one folder a test."""
    folder: Path = PICTURES / re.sub(r"[^\w-]+", "-", request.node.name.removeprefix("test_")).strip("-")
    shutil.rmtree(folder, ignore_errors=True)
    return folder


@pytest.fixture
def opened(browser: Browser, site: Site, pictures: Path) -> Iterator[Opening]:
    """Opens windows on the site; each is closed, and its complaints are read, when the test ends."""
    with ExitStack() as windows:

        def open_window(device: Device, *, bypass_csp: bool = False, locale: str = "en-GB") -> Reader:
            made = Reader(browser, site, device, pictures, bypass_csp=bypass_csp, locale=locale)
            return windows.enter_context(made)

        yield open_window
