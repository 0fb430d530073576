"""Sender names as operators write them, and how they are given on."""

import pytest

from app.core.mail.named_address import mailbox, parse
from app.core.mail.template import header
from app.core.settings import load_settings

NAMES = [
    "Le Matin : Lyon",
    "Acme: Weekly",
    "Zeitung, Köln",
    "News (daily); all",
    "O'Neil \\ Sons",
    'The "Post"',
    "朝刊",
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_arrives_whole(name: str) -> None:
    """Unquoted as people write it, and quoted as RFC 5322 asks."""
    for written in (f"{name} <post@example.org>", mailbox(name, "post@example.org")):
        if '"' not in name or written.startswith('"'):
            assert parse(written) == (name, "post@example.org")
    settings = load_settings(from_address=mailbox(name, "post@example.org"), reply_to=mailbox(name, "a@example.org"))
    publication = settings.publication
    assert publication.sender == (name, "post@example.org")
    assert parse(publication.reply_to) == (name, "a@example.org")
    assert header("From", mailbox(*publication.sender)).endswith(b"<post@example.org>\r\n")


@pytest.mark.parametrize("written", ["Post <a@b.org> <c@d.org>", "Post <a b@c.org>", "<", "Post <>", "a<b@c.org"])
def test_what_is_no_mailbox_is_refused(written: str) -> None:
    with pytest.raises(Exception, match="FROM_ADDRESS"):
        load_settings(from_address=written)
