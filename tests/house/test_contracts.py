"""The import contracts of pyproject.toml hold, and each of them would notice its violation."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONTRACTS = [
    contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
]

LAYERS = "Imports go down, never up or sideways"
STRANGERS = "Stages are strangers: they hand over rows, not calls"
PICKED = "Only bootstrap picks a provider"
TABLES = "Providers know mail, not our tables"
SQL = "SQL lives in store, models and core.db"
DOOR = "FastAPI stays at the door"
CLOCKWORK = "The clockwork stays in jobs"
CYCLES = "No cycles between siblings"

VIOLATIONS: list[tuple[str, dict[str, str]]] = [
    (LAYERS, {"core/wrong.py": "import app.models.base"}),
    (LAYERS, {"models/wrong.py": "import app.store.stories"}),
    (LAYERS, {"operations/wrong.py": "import app.stages.compose"}),
    (LAYERS, {"stages/send/wrong.py": "import app.operations.audit"}),
    (LAYERS, {"web/wrong.py": "import app.jobs.worker"}),
    (LAYERS, {"bootstrap.py": "import app.main"}),
    (LAYERS, {"attic/__init__.py": ""}),
    (STRANGERS, {"stages/compose/wrong.py": "import app.stages.render"}),
    (STRANGERS, {"stages/send/wrong.py": "import app.stages.audience"}),
    (PICKED, {"jobs/wrong.py": "import app.providers.registry"}),
    (PICKED, {"cli/wrong.py": "import app.providers.registry"}),
    (TABLES, {"providers/wrong.py": "import app.models.readers"}),
    (TABLES, {"providers/wrong.py": "import sqlalchemy"}),
    (TABLES, {"providers/wrong.py": "import app.core.db"}),
    (SQL, {"stages/collect/wrong.py": "import sqlalchemy"}),
    (SQL, {"operations/wrong.py": "from sqlalchemy import select"}),
    (SQL, {"web/wrong.py": "import sqlalchemy.orm"}),
    (DOOR, {"stages/audience/wrong.py": "import fastapi"}),
    (DOOR, {"cli/wrong.py": "import starlette"}),
    (CLOCKWORK, {"web/wrong.py": "import apscheduler"}),
    (CLOCKWORK, {"stages/send/wrong.py": "import procrastinate"}),
    (CYCLES, {"core/wrong.py": "import app.core.wronger", "core/wronger.py": "import app.core.wrong"}),
]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache", "--no-logo"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def broken(output: str) -> set[str]:
    return {match[1].strip() for match in re.finditer(r"^(.+) BROKEN", output, re.MULTILINE)}


def test_every_contract_holds() -> None:
    """The tree as it stands."""
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{len(CONTRACTS)} kept, 0 broken" in result.stdout


@pytest.mark.parametrize(("contract", "files"), VIOLATIONS)
def test_a_violation_of_each_contract_is_caught(tmp_path: Path, contract: str, files: dict[str, str]) -> None:
    """One import too many in a copy of the tree breaks the contract that forbids it."""
    shutil.copytree(ROOT / "app", tmp_path / "app", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name, line in files.items():
        path = tmp_path / "app" / name
        path.parent.mkdir(exist_ok=True)
        with path.open("a") as file:
            file.write(f"\n{line}\n")
    result = lint(tmp_path)
    assert result.returncode == 1, result.stdout + result.stderr
    assert contract in broken(result.stdout), result.stdout


def test_no_contract_is_left_untried() -> None:
    """A new contract needs a violation here."""
    assert {contract for contract, _ in VIOLATIONS} == set(CONTRACTS)
