"""One whole morning: sign-up to the end of an edition, real processes, real SMTP, a worker killed in mid-send."""

import email
import email.policy
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import httpx
import pytest

from app.cli.demo_stories import bundled
from app.core.db import Database
from app.core.signing import Purpose, Signer
from app.store import subscribers
from tests.acceptance.house import House
from tests.conftest import run
from tests.mail_rules import check_newsletter
from tests.providers.servers import in_thread
from tests.providers.smtp_server import SmtpServer
from tests.stages.collect.servers import both
from tests.stages.collect.world import small_world

EVENING = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
DAY = "2026-11-24"
READERS = 60
HANDED_OVER_BEFORE_THE_KILL = 12


class SlowSmtp(SmtpServer):
    """Takes its time over each mail, so that there is a mid-send to be killed in."""

    pause = 0.08

    def action(self, stage: str) -> str:
        if stage == "DOT":
            time.sleep(self.pause)
        return super().action(stage)


@pytest.fixture
def smtp() -> Iterator[SlowSmtp]:
    with in_thread(SlowSmtp()) as server:
        yield server


@pytest.fixture
def house(tmp_path: Path, database_url: str, smtp: SlowSmtp) -> Iterator[House]:
    clock: list[House] = []
    with both(small_world(EVENING.date() + timedelta(days=1)), lambda: EVENING + timedelta(hours=9)) as sources:
        made = House(
            tmp_path,
            database_url,
            PROVIDERS=f"smtp://127.0.0.1:{smtp.port}?tls=none&connections=2",
            HUGGINGFACE_URL=sources.url,
            GITHUB_URL=sources.url,
        )
        with made:
            clock.append(made)
            yield made


def parsed(content: bytes) -> EmailMessage:
    return email.message_from_bytes(content, policy=email.policy.default)


def letters(smtp: SmtpServer, subject: str) -> dict[str, bytes]:
    """The last mail each recipient got whose subject begins so."""
    return {
        mail.recipient: mail.content
        for mail in smtp.received
        if str(parsed(mail.content)["Subject"]).startswith(subject)
    }


def papers(smtp: SmtpServer) -> list[tuple[str, bytes]]:
    return [(mail.recipient, mail.content) for mail in smtp.received if b"List-Unsubscribe-Post" in mail.content]


def sign_up(house: House, smtp: SmtpServer, readers: dict[str, str]) -> None:
    for address, zone in readers.items():
        answer = house.web.post("/subscribe", json={"email": address, "timezone": zone})
        assert answer.status_code == 202, answer.text
    house.wait("confirmations", lambda: len(letters(smtp, "Confirm")) == len(readers))
    for content in letters(smtp, "Confirm").values():
        part = parsed(content).get_body(("plain",))
        assert part is not None
        link = re.search(r"https://\S+/confirm/\S+", part.get_content())
        assert link is not None
        path = httpx.URL(link[0]).path
        page = house.web.get(path)
        assert page.status_code == 200
        assert house.web.post(house.form(page)).status_code == 200


def unsubscribe_path(database_url: str, house: House, address: str) -> str:
    async def ref() -> str:
        db = Database(database_url)
        async with db.read() as session:
            reader = await subscribers.find_key(session, address)
        await db.close()
        assert reader is not None
        return reader.ref

    token = Signer([house.settings["SECRET_KEYS"]]).sign(Purpose.UNSUBSCRIBE, run(ref()))
    return f"/unsubscribe/{token}"


def one_click(house: House, path: str) -> None:
    """Leaves as a mail program does for its user: no cookie, no login, no redirect."""
    url = f"{house.web.base_url}{path}"
    answer = httpx.post(url, data={"List-Unsubscribe": "One-Click"}, follow_redirects=False, trust_env=False)
    assert answer.status_code == 200


def test_a_whole_morning(house: House, smtp: SlowSmtp, database_url: str) -> None:
    """Nobody is lost, nobody who left is mailed, each at their own morning, and every byte by the rules."""
    house.move_to(EVENING)
    house.start("serve", "--no-worker")
    worker = house.start("worker")
    house.wait("the site", house.is_up)

    made = house.run("keys", "create", "test", "--scope", "read", "--scope", "write", "--scope", "send")
    assert made.returncode == 0, made.stderr
    house.web.headers["Authorization"] = f"Bearer {made.stdout.strip()}"
    for story in bundled():
        assert house.web.post("/api/v1/stories", json=story).status_code == 201

    londoners = {f"reader{index}@example.net": "Europe/London" for index in range(READERS)}
    everybody = {**londoners, "tokyo@example.net": "Asia/Tokyo", "leaver@example.net": "Europe/London"}
    sign_up(house, smtp, everybody)
    smtp.received.clear()

    def edition() -> dict[str, object]:
        items = house.web.get("/api/v1/editions").json()["items"]
        return items[0] if items else {"status": "none"}

    house.move_to(datetime(2026, 11, 24, 5, 0, 30, tzinfo=UTC))
    house.wait("composed", lambda: edition()["status"] == "ready")
    content = edition()["content"]
    assert isinstance(content, dict)
    assert len(content["charts"]) == 3
    house.move_to(datetime(2026, 11, 24, 5, 30, 1, tzinfo=UTC))
    house.wait("frozen", lambda: edition()["status"] == "frozen")
    assert house.web.get(f"/editions/{DAY}").status_code == 404

    # One leaves between freeze and release, by the one-click of RFC 8058.
    one_click(house, unsubscribe_path(database_url, house, "leaver@example.net"))
    last = f"reader{READERS - 1}@example.net"
    way_out = unsubscribe_path(database_url, house, last)
    assert papers(smtp) == []

    house.move_to(datetime(2026, 11, 24, 6, 30, 0, tzinfo=UTC))
    house.wait("mid-send", lambda: len(papers(smtp)) >= HANDED_OVER_BEFORE_THE_KILL)
    # Another leaves when the edition is on its way and their hand-over is still to come.
    one_click(house, way_out)
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    assert len(papers(smtp)) < READERS - 10, "the kill came too late to prove anything"
    del londoners[last]
    house.start("worker")
    progress = f"/api/v1/editions/{edition()['id']}/progress"

    def counts() -> dict[str, int]:
        return dict(house.web.get(progress).json()["counts"])

    house.wait("the rest", lambda: counts().get("accepted", 0) + counts().get("unknown", 0) == len(londoners))
    assert counts().get("skipped", 0) == 1
    unknown = counts().get("unknown", 0)
    assert 0 < unknown < READERS // 2
    house.move_to(datetime(2026, 11, 24, 6, 52, tzinfo=UTC))
    house.wait("the unknown ones", lambda: counts().get("accepted", 0) == len(londoners))

    got = Counter(recipient for recipient, _ in papers(smtp))
    assert set(got) == set(londoners), "lost, or mailed who should not be"
    repeated = [recipient for recipient, count in got.items() if count > 1]
    assert len(repeated) <= unknown, "a repeat that no unknown hand-over explains"
    for recipient in repeated:
        same = {parsed(content)["Message-ID"] for who, content in papers(smtp) if who == recipient}
        assert len(same) == 1

    house.move_to(datetime(2026, 11, 24, 21, 29, tzinfo=UTC))
    time.sleep(2.5)
    assert "tokyo@example.net" not in dict(papers(smtp))
    house.move_to(datetime(2026, 11, 24, 21, 30, tzinfo=UTC))
    house.wait("Tokyo", lambda: "tokyo@example.net" in dict(papers(smtp)))
    house.wait("the end", lambda: edition()["status"] == "sent")
    assert not {"leaver@example.net", last} & set(dict(papers(smtp)))

    faults = {fault for _, content in papers(smtp) for fault in check_newsletter(content)}
    assert faults == set()
    assert house.web.get(f"/editions/{DAY}").status_code == 200
    header = re.search(
        rb"List-Unsubscribe: <https://[^/]+(/unsubscribe/[^>]+)>", dict(papers(smtp))["tokyo@example.net"]
    )
    assert header is not None
    answer = house.web.post(header[1].decode(), data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200
    assert "@example.net" not in re.sub(r".\*\*\*@example\.net", "", house.logs())
