"""The docs name every setting, command and way out, and their links lead somewhere."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from app.cli.app import cli
from app.core.settings import PREFIX, Settings
from app.providers.registry import SCHEMES

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
TEXT = "\n".join(path.read_text(encoding="utf-8") for path in PAGES)


def commands(command: Any, path: tuple[str, ...]) -> Iterator[str]:
    """`morningpost keys create` and so on, without what is hidden."""
    children = getattr(command, "commands", None)
    if children is None:
        yield " ".join(path)
        return
    for name, child in children.items():
        if not child.hidden:
            yield from commands(child, (*path, name))


COMMANDS = list(commands(typer.main.get_command(cli), ("morningpost",)))


@pytest.mark.parametrize("setting", [PREFIX + name.upper() for name in Settings.model_fields])
def test_every_setting_is_in_the_docs(setting: str) -> None:
    """By its whole name."""
    assert re.search(rf"`{setting}`", TEXT)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_docs(command: str) -> None:
    """As it is typed."""
    assert f"`{command}" in TEXT


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_provider_is_in_the_docs(scheme: str) -> None:
    """By the scheme of its URL."""
    assert re.search(rf"`{scheme}:", TEXT)


def test_the_docs_name_nothing_that_does_not_exist() -> None:
    """No setting or command that was renamed, or is still to come."""
    settings = set(re.findall(rf"\b{PREFIX}[A-Z_]+[A-Z]\b", TEXT))
    assert settings <= {PREFIX + name.upper() for name in Settings.model_fields}
    rows = re.findall(
        r"^\| `(morningpost [a-z ]+)", (ROOT / "docs/commands.md").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert {row.strip() for row in rows} == set(COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    """Every relative link is a file or folder of the project."""
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    missing = [
        target for target in targets if "://" not in target and not (page.parent / target.strip()).resolve().exists()
    ]
    assert missing == []


def test_the_two_commands_stand_at_the_top_of_the_readme() -> None:
    """A fresh clone needs nothing else."""
    top = "\n".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:12])
    assert "make demo" in top
    assert "make test" in top


def test_every_decision_has_its_three_parts() -> None:
    """Context, decision, consequences; numbered without a gap; listed in the index."""
    decisions = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    index = (ROOT / "docs/README.md").read_text(encoding="utf-8")
    for path in decisions:
        text = path.read_text(encoding="utf-8")
        assert all(f"**{part}.**" in text for part in ("Context", "Decision", "Consequences"))
        assert f"decisions/{path.name}" in index
