"""`morningpost providers` as an operator types it."""

import json
from pathlib import Path

from tests.cli.test_commands import folder, post
from tests.stages.collect.standin import closed_port

__all__ = ["folder"]


def test_limits_are_listed_and_a_server_is_tried(folder: Path) -> None:
    """Exit code 1, and a sentence, where nobody answers; nothing secret is printed."""
    limits = {"PROVIDERS": "outbox:?rate=2.5&per_day=400", "DOMAIN_RATES": "gmail=7"}
    (one,) = json.loads(post("providers", "list", "--json", folder=folder, **limits).stdout)
    assert (one["name"], one["rate"], one["left_for_papers"], one["left_for_service"]) == ("outbox", 2.5, 380, 400)
    assert (one["domain_rates"], one["barred"]) == ({"gmail": 7}, {})
    assert post("providers", "check", folder=folder, **limits).stderr.strip() == "outbox could send now."
    port = closed_port().rpartition(":")[2].strip("/")
    relay = {"PROVIDERS": f"smtp://user:hunter2@127.0.0.1:{port}?rate=1"}
    tried = post("providers", "check", "smtp", folder=folder, **relay)
    assert (tried.returncode, "hunter2" in tried.stderr, tried.stderr.startswith("morningpost: smtp: ")) == (
        1,
        False,
        True,
    )
    assert post("providers", "check", "pigeon", folder=folder).returncode == 2


def test_what_a_provider_cannot_carry_is_said(folder: Path) -> None:
    """Of its own accord, whether or not it answers; a missing return path only where one is set."""
    port = closed_port().rpartition(":")[2].strip("/")
    settings = {"PROVIDERS": f"resend://key@127.0.0.1:{port}"}
    told = post("providers", "check", folder=folder, **settings).stderr
    assert "resend puts a Message-ID of its own" in told
    assert "return path" not in told
    told = post("providers", "check", folder=folder, **settings, RETURN_PATH_DOMAIN="bounces.example.org").stderr
    assert "resend puts a return path of its own in the place of one at RETURN_PATH_DOMAIN." in told
