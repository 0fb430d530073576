"""`morningpost subscribers placements`, as an operator types it."""

import json
from pathlib import Path

from tests.cli.test_commands import folder as folder  # noqa: PLC0414  # a fixture: used by its name
from tests.cli.typed import typed

PLACEMENTS = ("subscribers", "placements")


def test_a_placement_is_made_listed_and_shown(folder: Path) -> None:
    """With its numbers and its addresses, in words and as JSON."""
    site = {"PUBLIC_URL": "https://post.example.org"}
    made = typed(*PLACEMENTS, "create", "Spring-Poster", "Poster, city library", folder=folder, **site)
    assert made.returncode == 0, made.stderr
    assert "link: https://post.example.org/?src=spring-poster" in made.stdout
    assert "qr_png: https://post.example.org/qr.png?src=spring-poster" in made.stdout
    table = typed(*PLACEMENTS, "list", folder=folder, **site)
    assert "Poster, city library" in table.stdout
    listed = json.loads(typed(*PLACEMENTS, "list", "--json", folder=folder, **site).stdout)
    assert [(one["code"], one["asked"], one["confirmed"], one["reading"]) for one in listed] == [
        ("spring-poster", 0, 0, 0)
    ]
    shown = json.loads(typed(*PLACEMENTS, "show", "SPRING-POSTER", "--json", folder=folder, **site).stdout)
    assert shown["poster"] == "https://post.example.org/qr?src=spring-poster"


def test_what_cannot_be_done_is_said_in_a_sentence(folder: Path) -> None:
    """Exit code 2: a bad code, one that is taken, one that is not there; an empty list says how to begin."""
    assert "There are no placements yet" in typed(*PLACEMENTS, "list", folder=folder).stderr
    typed(*PLACEMENTS, "create", "poster", "A poster", folder=folder)
    for words, sentence in (
        (("create", "a b", "x"), "A code is 1 to 40"),
        (("create", "poster", "x"), "There is a placement poster already."),
        (("show", "nowhere"), "There is no placement nowhere."),
    ):
        done = typed(*PLACEMENTS, *words, folder=folder)
        assert done.returncode == 2, done.stderr
        assert sentence in done.stderr
