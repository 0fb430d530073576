"""The API does what its description says: schemathesis plays what the description allows, and what it forbids."""

from pathlib import Path

from tests import fuzz_api


def test_the_api_is_as_it_is_described(tmp_path: Path) -> None:
    """Examples, each bound of each field, wrong methods and kinds of body; and a few random requests."""
    code, said = fuzz_api.play(tmp_path, phases="examples,coverage,fuzzing", examples=3, seconds=300)
    assert code == 0, said
    assert "Coverage" in said
