"""PROVIDERS: each URL becomes a provider, or a sentence that gives nothing secret away."""

from datetime import date
from pathlib import Path

import pytest

from app.core.errors import ConfigurationError
from app.core.mail.rates import DEFAULTS
from app.core.mail.rates import parse as parse_rates
from app.core.mail.tokens import Limits
from app.providers import registry
from app.providers.outbox import OutboxProvider
from app.providers.resend import ResendProvider
from app.providers.smtp import SmtpProvider
from app.providers.smtp_session import IMPLICIT, NONE, STARTTLS

VAR = Path("var")


def smtp(url: str) -> SmtpProvider:
    (provider,) = registry.build([url], VAR)
    assert isinstance(provider, SmtpProvider)
    return provider


def test_the_outbox_writes_under_var() -> None:
    """`outbox:` is the default of the service."""
    (provider,) = registry.build(["outbox:"], VAR)
    assert isinstance(provider, OutboxProvider)
    assert provider.folder == VAR / "outbox"
    assert provider.name == "outbox"
    assert not provider.capabilities.real


def test_smtp_means_starttls_on_587() -> None:
    """A bare smtp:// never sends in clear."""
    server = smtp("smtp://relay.example").server
    assert (server.host, server.port, server.tls) == ("relay.example", 587, STARTTLS)
    assert server.context is not None
    assert server.context.check_hostname


def test_smtps_means_tls_from_the_start_on_465() -> None:
    """The s stands for implicit TLS."""
    server = smtp("smtps://relay.example").server
    assert (server.port, server.tls) == (465, IMPLICIT)


def test_the_parts_of_a_url_are_percent_decoded() -> None:
    """A password may hold any character."""
    provider = smtp("smtp://post%40paper.example:p%3A%2F%23%3F%40%C3%A9@relay.example:2525?connections=3&name=relay-2")
    assert (provider.server.user, provider.server.password) == ("post@paper.example", "p:/#?@é")
    assert (provider.server.port, provider.connections, provider.name) == (2525, 3, "relay-2")


def test_no_tls_is_for_this_machine_or_for_nothing_secret() -> None:
    """tls=none with a password reaches loopback only; without one it may reach a mail catcher in the same network."""
    assert smtp("smtp://user:secret@127.0.0.1:25?tls=none").server.tls == NONE
    assert smtp("smtp://user:secret@localhost?tls=none").server.port == 25
    assert smtp("smtp://user:secret@[::1]:25?tls=none").server.host == "::1"
    assert smtp("smtp://mailpit:1025?tls=none").server.context is None


def test_resend_needs_only_its_key() -> None:
    """The API is always spoken to over TLS."""
    (provider,) = registry.build(["resend://re_abc@api.resend.com?name=main"], VAR)
    assert isinstance(provider, ResendProvider)
    assert provider.name == "main"
    assert provider.capabilities.batch == 100
    assert not provider.capabilities.raw


def test_the_order_is_kept() -> None:
    """The first provider is the one that is used first."""
    names = [one.name for one in registry.build(["smtps://a.example?name=a", "outbox:", "smtps://b.example"], VAR)]
    assert names == ["a", "outbox", "smtps"]


SECRET = "hunter2hunter2"


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("relay.example", "written as a URL"),
        (f"re_{SECRET}", "written as a URL"),
        ("mailgun://key@api.example", "no such provider"),
        ("smtp://", "host is missing"),
        ("smtp:relay.example", "nothing may follow"),
        (f"smtp://user:{SECRET}#1@relay.example", "percent|%23"),
        (f"smtp://user:{SECRET}/1@relay.example", "%2F"),
        (f"smtp://user:{SECRET}?1@relay.example", "port"),
        (f"smtp://user:{SECRET}@relay.example:port", "port must be a number"),
        (f"smtp://user:{SECRET}@relay.example:0", "port must be a number"),
        (f"smtp://user:{SECRET}@relay.example:70000", "port must be a number"),
        (f"smtp://user:{SECRET}@relay..example", "not a host name"),
        (f"smtp://user:{SECRET}@büro.example", "not a host name"),
        (f"smtp://user:{SECRET}@[::1", "malformed"),
        (f"smtp://user:{SECRET}%0d%0a@relay.example", "control characters"),
        (f"smtp://:{SECRET}@relay.example", "belong together"),
        ("smtp://user@relay.example", "belong together"),
        (f"smtp://user:{SECRET}@relay.example?tls=none", "in clear"),
        (f"smtp://user:{SECRET}@127.0.0.1.example?tls=none", "in clear"),
        (f"smtp://user:{SECRET}@relay.example?tls=maybe", "tls must be one of"),
        (f"smtps://user:{SECRET}@relay.example?tls=none", "tls must be one of implicit"),
        (f"smtp://user:{SECRET}@relay.example?burst=50", "burst is not a parameter"),
        (f"smtp://user:{SECRET}@relay.example?connections=0", "whole number from 1"),
        (f"smtp://user:{SECRET}@relay.example?connections=many", "whole number from 1"),
        (f"smtp://user:{SECRET}@relay.example?connections=2&connections=3", "given twice"),
        (f"smtp://user:{SECRET}@relay.example?tls", "name=value"),
        (f"smtp://user:{SECRET}@relay.example?TLS=none", "malformed"),
        (f"smtp://user:{SECRET}@relay.example?name=Main+Relay", "small letters"),
        (f"smtp://user:{SECRET}@relay.example?name=", "small letters"),
        (f"smtp://user:{SECRET}@relay.example?ca=/nowhere/ca.pem", "ca cannot be read"),
        (f"smtp://user:{SECRET}@127.0.0.1?tls=none&ca=/nowhere/ca.pem", "ca means nothing"),
        ("outbox:/tmp/mails", "nothing may follow"),
        ("outbox://host", "takes no address"),
        ("outbox:?tls=none", "tls is not a parameter"),
        ("resend://api.resend.com", "API key before the @"),
        (f"resend://{SECRET}@", "API key before the @"),
        (f"resend://key:{SECRET}@api.resend.com", "API key before the @"),
        (f"resend://{SECRET}%C3%A9@api.resend.com", "no key has"),
        (f"resend://{SECRET}@api.resend.com?scheme=http", "in clear"),
        (f"resend://{SECRET}@api.resend.com?base=x", "base is not a parameter"),
    ],
)
def test_a_wrong_url_is_refused_in_words(url: str, sentence: str) -> None:
    """The sentence names the setting and the entry, and never what stands before the host."""
    with pytest.raises(ConfigurationError, match=sentence) as refused:
        registry.build(["outbox:?name=first", url], VAR)
    assert str(refused.value).startswith("MORNINGPOST_PROVIDERS, entry 2")
    assert SECRET not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


def test_a_name_belongs_to_one_provider() -> None:
    """Names stand in the ledger and in hook paths."""
    with pytest.raises(ConfigurationError, match="another provider is called smtp"):
        registry.build(["smtp://a.example", "smtp://b.example"], VAR)


def test_no_provider_is_no_way_out() -> None:
    """An empty list is a mistake, not a choice."""
    with pytest.raises(ConfigurationError, match="names no provider"):
        registry.build([], VAR)


def test_secrets_do_not_stand_in_a_provider_s_repr() -> None:
    """A log line or a traceback may hold one."""
    for provider in registry.build([f"smtp://user:{SECRET}@relay.example", f"resend://{SECRET}@api.resend.com"], VAR):
        assert SECRET not in repr(provider)
    assert SECRET not in repr(smtp(f"smtp://user:{SECRET}@relay.example").server)


def test_every_provider_may_have_limits() -> None:
    """Rate, day and warm-up, by the provider's name; nothing said is no limit."""
    urls = ["smtp://relay.example?rate=14.5&per_day=50000&warmup=2027-01-18", "resend://:key@?rate=2", "outbox:"]
    limits = registry.limits(urls)
    assert limits["smtp"] == Limits(14.5, 50_000, date(2027, 1, 18))
    assert limits["resend"] == Limits(rate=2)
    assert not limits["outbox"]


@pytest.mark.parametrize(
    "params", ["rate=fast", "rate=0", "rate=-1", "rate=1e3", "rate=10001", "per_day=0", "per_day=1.5", "warmup=monday"]
)
def test_a_limit_that_cannot_be_read_is_refused(params: str) -> None:
    """In a sentence, at the start."""
    with pytest.raises(ConfigurationError, match="entry 1"):
        registry.limits([f"outbox:?{params}"])


def test_large_mailbox_providers_have_limits_where_mail_leaves_by_smtp() -> None:
    """By default; what is named holds for every provider."""
    urls = ("smtp://relay.example:587", "outbox:")
    assert registry.limits(urls, parse_rates(()))["smtp"].groups == DEFAULTS
    assert registry.limits(urls, parse_rates(()))["outbox"].groups == {}
    assert registry.limits(urls, parse_rates(("gmail=3",)))["outbox"].groups == {"gmail": 3}
    assert not registry.limits(urls, parse_rates(()))["smtp"], "nothing is said of the provider as a whole"
