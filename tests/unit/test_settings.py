"""Settings: every wrong one gets a sentence, production refuses what is not ready, secrets are made once."""

import os
import stat
import subprocess
import sys
from datetime import time, timedelta
from pathlib import Path

import pytest

from app.core.errors import ConfigurationError
from app.core.settings import Settings, load_settings

KEY = "a random key of more than 32 characters"
READY = {
    "ENVIRONMENT": "production",
    "SECRET_KEYS": KEY.replace(" ", "-"),
    "PUBLIC_URL": "https://post.example.net",
    "SUPPRESSION_KEY": "q" * 40,
    "FROM_ADDRESS": "The Post <post@example.net>",
    "POSTAL_ADDRESS": "1 Fleet Street, London",
}


def put(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv("MORNINGPOST_" + name, value)


WRONG = [
    ("ENVIRONMENT", "staging", "'development' or 'production'"),
    ("PUBLIC_URL", "post.example.org", "web address"),
    ("PUBLIC_URL", "ftp://post.example.org", "web address"),
    ("PUBLIC_URL", "https://post.example.org/?a=1", "web address"),
    ("PUBLIC_URL", "https://user@post.example.org", "web address"),
    ("HUGGINGFACE_URL", "huggingface", "web address"),
    ("GITHUB_URL", "http://", "web address"),
    ("PUBLICATION_NAME", "x" * 81, "at most 80"),
    ("PUBLICATION_NAME", "two\nlines", "one line"),
    ("TAGLINE", "bell \a", "one line"),
    ("TAGLINE", "x" * 121, "at most 120"),
    ("POSTAL_ADDRESS", "a\r\nBcc: ada@example.org", "one line"),
    ("FROM_ADDRESS", "nobody", "mailbox"),
    ("FROM_ADDRESS", "Post <post@>", "mailbox"),
    ("FROM_ADDRESS", "Post\n <post@example.org>", "control characters"),
    ("REPLY_TO", "ada at example.org", "mailbox"),
    ("LIST_ID", "daily post", "host name"),
    ("TIMEZONE", "Europe/Atlantis", "IANA"),
    ("TIMEZONE", "right/UTC", "IANA"),
    ("COMPOSE_AT", "25:00", "time"),
    ("COMPOSE_AT", "06:00", "COMPOSE_AT must not be later than FREEZE_AT"),
    ("FREEZE_AT", "05:30:10", "HH:MM"),
    ("DELIVER_AT", "06:30Z", "HH:MM"),
    ("DELIVER_AT", "early", "time"),
    ("APPROVAL", "maybe", "'auto' or 'manual'"),
    ("MAX_LATE", "12", "12h or 90m"),
    ("MAX_LATE", "0m", "between 1m and 24h"),
    ("MAX_LATE", "25h", "between 1m and 24h"),
    ("MAX_LATE", "999999999999999h", "12h or 90m"),
    ("ON_UNKNOWN", "give up", "'resend' or 'hold'"),
    ("DOMAIN_RATES", "gmail=40 yahoo=quick", "'yahoo=quick' is not a limit: write gmail=40"),
    ("LOG_FORMAT", "xml", "'auto', 'json' or 'console'"),
    ("PORT", "http", "whole number"),
    ("PORT", "70000", "65535"),
]


@pytest.mark.parametrize(("name", "value", "sentence"), WRONG)
def test_a_wrong_setting_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    """The sentence names the setting and says what would be right."""
    put(monkeypatch, **{name: value})
    with pytest.raises(ConfigurationError, match=name) as caught:
        load_settings()
    assert sentence in str(caught.value)
    assert "Traceback" not in str(caught.value)


def test_every_wrong_setting_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """One start, one list: nobody mends them one by one."""
    put(monkeypatch, PORT="http", TIMEZONE="Mars", MAX_LATE="soon")
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    lines = str(caught.value).splitlines()
    assert len(lines) == 3
    assert {line.partition(":")[0] for line in lines} == {
        "MORNINGPOST_PORT",
        "MORNINGPOST_TIMEZONE",
        "MORNINGPOST_MAX_LATE",
    }


def test_right_settings_are_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lists are cut at spaces, durations and times are what they say."""
    put(
        monkeypatch,
        MAX_LATE="90m",
        DELIVER_AT="07:05",
        PROVIDERS=" outbox:   smtp://host ",
        ALLOWED_RECIPIENTS="ada@example.org",
        PUBLIC_URL="http://localhost:8000/",
        TIMEZONE="Europe/London",
        REPLY_TO="",
    )
    settings = load_settings()
    assert settings.max_late == timedelta(minutes=90)
    assert settings.deliver_at == time(7, 5)
    assert settings.providers == ("outbox:", "smtp://host")
    assert settings.allowed_recipients == ("ada@example.org",)
    assert settings.public_url == "http://localhost:8000"
    assert settings.zone.key == "Europe/London"
    assert settings.publication.deliver_minute == 425


def test_a_dot_env_file_is_read_and_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """`.env` in the working directory, with the same names."""
    Path(".env").write_text('MORNINGPOST_TAGLINE="News · daily"\nMORNINGPOST_PORT=9000\n', encoding="utf-8")
    put(monkeypatch, PORT="9001")
    settings = load_settings()
    assert (settings.tagline, settings.port) == ("News · daily", 9001)


def test_an_unreadable_dot_env_file_is_a_sentence() -> None:
    """Bytes that are not UTF-8 stop the start, without a traceback."""
    Path(".env").write_bytes(b"MORNINGPOST_TAGLINE=caf\xe9\n")
    with pytest.raises(ConfigurationError, match=r"\.env"):
        load_settings()


def test_production_starts_when_it_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """And writes no secret of its own."""
    put(monkeypatch, **READY)
    assert load_settings().production
    assert not Path("var").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEYS", ""),
        ("PUBLIC_URL", "http://post.example.net"),
        ("FROM_ADDRESS", "post@example.org"),
        ("POSTAL_ADDRESS", ""),
    ],
)
def test_production_refuses_what_is_not_ready(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """A missing secret, plain http, a placeholder sender, no postal address."""
    put(monkeypatch, **{**READY, name: value})
    with pytest.raises(ConfigurationError, match=f"^MORNINGPOST_{name} ") as caught:
        load_settings()
    assert len(str(caught.value).splitlines()) == 1


def test_a_bare_production_start_lists_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """All five refusals in one go."""
    put(monkeypatch, ENVIRONMENT="production")
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert len(str(caught.value).splitlines()) == 5


def test_development_makes_a_secret_once_for_its_owner_only() -> None:
    """The second start reads what the first made."""
    first = load_settings().secret_keys
    assert load_settings().secret_keys == first
    assert len(first[0]) >= 32
    assert stat.S_IMODE(Path("var/secret_key").stat().st_mode) == 0o600
    assert sorted(path.name for path in Path("var").iterdir()) == ["secret_key", "suppression_key"]


def test_processes_that_start_together_agree_on_the_secret(tmp_path: Path) -> None:
    """`serve` and `worker` begin at once in an empty folder; neither may read the other's half-made file."""
    code = "from app.core.settings import load_settings; print(load_settings().secret_keys[0])"
    root = Path(__file__).parents[2]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(root)},
        )
        for _ in range(4)
    ]
    secrets = {process.communicate(timeout=60)[0] for process in processes}
    assert len(secrets) == 1
    assert len(secrets.pop()) > 32


def test_a_secret_that_cannot_be_kept_is_a_sentence() -> None:
    """`var` is a file, so nothing can be made in it."""
    Path("var").write_text("")
    with pytest.raises(ConfigurationError, match="MORNINGPOST_SECRET_KEYS"):
        load_settings()


def test_settings_show_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither their repr nor an error's text holds a key, a password or a token."""
    put(
        monkeypatch,
        SECRET_KEYS="hush-" * 8,
        DATABASE_URL="postgresql://post:hush@host/post",
        PROVIDERS="smtp://post:hush@host",
        GITHUB_TOKEN="hush",
        HUGGINGFACE_TOKEN="hush",
    )
    assert "hush" not in repr(load_settings())
    put(monkeypatch, TIMEZONE="Mars", PORT="hush")
    with pytest.raises(ConfigurationError) as caught:
        load_settings()
    assert "hush" not in str(caught.value)


def test_settings_cannot_be_changed() -> None:
    """They are read once, at the start."""
    with pytest.raises(ValueError, match="frozen"):
        Settings().port = 1  # type: ignore[misc]  # that is the point


def test_the_publication_fills_in_what_was_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bare sender takes the paper's name; List-Id comes from the sender's domain."""
    put(monkeypatch, FROM_ADDRESS="post@news.example.net", PUBLICATION_NAME="The Daily")
    publication = load_settings().publication
    assert publication.sender == ("The Daily", "post@news.example.net")
    assert publication.list_id == "daily.news.example.net"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trusted_proxies", "*"),
        ("trusted_proxies", "10.0.0.1/8"),
        ("trusted_proxies", "127.0.0.1 proxy.example.org"),
        ("refused_domains", "@example.org"),
        ("allowed_domains", "exämple.org"),
        ("signups_per_client", "0"),
        ("signups_per_minute", "many"),
    ],
)
def test_the_guards_of_the_sign_up_are_checked_at_start(name: str, value: str) -> None:
    """A proxy that is no address would otherwise be trusted by nobody, silently."""
    with pytest.raises(ConfigurationError, match=f"MORNINGPOST_{name.upper()}"):
        load_settings(**{name: value})


@pytest.mark.parametrize("value", ["bounces", "post@bounces.example.org", "büro.example.org", "b" * 187 + ".org"])
def test_a_return_path_domain_must_leave_room_for_the_token(value: str) -> None:
    """A domain in ASCII, short enough for a path of 254 octets (RFC 5321 section 4.5.3.1.3), in small letters."""
    with pytest.raises(ConfigurationError, match="MORNINGPOST_RETURN_PATH_DOMAIN: must be a domain"):
        load_settings(return_path_domain=value)
    assert load_settings(return_path_domain="Bounces.Example.ORG").return_path_domain == "bounces.example.org"
