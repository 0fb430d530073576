"""What a provider lacks of what our mail needs."""

from pathlib import Path

import pytest

from app.bootstrap import build
from app.core.errors import ConfigurationError
from app.core.mail.provider import DEMANDED, Capabilities, Need, lacking, wanted
from app.core.settings import load_settings
from app.providers import registry
from app.providers.outbox import OutboxProvider
from app.providers.resend import ResendProvider
from app.providers.smtp import SmtpProvider
from app.providers.urls import ProviderUrl


@pytest.mark.parametrize("provider", [OutboxProvider, SmtpProvider])
def test_who_sends_our_bytes_lacks_nothing(provider: type[OutboxProvider | SmtpProvider]) -> None:
    assert lacking(provider.capabilities, set(Need)) == []


def test_what_is_lacking_is_said_only_where_it_is_asked_for() -> None:
    """Resend has a Message-ID and a return path of its own; the latter matters only where we would have one."""
    assert lacking(ResendProvider.capabilities, DEMANDED) == []
    assert lacking(ResendProvider.capabilities, wanted(own_return_path=False)) == [Need.MESSAGE_ID.value]
    assert lacking(ResendProvider.capabilities, wanted(own_return_path=True)) == [Need.MESSAGE_ID, Need.RETURN_PATH]


def test_a_provider_without_one_click_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """In a sentence that names it, before anything is sent."""

    class Headless(OutboxProvider):
        capabilities = Capabilities(raw=False, own_headers=False)

        @classmethod
        def from_url(cls, url: ProviderUrl, folder: Path) -> "Headless":
            return cls(url.name, folder)

    monkeypatch.setitem(registry.SCHEMES, "outbox", lambda url, _: Headless.from_url(url, tmp_path))
    with pytest.raises(ConfigurationError, match="the provider outbox cannot carry List-Unsubscribe"):
        build(load_settings(database_url=f"sqlite:///{tmp_path}/post.db", secret_keys="k" * 40))
