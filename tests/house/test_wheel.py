"""The wheel holds all it needs: installed in an empty environment it migrates and serves in an empty folder.

The new environment borrows the dependencies of the one the tests run in, but nothing of the checkout.
"""

import os
import re
import socket
import subprocess
import sys
import sysconfig
import time
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]


def run(*command: str | Path, folder: Path, env: dict[str, str] | None = None) -> str:
    result = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=120)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without a network by the build system that pyproject.toml names."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, folder=ROOT)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of a new environment with the wheel in it."""
    place = tmp_path_factory.mktemp("environment")
    venv.create(place, with_pip=False)
    python = place / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel, folder=place)
    packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", folder=place).strip())
    # A folder named in a .pth file is searched, but its own .pth files (the editable checkout) are not read.
    (packages / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    assert Path(run(python, "-c", "import app; print(app.__file__)", folder=place).strip()).is_relative_to(packages)
    return python.parent


@pytest.fixture
def surroundings(tmp_path: Path, installed: Path) -> dict[str, str]:
    """An environment that says nothing of the checkout."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return {"PATH": f"{installed}:/usr/bin:/bin", "HOME": str(tmp_path), "MORNINGPOST_PORT": str(port)}


@pytest.fixture
def site(installed: Path, surroundings: dict[str, str], tmp_path: Path) -> Iterator[httpx.Client]:
    """`morningpost serve --no-worker` in an empty folder, after `morningpost migrate`."""
    command = installed / "morningpost"
    run(command, "migrate", folder=tmp_path, env=surroundings)
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen([command, "serve", "--no-worker"], cwd=tmp_path, env=surroundings, stderr=log)
    base = f"http://127.0.0.1:{surroundings['MORNINGPOST_PORT']}"
    try:
        with httpx.Client(base_url=base, trust_env=False, timeout=60) as client:
            _wait(client, server, tmp_path / "log")
            yield client
    finally:
        server.terminate()
        server.wait(30)


def _wait(client: httpx.Client, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and server.poll() is None:
        try:
            client.get("/healthz")
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"the installed service does not serve:\n{log.read_text()}")


def files_of(folder: str) -> set[str]:
    return {
        path.relative_to(ROOT / folder).as_posix()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_wheel_holds_the_code_the_mail_templates_and_the_migrations(wheel: Path) -> None:
    """Every file of each; no tests, and nothing that was compiled."""
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {f"app/{name}" for name in files_of("app")}
    wanted |= {f"app/_resources/{folder}/{name}" for folder in ("emails", "migrations") for name in files_of(folder)}
    assert wanted <= names
    assert {name for name in names if not name.startswith("app/") and ".dist-info/" not in name} == set()
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_installed_wheel_serves_in_an_empty_folder(site: httpx.Client) -> None:
    """Health, the front page, and the style sheet that it names."""
    assert site.get("/healthz").status_code == 200
    page = site.get("/")
    assert page.status_code == 200
    assert "The AI Morning Post" in page.text
    sheets = re.findall(r'<link[^>]+href="([^"]+\.css[^"]*)"', page.text)
    assert sheets
    for sheet in sheets:
        assert site.get(re.sub(r"^https?://[^/]+", "", sheet)).status_code == 200


def test_the_installed_command_refuses_in_sentences(
    installed: Path, surroundings: dict[str, str], tmp_path: Path
) -> None:
    """A command before there are tables, and a wrong setting: exit code 2 and no traceback."""
    wrong = {"MORNINGPOST_TIMEZONE": "Mars"}
    for words, extra, sentence in (
        (("editions", "list"), {}, "morningpost migrate"),
        (("serve", "--no-worker"), wrong, "MORNINGPOST_TIMEZONE"),
    ):
        result = subprocess.run(
            [installed / "morningpost", *words],
            cwd=tmp_path, env={**surroundings, **extra}, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert result.returncode == 2
        assert sentence in result.stderr
        assert "Traceback" not in result.stderr


def test_the_tests_themselves_run_in_no_installed_copy() -> None:
    """Under pytest `app` is the checkout's."""
    import app

    assert Path(str(app.__file__)).is_relative_to(ROOT)
    assert "MORNINGPOST_PORT" not in os.environ
