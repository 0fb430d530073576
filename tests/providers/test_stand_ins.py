"""The servers that other tests lean on: in a thread, as acceptance tests use them."""

import smtplib
from email.message import EmailMessage

import httpx

from tests.providers.resend_server import KEY, ResendServer
from tests.providers.servers import in_thread
from tests.providers.smtp_server import SmtpServer


def test_the_mail_server_runs_in_a_thread() -> None:
    """Another client than ours is understood too."""
    with in_thread(SmtpServer()) as server, smtplib.SMTP("127.0.0.1", server.port, timeout=60) as client:
        message = EmailMessage()
        message["From"], message["To"] = "a@b.example", "c@d.example"
        client.send_message(message)
        assert server.recipients() == ["c@d.example"]


def test_the_resend_stand_in_runs_in_a_thread() -> None:
    """Same key and same body: the same answer, one mail. Same key and another body: 409."""
    with in_thread(ResendServer()) as server:
        url = f"http://127.0.0.1:{server.port}/emails/batch"
        headers = {"Authorization": f"Bearer {KEY}", "Idempotency-Key": "k"}
        first, second = (httpx.post(url, headers=headers, json=[{"to": ["c@d.example"]}]) for _ in range(2))
        other = httpx.post(url, headers=headers, json=[{"to": ["e@f.example"]}])
    assert first.json() == second.json()
    assert other.status_code == 409
    assert server.recipients() == ["c@d.example"]
