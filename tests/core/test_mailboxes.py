"""Which mailbox provider keeps an address."""

import pytest

from app.core.mail.mailboxes import GROUPS, LONGEST, OTHER, group_of, group_of_exchangers


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


@pytest.mark.parametrize(
    ("hosts", "group"),
    [
        (["aspmx.l.google.com.", "alt1.aspmx.l.google.com."], "gmail"),
        (["firm-example.mail.protection.outlook.com."], "microsoft-365"),
        (["hotmail-com.olc.protection.outlook.com"], "microsoft"),
        (["MTA5.am0.YahooDNS.net."], "yahoo"),
        (["mx01.mail.icloud.com."], "apple"),
        (["mx.firm.example.", "aspmx.l.google.com."], OTHER),
        (["notgoogle.com."], OTHER),
        ([], OTHER),
    ],
)
def test_a_domain_belongs_to_the_company_whose_servers_take_its_mail(hosts: list[str], group: str) -> None:
    """All of them: with one of its own before them nobody knows who judges us."""
    assert group_of_exchangers(hosts) == group


def test_a_group_fits_its_column() -> None:
    assert max(len(group) for group in GROUPS) <= LONGEST
