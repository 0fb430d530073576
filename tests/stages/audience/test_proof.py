"""A proof of work is ours, right, in time, and used once."""

import asyncio
import base64
import json
from datetime import timedelta
from typing import Any

import altcha
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from app.core.db import Database
from app.core.errors import InvalidInput
from app.core.signing import Signer
from app.models import SpentProof
from app.operations import housekeeping
from app.stages.audience import proof
from app.stages.audience.proof import LASTS, Proof, Proofs
from tests.people import NOON, SIGNER

PROOFS = Proofs(SIGNER, 1_000)
SECOND = timedelta(seconds=1)


def solve(challenge: dict[str, Any]) -> dict[str, Any]:
    """The payload of a client that does the work; `challenge` is what /altcha gives out."""
    solution = altcha.solve_challenge(altcha.Challenge.from_dict(challenge))
    assert solution is not None
    return {"challenge": challenge, "solution": solution.to_dict()}


def packed(payload: object) -> str:
    return base64.b64encode(json.dumps(payload).encode()).decode()


SOLVED = solve(PROOFS.challenge(NOON))


def changed(*path: str, to: object) -> str:
    """A good payload with one value changed."""
    copy = json.loads(json.dumps(SOLVED))
    inner = copy
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = to
    return packed(copy)


def test_a_solution_is_read_until_its_challenge_runs_out() -> None:
    """To the second, by the clock that is handed in and not by the machine's."""
    text = packed(SOLVED)
    found = PROOFS.read(text, NOON)
    assert found == Proof(SOLVED["challenge"]["parameters"]["nonce"], NOON + LASTS)
    assert PROOFS.read(text, NOON + LASTS - SECOND) == found
    with pytest.raises(InvalidInput, match="has run out"):
        PROOFS.read(text, NOON + LASTS)


def test_two_challenges_are_never_the_same() -> None:
    """So each proof is one sign-up's."""
    assert len({PROOFS.challenge(NOON)["parameters"]["nonce"] for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "text",
    [
        changed("challenge", "parameters", "cost", to=1),
        changed("challenge", "parameters", "keyPrefix", to=""),
        changed("challenge", "parameters", "nonce", to="00" * 16),
        changed("challenge", "parameters", "data", "until", to=99_999_999_999),
        changed("challenge", "parameters", "data", to=None),
        changed("challenge", "parameters", "expiresAt", to=99_999_999_999),
        changed("challenge", "parameters", "algorithm", to="SHA-256"),
        changed("challenge", "signature", to="0" * 64),
        changed("challenge", "signature", to=None),
        changed("solution", "counter", to=2**32 - 1),
        changed("solution", "counter", to="1"),
        changed("solution", "derivedKey", to="00" * 32),
        packed(SOLVED) + "A" * 5_000,
        packed({}),
        packed([1]),
        packed("x"),
        "rubbish",
        "é",
    ],
)
def test_whatever_was_changed_or_made_up_is_refused(text: str) -> None:
    """A cheaper challenge, a longer life, another's signature: in one sentence, on the field."""
    with pytest.raises(InvalidInput, match="not a solution to a challenge of ours") as caught:
        PROOFS.read(text, NOON)
    assert caught.value.errors[0].field == "altcha"


def test_another_houses_challenge_is_refused() -> None:
    """The key is derived from SECRET_KEYS."""
    others = solve(Proofs(Signer(["x" * 40]), 1_000).challenge(NOON))
    with pytest.raises(InvalidInput):
        PROOFS.read(packed(others), NOON)


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner))
FIELDS = st.sampled_from(
    [
        ("challenge",),
        ("solution",),
        ("challenge", "parameters"),
        ("challenge", "signature"),
        ("solution", "counter"),
        ("solution", "derivedKey"),
        *(("challenge", "parameters", name) for name in SOLVED["challenge"]["parameters"]),
    ]
)


@given(FIELDS, VALUES)
def test_no_value_in_any_field_is_our_fault(path: tuple[str, ...], value: object) -> None:
    """Whatever JSON can say is the proof itself, or an InvalidInput."""
    text = changed(*path, to=value)
    try:
        assert PROOFS.read(text, NOON).nonce == SOLVED["challenge"]["parameters"]["nonce"]
    except InvalidInput as error:
        assert error.errors[0].field == "altcha"  # noqa: PT017  # either outcome is right


async def spend(db: Database, one: Proof) -> bool:
    try:
        async with db.write() as session:
            await proof.spend(session, one)
    except InvalidInput as error:
        assert "used before" in str(error)  # noqa: PT017
        return False
    return True


async def test_of_many_at_once_one_spends_a_proof(db: Database) -> None:
    """Two processes at one moment cannot both let it in."""
    one = PROOFS.read(packed(SOLVED), NOON)
    assert sum(await asyncio.gather(*(spend(db, one) for _ in range(8)))) == 1


async def test_what_is_rolled_back_spends_nothing(db: Database) -> None:
    """A sign-up that fails for another reason may send its proof again."""
    one = PROOFS.read(packed(SOLVED), NOON)

    async def fail() -> None:
        async with db.write() as session:
            await proof.spend(session, one)
            raise InvalidInput("That address has no @ in it.", "email")

    with pytest.raises(InvalidInput, match="address"):
        await fail()
    assert await spend(db, one)


async def test_used_proofs_are_kept_until_they_have_run_out(db: Database) -> None:
    """Housekeeping forgets them then, and not before; twice is once."""
    one = PROOFS.read(packed(SOLVED), NOON)
    assert await spend(db, one)
    await housekeeping.tidy(db, NOON + LASTS)
    assert not await spend(db, one)
    for _ in range(2):
        await housekeeping.tidy(db, NOON + LASTS + SECOND)
    async with db.read() as session:
        assert await session.scalar(select(func.count()).select_from(SpentProof)) == 0
