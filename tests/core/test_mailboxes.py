"""Which mailbox provider keeps an address."""

import pytest

from app.core.mail.mailboxes import GROUPS, LONGEST, OTHER, group_of


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("ada@gmail.com", "gmail"),
        ("Ada@GoogleMail.com", "gmail"),
        ("ada@hotmail.co.uk", "microsoft"),
        ("ada@outlook.com", "microsoft"),
        ("ada@yahoo.com.br", "yahoo"),
        ("ada@aol.com", "yahoo"),
        ("ada@yahoo.co.jp", OTHER),
        ("ada@live.example.org", OTHER),
        ("ada@mail.gmail.com", OTHER),
        ('"a@gmail.com"@example.org', OTHER),
        ("gmx.net", "gmx"),
        ("", OTHER),
    ],
)
def test_a_group_is_the_company_that_keeps_the_mailbox(address: str, group: str) -> None:
    """National domains belong to it; look-alikes and subdomains do not."""
    assert group_of(address) == group


def test_a_group_fits_its_column() -> None:
    assert max(len(group) for group in GROUPS) <= LONGEST
