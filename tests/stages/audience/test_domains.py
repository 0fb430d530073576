"""Which domains are refused."""

import pytest

from app.core.errors import InvalidInput
from app.stages.audience.address import parse
from app.stages.audience.domains import DomainRules

RULES = DomainRules(refused=frozenset({"bad.test.org", "xyz"}), allowed=frozenset({"good.bad.test.org", "yopmail.com"}))


@pytest.mark.parametrize(
    ("domain", "refused"),
    [
        ("mailinator.com", True),
        ("MAILINATOR.com", True),
        ("deep.mailinator.com", True),
        ("mailinator.com.example.org", False),
        ("yopmail.com", False),
        ("bad.test.org", True),
        ("deep.bad.test.org", True),
        ("good.bad.test.org", False),
        ("test.org", False),
        ("anything.xyz", True),
    ],
)
def test_the_nearest_rule_decides(domain: str, *, refused: bool) -> None:
    """A domain's rule holds for all below it that has none of its own; what is allowed is never refused."""
    address = parse(f"ada@{domain}")
    if not refused:
        RULES.check(address)
        return
    with pytest.raises(InvalidInput, match=f"at {domain.lower()}. Please use another one") as caught:
        RULES.check(address)
    assert [one.field for one in caught.value.errors] == ["email"]


def test_the_list_of_throw_away_mailboxes_can_be_put_aside() -> None:
    DomainRules(refuse_disposable=False).check(parse("ada@mailinator.com"))
