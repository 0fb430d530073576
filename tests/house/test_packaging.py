"""What surrounds the code agrees with it: locks, Makefile, CI, image and composition."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from app.core.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
LOCKS = ["requirements.lock", "requirements-dev.lock"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", text_of(lock), re.MULTILINE))


def make(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    env = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    return subprocess.run(
        ["make", *arguments], cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_everything_by_hash_and_names_no_address(lock: str) -> None:
    """Where packages come from is the machine's business."""
    text = text_of(lock)
    assert "://" not in text
    blocks = re.split(r"^(?=[a-z0-9._-]+==)", text, flags=re.MULTILINE)[1:]
    assert len(blocks) > 30
    assert [block for block in blocks if "--hash=sha256:" not in block] == []


def test_the_tests_run_what_is_served() -> None:
    """The second lock holds all of the first, in the same versions."""
    served, tested = (pins(lock) for lock in LOCKS)
    assert served.items() <= tested.items()


def test_the_locks_hold_everything_the_project_names() -> None:
    """A dependency that was added without `make lock` is noticed."""

    def names(requirements: list[str | dict[str, str]]) -> set[str]:
        plain = [requirement for requirement in requirements if isinstance(requirement, str)]
        return {re.split(r"[\[<>=,;! ]", requirement)[0].lower() for requirement in plain}

    groups = PROJECT["dependency-groups"]
    served = names(PROJECT["project"]["dependencies"]) | names(groups["build"])
    assert served <= pins("requirements.lock").keys()
    assert served | names(groups["test"]) <= pins("requirements-dev.lock").keys()


def test_one_version_of_uv_everywhere() -> None:
    """The image is installed by what the checkout is installed by."""
    versions = set(re.findall(r"uv(?:==|_VERSION := )([0-9.]+)", text_of("Makefile") + text_of("Dockerfile")))
    assert len(versions) == 1


def test_make_test_checks_everything_and_ends_with_the_tests() -> None:
    """Its last line is pytest's summary."""
    lines = make("-n", "test").stdout.splitlines()
    commands = [line.split("bin/")[1].split()[0:3] for line in lines if re.match(r"\S*\.venv/bin/(?!uv)", line)]
    assert commands[-5:] == [
        ["ruff", "check", "."],
        ["ruff", "format", "--check"],
        ["mypy"],
        ["lint-imports"],
        ["python", "-m", "pytest"],
    ]


def test_make_alone_lists_the_words() -> None:
    """Every word that can be said, with what it does."""
    listed = set(re.findall(r"^make (\S+)", make().stdout, re.MULTILINE))
    (phony,) = re.findall(r"^\.PHONY: (.+)$", text_of("Makefile"), re.MULTILINE)
    assert listed == set(phony.split()) - {"help"}


def test_a_python_that_is_too_old_is_refused_in_a_sentence(tmp_path: Path) -> None:
    """Before anything is made."""
    shutil.copy(ROOT / "Makefile", tmp_path)
    result = make("setup", f"PYTHON={shutil.which('false')}", folder=tmp_path)
    assert result.returncode == 2
    assert "needs Python 3.11 or newer" in result.stderr
    assert not (tmp_path / ".venv").exists()


def test_the_ci_script_can_be_run() -> None:
    """It is executable, and bash can read it."""
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    assert "set -euo pipefail" in script.read_text()
    subprocess.run(["bash", "-n", script], check=True)


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml", "Makefile"])
def test_containers_are_given_settings_that_exist(name: str) -> None:
    """A misspelt variable would be ignored in silence."""
    named = set(re.findall(rf"\b{PREFIX}[A-Z_]+\b", text_of(name)))
    assert named <= {PREFIX + field.upper() for field in Settings.model_fields}


def test_everything_that_the_image_copies_is_sent_to_its_builder() -> None:
    """`.dockerignore` lets through what the first stage copies, and no more."""
    copied = {
        source.removeprefix("./")
        for line in re.findall(r"^COPY (?!--from)(.+)$", text_of("Dockerfile"), re.MULTILINE)
        for source in line.split()[:-1]
    }
    allowed = {line[1:] for line in text_of(".dockerignore").splitlines() if line.startswith("!")}
    assert allowed == copied
    assert all((ROOT / name).exists() for name in copied)
