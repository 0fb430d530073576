"""The Resend provider against an HTTP server with its shapes and its ways of failing."""

import asyncio
import socket
from datetime import timedelta

import pytest

from app.core.errors import ConfigurationError
from app.core.mail.receipt import Accepted, Deferred, Fault, Halt, Rejected, Scope
from app.providers import api, resend
from app.providers.resend import ResendProvider
from tests.providers.mails import Stream, mail, mails
from tests.providers.resend_server import KEY, Drop, Hang, Reply, Request, ResendServer, error

QUICK = (0.01, 0.01, 0.01)


def provider(server: ResendServer, key: str = KEY) -> ResendProvider:
    return ResendProvider("resend", f"http://127.0.0.1:{server.port}", key, QUICK)


async def drained(server: ResendServer, stream: Stream, key: str = KEY) -> Stream:
    sender = provider(server, key)
    try:
        await sender.drain(stream)
    finally:
        await sender.close()
    assert not stream.out
    return stream


# --- What is sent -----------------------------------------------------------------------------------


async def test_batches_of_a_hundred_are_accepted_in_order(resend_server: ResendServer) -> None:
    """Each message gets the id at its place in the answer."""
    stream = await drained(resend_server, Stream(mails(230)))
    stream.assert_all_accepted(230)
    assert [len(request.mails) for request in resend_server.batches()] == [100, 100, 30]
    for place, (key, receipt) in enumerate(sorted(stream.receipts.items()), 1):
        assert receipt == Accepted(f"00000000-0000-0000-0000-{place:012x}")
        assert resend_server.accepted[place - 1]["to"] == [f"reader{key}@inbox.example"]


async def test_a_mail_holds_our_headers_and_both_parts(resend_server: ResendServer) -> None:
    """One-click unsubscription, List-Id and Message-ID are ours; values are strings in ASCII."""
    await drained(resend_server, Stream([mail(7)]))
    (sent,) = resend_server.accepted
    assert sent["from"] == "The AI Morning Post <post@paper.example>"
    assert sent["subject"] == "The morning’s edition: models, papers & more"
    assert sent["reply_to"] == "editor@paper.example"
    assert sent["text"] == mail(7).text()
    assert sent["html"] == mail(7).html()
    link = f"https://paper.example/unsubscribe/{7:032x}"
    assert sent["headers"] == {
        "List-Id": "The AI Morning Post <daily.paper.example>",
        "Feedback-ID": "daily:paper:example",
        "List-Unsubscribe": f"<{link}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "Message-ID": f"<{7:032x}@paper.example>",
    }


async def test_the_key_of_a_call_names_its_messages(resend_server: ResendServer) -> None:
    """Between 1 and 256 characters; other messages, or another attempt, have another key."""
    await drained(resend_server, Stream(mails(101)))
    keys = [request.headers["idempotency-key"] for request in resend_server.batches()]
    assert len(set(keys)) == 2
    assert all(1 <= len(key) <= 256 for key in keys)
    assert all("@" not in key for key in keys)


# --- Bad messages -----------------------------------------------------------------------------------


def refuse(*numbers: int) -> object:
    addresses = {f"reader{number}@inbox.example" for number in numbers}
    return lambda sent: "Invalid `to` field." if sent["to"][0] in addresses else ""


@pytest.mark.parametrize("permissive", [True, False])
@pytest.mark.parametrize("bad", [(1,), (57,), (100,), (3, 4, 99)])
async def test_a_bad_address_does_not_sink_the_others(
    resend_server: ResendServer, bad: tuple[int, ...], permissive: bool
) -> None:
    """Whether the server names the bad one (permissive validation) or refuses the whole batch (then it is halved)."""
    resend_server.permissive = permissive
    resend_server.invalid = refuse(*bad)  # type: ignore[assignment]  # a function of one mail
    stream = await drained(resend_server, Stream(mails(100)))
    assert len(stream.receipts) == 100
    for key, receipt in stream.receipts.items():
        if key in bad:
            assert isinstance(receipt, Rejected)
            assert receipt.fault is Fault.ADDRESS
        else:
            assert isinstance(receipt, Accepted)
    assert len(resend_server.recipients()) == len(set(resend_server.recipients())) == 100 - len(bad)
    assert len(resend_server.batches()) <= (1 if permissive else 2 + 16 * len(bad))


async def test_ids_go_to_the_right_messages_past_a_refused_one(resend_server: ResendServer) -> None:
    """Permissive answers list ids of the accepted only."""
    resend_server.invalid = refuse(2)  # type: ignore[assignment]  # a function of one mail
    stream = await drained(resend_server, Stream(mails(3)))
    assert stream.receipts[1] == Accepted("00000000-0000-0000-0000-000000000001")
    assert stream.receipts[3] == Accepted("00000000-0000-0000-0000-000000000002")


async def test_a_message_that_is_refused_for_itself_says_nothing_of_the_address(resend_server: ResendServer) -> None:
    """Only a complaint about `to` does."""
    resend_server.script.append(error(422, "missing_required_field", "Missing `subject` field."))
    rejected = (await drained(resend_server, Stream(mails(1)))).only()
    assert isinstance(rejected, Rejected)
    assert (rejected.fault, rejected.code) == (Fault.MESSAGE, "missing_required_field")


# --- Waiting ----------------------------------------------------------------------------------------


async def test_a_rate_limit_is_waited_out(resend_server: ResendServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """retry-after is obeyed, and the same call goes out again."""
    resend_server.script += [error(429, "rate_limit_exceeded", retry_after="0.2"), None]
    started = asyncio.get_running_loop().time()
    (await drained(resend_server, Stream(mails(5)))).assert_all_accepted(5)
    assert asyncio.get_running_loop().time() - started >= 0.2
    first, second = resend_server.batches()
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"]
    assert first.body == second.body


async def test_a_long_rate_limit_gives_the_messages_back(resend_server: ResendServer) -> None:
    """Nobody sits on taken messages for an hour."""
    resend_server.always = error(429, "rate_limit_exceeded", retry_after="3600")
    stream = await drained(resend_server, Stream(mails(150)))
    later = stream.receipts[1]
    assert isinstance(later, Deferred)
    assert later.scope is Scope.PROVIDER
    assert later.after == timedelta(hours=1)
    assert len(resend_server.batches()) == 1


async def test_a_spent_window_delays_the_next_call(resend_server: ResendServer) -> None:
    """ratelimit-remaining: 0 with ratelimit-reset in seconds: the next batch is not even taken before."""
    resend_server.headers = {"ratelimit-limit": "2", "ratelimit-remaining": "0", "ratelimit-reset": "0.15"}
    started = asyncio.get_running_loop().time()
    (await drained(resend_server, Stream(mails(201)))).assert_all_accepted(201)
    assert asyncio.get_running_loop().time() - started >= 0.3


# --- Faults of ours ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        error(401, "missing_api_key"),
        error(403, "invalid_api_key", "API key is invalid"),
        error(403, "validation_error", "The paper.example domain is not verified."),
        error(400, "validation_error", "API key is invalid"),
        error(422, "invalid_from_address", "Invalid `from` field."),
        error(429, "daily_quota_exceeded"),
        error(429, "monthly_quota_exceeded"),
        error(451, "security_error"),
        error(404, "not_found"),
        Reply(302, "", {"location": "https://elsewhere.example"}),
    ],
    ids=lambda reply: f"{reply.status}-{reply.body['name'] if reply.body else ''}",
)
async def test_a_fault_of_ours_halts(resend_server: ResendServer, reply: Reply) -> None:
    """Key, quota, sender: the same for everybody, so nothing more is sent and nobody's address is blamed."""
    resend_server.always = reply
    stream = await drained(resend_server, Stream(mails(300)))
    assert set(stream.kinds.values()) == {"Halt"}
    assert len(resend_server.batches()) == 1
    assert all(isinstance(receipt, Halt) and KEY not in receipt.why for receipt in stream.receipts.values())


async def test_one_key_with_two_contents_is_our_bug(resend_server: ResendServer) -> None:
    """invalid_idempotent_request: the message was refused for a fault of ours."""
    resend_server.always = error(409, "invalid_idempotent_request")
    rejected = (await drained(resend_server, Stream(mails(1)))).only()
    assert isinstance(rejected, Rejected)
    assert rejected.fault is Fault.OURS


# --- Outcomes that are not known --------------------------------------------------------------------

LOST = [
    error(500, "application_error"),
    error(503, "internal_server_error"),
    Reply(502, "<html>Bad gateway</html>"),
    Reply(200, "<html>Welcome to the hotel</html>"),
    Reply(200, {"object": "list"}),
    Reply(200, ["x"]),
    error(409, "concurrent_idempotent_requests"),
    Drop(after=True),
]


@pytest.mark.parametrize("fault", LOST, ids=str)
async def test_a_lost_answer_is_asked_for_again_under_the_same_key(resend_server: ResendServer, fault: Reply) -> None:
    """The server carries the call out once, and gives the answer of that once."""
    resend_server.script += [fault, fault, None]
    (await drained(resend_server, Stream(mails(5)))).assert_all_accepted(5)
    assert len(resend_server.recipients()) == 5
    calls = resend_server.batches()
    assert len(calls) == 3
    assert len({(call.body, call.headers["idempotency-key"]) for call in calls}) == 1


@pytest.mark.parametrize("fault", LOST, ids=str)
async def test_answers_that_stay_lost_are_unknown_and_end_the_drain(resend_server: ResendServer, fault: Reply) -> None:
    """One batch only: the next message says that the provider rests."""
    resend_server.always = fault
    stream = await drained(resend_server, Stream(mails(300)))
    assert list(stream.kinds.values()) == ["Unknown"] * 100 + ["Deferred"]
    last = stream.receipts[101]
    assert isinstance(last, Deferred)
    assert last.scope is Scope.PROVIDER
    assert len(resend_server.batches()) == len(QUICK) + 1


async def test_no_answer_in_time_is_asked_for_again(
    resend_server: ResendServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A time-out after the body was sent proves nothing."""
    monkeypatch.setattr(api, "READ", 0.1)
    resend_server.script += [Hang(), None]
    (await drained(resend_server, Stream(mails(3)))).assert_all_accepted(3)
    assert len(resend_server.recipients()) == 3


async def test_a_refusal_after_a_lost_answer_is_still_unknown(resend_server: ResendServer) -> None:
    """The first try may have been carried out before the key was revoked."""
    resend_server.script += [Drop(after=True)]
    resend_server.always = error(403, "invalid_api_key")
    stream = await drained(resend_server, Stream(mails(2)))
    assert set(stream.kinds.values()) == {"Unknown"}


@pytest.mark.parametrize("ids", [0, 1, 4])
async def test_a_wrong_number_of_ids_is_unknown(resend_server: ResendServer, ids: int) -> None:
    """Nobody can say whose id is missing."""
    resend_server.always = Reply(200, {"data": [{"id": f"id-{number}"} for number in range(ids)]})
    stream = await drained(resend_server, Stream(mails(3)))
    assert set(stream.kinds.values()) == {"Unknown"}


@pytest.mark.parametrize("data", [[{}], [None], [{"id": None}], [{"id": 5}]])
async def test_an_answer_without_a_name_is_still_an_answer(resend_server: ResendServer, data: list[object]) -> None:
    """One entry for one message: accepted."""
    resend_server.always = Reply(200, {"data": data})
    assert isinstance((await drained(resend_server, Stream(mails(1)))).only(), Accepted)


# --- The server cannot be reached -------------------------------------------------------------------


async def test_no_connection_defers_the_stream() -> None:
    """Nothing was written, so nothing is in doubt; the second hundred is not taken."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    sender = ResendProvider("resend", f"http://127.0.0.1:{port}", KEY, QUICK)
    stream = Stream(mails(300))
    await sender.drain(stream)
    later = stream.receipts[1]
    assert isinstance(later, Deferred)
    assert later.scope is Scope.PROVIDER
    assert set(stream.kinds.values()) == {"Deferred"}
    assert len(stream.waiting) == 199
    with pytest.raises(ConfigurationError, match="cannot be reached"):
        await sender.check()
    await sender.close()


# --- Cancelling -------------------------------------------------------------------------------------


async def cancelled_once_asked(server: ResendServer, stream: Stream) -> None:
    sender = provider(server)
    task = asyncio.create_task(sender.drain(stream))
    await server.asked.wait()
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await sender.close()
    assert not stream.out


async def test_cancelled_after_the_body_was_written_is_unknown(resend_server: ResendServer) -> None:
    """The whole batch may have been carried out."""
    resend_server.script.append(Hang())
    stream = Stream(mails(150))
    await cancelled_once_asked(resend_server, stream)
    assert list(stream.kinds.values()) == ["Unknown"] * 100


async def test_cancelled_while_waiting_for_the_rate_limit_is_not_sent(resend_server: ResendServer) -> None:
    """429 said that nothing was taken."""
    resend_server.always = error(429, "rate_limit_exceeded", retry_after="20")
    stream = Stream(mails(150))
    await cancelled_once_asked(resend_server, stream)
    assert list(stream.kinds.values()) == ["NotSent"] * 100


# --- Checks -----------------------------------------------------------------------------------------


async def test_check_asks_for_the_domains(resend_server: ResendServer) -> None:
    """With the key in the header, and nothing sent."""
    sender = provider(resend_server)
    await sender.check()
    await sender.close()
    (asked,) = resend_server.requests
    assert (asked.method, asked.path) == ("GET", "/domains")


async def test_check_accepts_a_key_that_may_only_send(
    resend_server: ResendServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a key may not list domains, and is the right one to use."""
    monkeypatch.setattr(resend_server, "_answer", lambda request: error(401, "restricted_api_key"))
    sender = provider(resend_server)
    await sender.check()
    await sender.close()


async def test_check_refuses_a_wrong_key_without_printing_it(resend_server: ResendServer) -> None:
    """The sentence is for a terminal."""
    sender = provider(resend_server, "re_wrong")
    with pytest.raises(ConfigurationError, match="does not accept the API key") as refused:
        await sender.check()
    await sender.close()
    assert "re_wrong" not in str(refused.value)


@pytest.mark.parametrize("reply", [Reply(500, {}), Reply(404, {}), Reply(200, "<html>")], ids=str)
async def test_check_refuses_what_is_not_resend(
    resend_server: ResendServer, monkeypatch: pytest.MonkeyPatch, reply: Reply
) -> None:
    """A wrong host answers something else."""

    def answer(_: Request) -> Reply:
        return reply

    monkeypatch.setattr(resend_server, "_answer", answer)
    sender = provider(resend_server)
    with pytest.raises(ConfigurationError, match="not expected"):
        await sender.check()
    await sender.close()


def test_retries_end_well_inside_the_lifetime_of_a_key() -> None:
    """24 hours at Resend; minutes here."""
    lifetime = ResendProvider.capabilities.idempotency
    assert lifetime
    assert timedelta(seconds=sum(resend.BACKOFF) + len(resend.BACKOFF) * api.READ) < lifetime / 10
