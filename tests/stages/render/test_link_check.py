"""Looking links up: real servers on loopback, within limits, and what the freeze makes of it. On both engines."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from app.core.db import Database
from app.core.errors import Conflict
from app.core.net.guard import networks
from app.models.links import LinkVerdict, Looked
from app.models.states import EditionStatus
from app.stages.render import freeze, link_check, linting
from app.stages.render.link_check import LinkChecker
from app.stages.render.lint.answers import answers
from app.stages.render.lint.links import outgoing
from app.store import drafts, editions, links
from tests.stages.collect.standin import closed_port
from tests.stages.render import sample
from tests.stages.render.lint.proofs import NOW, found, proof, real

HERE = networks(["127.0.0.1/32"])
CHECKER = LinkChecker("https://post.example.org", HERE, each=30, altogether=90)


class Site(BaseHTTPRequestHandler):
    """`/200`, `/404` and so on answer so; `/head-405/200` refuses HEAD; `/to/X` redirects.

    `/slow` takes a second, `/mute` never answers.
    """

    asked: list[tuple[str, str]]
    busy = 0
    most = 0
    lock = threading.Lock()

    def _answer(self) -> None:
        with self.lock:
            type(self).busy += 1
            type(self).most = max(self.most, self.busy)
            self.asked.append((self.command, self.path))
        try:
            self._speak()
        finally:
            with self.lock:
                type(self).busy -= 1

    do_HEAD = do_GET = _answer  # noqa: N815  # as the library calls them

    def _speak(self) -> None:
        kind, _, rest = self.path[1:].partition("/")
        status, to = 200, ""
        if kind in ("slow", "mute"):
            time.sleep(1.0 if kind == "slow" else 100)
        elif kind == "to":
            status, to = 302, rest if "://" in rest else f"/{rest}"
        elif kind == "circle":
            status, to = 302, "/circle"
        elif kind.startswith("head-"):
            status = int(kind[5:] if self.command == "HEAD" else rest)
        else:
            status = int(kind)
        self.send_response(status)
        if to:
            self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def site() -> Iterator[type[Site]]:
    class Fresh(Site):
        asked = []  # noqa: RUF012  # of this test alone
        url = ""

    with served(Fresh) as url:
        Fresh.url = url
        yield Fresh


@contextmanager
def served(handler: type[Site]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "verdict", "asked"),
    [
        ("/200", LinkVerdict.WORKS, ["HEAD"]),
        ("/to/200", LinkVerdict.WORKS, ["HEAD", "HEAD"]),
        ("/404", LinkVerdict.GONE, ["HEAD", "GET"]),
        ("/410", LinkVerdict.GONE, ["HEAD", "GET"]),
        ("/to/404", LinkVerdict.GONE, ["HEAD", "HEAD", "GET", "GET"]),
        ("/head-405/200", LinkVerdict.WORKS, ["HEAD", "GET"]),
        ("/head-404/200", LinkVerdict.WORKS, ["HEAD", "GET"]),
        ("/403", LinkVerdict.SILENT, ["HEAD", "GET"]),
        ("/503", LinkVerdict.SILENT, ["HEAD", "GET"]),
        ("/429", LinkVerdict.SILENT, ["HEAD"]),
        ("/circle", LinkVerdict.SILENT, ["HEAD"] * 6),
        ("/to/http://10.0.0.7/x", LinkVerdict.PRIVATE, ["HEAD"]),
        ("/to/http://[::1]/x", LinkVerdict.PRIVATE, ["HEAD"]),
        ("/to/ftp://127.0.0.1/x", LinkVerdict.SILENT, ["HEAD"]),
    ],
)
async def test_verdicts(site: Any, path: str, verdict: LinkVerdict, asked: list[str]) -> None:
    """Gone only where GET is told so as well; private wherever a redirect leads inside; else silence proves nothing."""
    looked = await CHECKER.look([site.url + path])
    assert looked[site.url + path].verdict is verdict
    assert [method for method, _ in site.asked] == asked


async def test_nobody_inside_is_asked(site: Any) -> None:
    """Without leave this machine itself is private, by name too, and hears nothing of it."""
    by_name = site.url.replace("127.0.0.1", "localhost")
    looked = await replace(CHECKER, allowed=()).look([site.url + "/200", by_name + "/200"])
    assert {one.verdict for one in looked.values()} == {LinkVerdict.PRIVATE}
    assert site.asked == []


async def test_a_host_that_does_not_listen_is_silent() -> None:
    """In words."""
    url = closed_port()
    assert await CHECKER.look([url]) == {url: Looked(LinkVerdict.SILENT, "connection refused")}
    assert await CHECKER.look([]) == {}


async def test_slow_sites_hold_up_nobody(site: Any) -> None:
    """Each has its limit, all together have one, and what there was no time for is left out."""
    mute = [f"{site.url}/mute/{number}" for number in range(12)]
    looked = await replace(CHECKER, each=1, altogether=4.5).look(mute)
    assert 0 < len(looked) < len(mute)
    assert {one.detail for one in looked.values()} == {"it did not answer in time"}


async def test_a_host_is_asked_for_two_at_once(site: Any) -> None:
    """However many links lead there."""
    assert len(await CHECKER.look([f"{site.url}/slow/{number}" for number in range(5)])) == 5
    assert site.most <= 2


# --- in rows, and in lint ------------------------------------------------------------------------------


async def ready(db: Database) -> int:
    async with db.write() as session:
        await drafts.add(session, day=sample.DAY, number=214, salt=sample.SALT, now=NOW)
        draft = await editions.of_day(session, sample.DAY)
        assert draft is not None
        await drafts.fill(session, draft.id, real(sample.full()), "hash", NOW)
        await editions.move(session, draft.id, EditionStatus.DRAFT, EditionStatus.READY, "")
    return draft.id


class Told(LinkChecker):
    """Says what it is told to say, and remembers what it was asked."""

    async def look(self, urls: Any) -> dict[str, Looked]:
        ASKED.append(list(urls))
        return {url: SAYS for url in urls if url != "https://stories.quay.press/2"}


ASKED: list[list[str]] = []
SAYS = Looked(LinkVerdict.WORKS)


async def test_what_is_known_of_the_last_day_is_not_asked_again(db: Database) -> None:
    """What did not work is, for it may have been mended, and what there was no time for; after a day all are."""
    ASKED.clear()
    number, checker = await ready(db), Told("x")
    await link_check.of_edition(db, number, sample.PAPER, checker, NOW)
    async with db.write() as session:
        await links.keep(session, {"https://stories.quay.press/1": Looked(LinkVerdict.SILENT, "hm")}, NOW)
        await links.keep(session, {"https://stories.quay.press/3": Looked(LinkVerdict.GONE, "404")}, NOW)
    known = await link_check.of_edition(db, number, sample.PAPER, checker, NOW + timedelta(hours=23))
    assert sorted(ASKED[1]) == [f"https://stories.quay.press/{number}" for number in (1, 2, 3)]
    assert len(known) == len(ASKED[0]) - 1
    async with db.write() as session:
        await links.prune(session, NOW + timedelta(hours=1))
    async with db.read() as session:
        left = sorted(await links.looked_up(session, ASKED[0], NOW))
    assert left == ["https://stories.quay.press/1", "https://stories.quay.press/3"]
    await link_check.of_edition(db, number, sample.PAPER, checker, NOW + timedelta(days=2))
    assert ASKED[2] == ASKED[0]


async def test_a_storys_dead_link_holds_the_edition(db: Database) -> None:
    """By what was found before the freeze; the freeze asks nobody."""
    number = await ready(db)
    gone = {"https://stories.quay.press/1": Looked(LinkVerdict.GONE, "it answered 404")}
    async with db.write() as session:
        await links.keep(session, gone, NOW - timedelta(hours=25))
    report = await linting.of_edition(db, number, sample.PAPER, NOW)
    assert report.errors == 0, "a look of yesterday is forgotten"
    assert "were not looked up in the last day" in report.problems[-1].message
    async with db.write() as session:
        await links.keep(session, gone, NOW)
    with pytest.raises(Conflict, match="It leads readers nowhere: it answered 404"):
        await freeze.freeze(db, number, sample.PAPER, NOW)


def test_links_of_stories_and_of_charts() -> None:
    """A dead link on a chart is a warning, as is silence; nobody looked is no finding at all."""
    story, chart = "https://stories.quay.press/1", "https://github.com/treadle/treadle"
    works = {url: Looked(LinkVerdict.WORKS) for url in outgoing(proof())}
    gone, private, silent = (Looked(one, "so") for one in LinkVerdict if one is not LinkVerdict.WORKS)

    def severities(**_: Any) -> list[str]:
        return [severity for severity, _ in found(answers, replace(proof(), looked=works | _["looked"]))]

    assert found(answers, proof()) == []
    assert severities(looked={}) == []
    assert severities(looked={story: gone}) == severities(looked={story: private}) == ["error"]
    assert severities(looked={story: silent}) == severities(looked={chart: gone}) == ["warning"]
    assert found(answers, replace(proof(), looked={})) == [("warning", "links")]
