"""What MORNINGPOST_DOMAIN_RATES may say."""

import pytest

from app.core.mail.mailboxes import GROUPS
from app.core.mail.rates import DEFAULTS, parse


def test_the_large_ones_have_limits_where_mail_leaves_by_smtp() -> None:
    """An API shapes for itself; what an operator names holds for it too."""
    assert parse(()).of(smtp=True) == DEFAULTS
    assert parse(()).of(smtp=False) == {}
    assert parse(("gmail=12.5",)).of(smtp=False) == {"gmail": 12.5}


def test_a_default_is_changed_or_lifted() -> None:
    """One, or all of them."""
    changed = parse(("gmail=40", "yahoo=off")).of(smtp=True)
    assert changed == {**{group: rate for group, rate in DEFAULTS.items() if group != "yahoo"}, "gmail": 40}
    assert parse(("off", "t-online=3")).of(smtp=True) == {"t-online": 3}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("gmail",), "write gmail=40"),
        (("gmail=fast",), "write gmail=40"),
        (("gmail=0",), "write gmail=40"),
        (("gmail=20000",), "write gmail=40"),
        (("gnail=4",), "there is no group 'gnail'"),
        (("gmail=4", "gmail=5"), "gmail is given twice"),
    ],
)
def test_what_is_no_limit_is_refused_in_a_sentence(words: tuple[str, ...], why: str) -> None:
    """A typing error must not leave a limit out in silence."""
    with pytest.raises(ValueError, match=why):
        parse(words)


def test_a_list_of_a_hundred_thousand_is_through_within_the_hour() -> None:
    """Where six in ten of its readers are at any one of them."""
    assert all(60_000 / rate <= 3600 for rate in DEFAULTS.values())
    assert DEFAULTS.keys() <= GROUPS
