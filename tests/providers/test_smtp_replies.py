"""SMTP replies as receipts: what a server says, and what is done about it."""

import pytest

from app.core.mail.receipt import Accepted, Deferred, Fault, Halt, Receipt, Rejected, Scope
from app.providers.smtp_replies import BASIC, ENHANCED, LISTED_FOR, TEXTS, Stage, accepted_id, enhanced_code, receipt

MAIL, RCPT, DATA, DOT = Stage.MAIL, Stage.RCPT, Stage.DATA, Stage.DOT


def kind(made: Receipt) -> str:
    """`address`, `message`, `ours`, `halt`, `later`, `domain`, `provider` (later, for all) or `accepted`."""
    match made:
        case Rejected(fault=fault):
            return fault.value
        case Deferred(scope=scope):
            return "later" if scope is Scope.MESSAGE else scope.value
        case _:
            return type(made).__name__.lower()


@pytest.mark.parametrize(
    ("stage", "code", "text", "expected"),
    [
        (DOT, 250, "2.0.0 Ok: queued as 4F1", "accepted"),
        # Not now.
        (RCPT, 450, "4.2.0 <a@b.example>: Recipient address rejected: Greylisted", "later"),
        (RCPT, 451, "4.7.1 Greylisting in action, please come back later", "later"),
        (RCPT, 452, "4.2.2 Mailbox full", "later"),
        (RCPT, 450, "4.1.1 User unknown for now", "later"),
        (DOT, 451, "4.3.0 Local error", "later"),
        (MAIL, 421, "4.3.2 Service shutting down", "later"),
        (MAIL, 452, "4.3.1 Insufficient system storage", "later"),
        (RCPT, 552, "Too many recipients", "later"),
        (RCPT, 454, "4.7.24 SPF could not be looked up", "later"),
        # The address.
        (RCPT, 550, "5.1.1 <a@b.example>: Recipient address rejected: User unknown", "address"),
        (RCPT, 550, "5.1.2 Bad destination system address", "address"),
        (RCPT, 501, "5.1.3 Bad recipient address syntax", "address"),
        (RCPT, 550, "5.1.6 Mailbox has moved", "address"),
        (RCPT, 556, "5.1.10 Recipient address has null MX", "address"),
        (RCPT, 550, "5.2.1 The email account is inactive", "address"),
        (RCPT, 552, "5.2.2 The mailbox is over quota", "address"),
        (RCPT, 550, "5.4.4 Unable to route", "address"),
        (RCPT, 550, "5.7.17 Mailbox owner has changed", "address"),
        (RCPT, 550, "No such user here", "address"),
        (RCPT, 550, "5.7.1 No such user!", "address"),
        (RCPT, 550, "5.4.1 [a@b.example]: Recipient address rejected: RecipientNotFound", "address"),
        (RCPT, 550, "Requested action not taken: mailbox unavailable", "address"),
        (DOT, 554, "delivery error: dd This user doesn't have a mail.example account", "address"),
        (RCPT, 551, "User not local", "address"),
        (RCPT, 553, "Mailbox name not allowed", "address"),
        (RCPT, 552, "Mailbox full", "address"),
        # The message.
        (MAIL, 552, "5.3.4 Message size exceeds fixed limit", "message"),
        (DOT, 552, "5.2.3 Message length exceeds administrative limit", "message"),
        (DOT, 554, "5.6.0 Message content rejected", "message"),
        (DOT, 552, "exceeded storage allocation", "message"),
        (DOT, 554, "5.7.1 This looks like spam", "message"),
        (RCPT, 550, "5.7.1 Delivery not authorized", "message"),
        (DOT, 554, "5.7.9 Message not accepted for policy reasons", "message"),
        (RCPT, 550, "Rejected", "message"),
        (RCPT, 550, "5.1.0 <post@paper.example> sender rejected", "message"),
        (DATA, 554, "5.5.1 Error: no valid recipients", "ours"),
        # Our commands.
        (RCPT, 503, "5.5.1 Error: need MAIL command", "ours"),
        (RCPT, 500, "Command unrecognized", "ours"),
        # Our authentication, our sender, our relay: nobody would be reached.
        (DOT, 550, "5.7.26 This mail has been blocked because the sender is unauthenticated", "halt"),
        (DOT, 550, "5.7.515 Access denied, sending domain does not meet the required level", "halt"),
        (DOT, 421, "4.7.30 Your email has been rate limited: DKIM", "halt"),
        (DOT, 421, "4.7.31 TLS", "halt"),
        (DOT, 421, "4.7.32 From header not aligned", "halt"),
        (DOT, 421, "4.7.27 SPF did not pass", "halt"),
        (DOT, 550, "5.7.25 The sending IP has no PTR record", "halt"),
        (DOT, 550, "5.7.23 SPF validation failed", "halt"),
        (MAIL, 530, "5.7.0 Authentication required", "halt"),
        (MAIL, 530, "5.7.0 Must issue a STARTTLS command first", "halt"),
        (MAIL, 535, "5.7.8 Authentication credentials invalid", "halt"),
        (RCPT, 554, "5.7.1 <a@b.example>: Relay access denied", "halt"),
        (RCPT, 550, "5.7.54 SMTP; Unable to relay recipient in non-accepted domain", "halt"),
        (RCPT, 550, "5.1.8 <post@paper.example>: Sender address rejected: Domain not found", "halt"),
        (RCPT, 553, "5.7.1 <post@paper.example>: Sender address rejected: not owned by user news", "halt"),
        (RCPT, 553, "5.1.8 Domain of sender address post@paper.example does not exist", "halt"),
        (MAIL, 550, "5.1.0 Sender unknown", "halt"),
        (MAIL, 550, "Go away", "halt"),
        # A list of bad senders: the same for everybody, for hours.
        (RCPT, 554, "5.7.1 Service unavailable; Client host blocked using zen.spamhaus.org", "provider"),
        # One mailbox provider wants us to slow down.
        (DOT, 421, "4.7.0 [TSS04] Messages temporarily deferred", "domain"),
        (MAIL, 421, "4.7.0 [TS01] Messages from 192.0.2.1 temporarily deferred due to user complaints", "domain"),
        (RCPT, 553, "5.7.1 [BL21] Connections will not be accepted from 192.0.2.1", "domain"),
        (DOT, 421, "4.7.28 Our system has detected an unusual rate of mail", "domain"),
        (DOT, 421, "4.7.28 Gmail has detected this message exceeded a limit", "domain"),
        (DOT, 421, "4.7.0 [192.0.2.1 15] Our system has detected an unusual rate of unsolicited mail", "domain"),
        (DOT, 550, "5.7.28 An unusual rate of mail", "domain"),
        (DOT, 451, "4.7.500 Server busy. Please try again later from [192.0.2.1]. (S77719)", "domain"),
        (RCPT, 451, "4.7.650 The mail server [192.0.2.1] has been temporarily rate limited", "domain"),
        (MAIL, 421, "RP-001 Unfortunately, some messages from 192.0.2.1 weren't sent", "domain"),
        (RCPT, 421, "4.1.0 192.0.2.1 Throttled RL000001", "domain"),
        (RCPT, 450, "4.7.0 Mail rate limit exceeded", "domain"),
        (RCPT, 450, "4.2.1 The user is receiving mail at a rate that prevents additional messages", "later"),
        (RCPT, 454, "4.7.1 Throttling failure: maximum sending rate exceeded", "later"),
        # No sense at all.
        (MAIL, 354, "go ahead", "later"),
        (DATA, 250, "Ok", "later"),
        (RCPT, 199, "", "later"),
    ],
)  # fmt: skip
def test_a_reply_becomes_a_receipt(stage: Stage, code: int, text: str, expected: str) -> None:
    """The table of the module, row by row, as servers word it."""
    assert kind(receipt(stage, code, text)) == expected


@pytest.mark.parametrize("stage", list(Stage))
def test_every_code_has_a_receipt_at_every_stage(stage: Stage) -> None:
    """A temporary reply never condemns an address; a permanent one is never just tried again."""
    for code in range(400, 500):
        assert isinstance(receipt(stage, code, ""), Deferred | Halt), code
    for code in range(500, 600):
        made = receipt(stage, code, "")
        assert isinstance(made, Rejected | Halt), code
        assert not (stage is MAIL and isinstance(made, Rejected) and made.fault is Fault.ADDRESS), code


def test_every_row_names_its_source() -> None:
    """Nobody can judge a rule without knowing who made it."""
    assert all(len(row.source) > 10 for row in (*TEXTS, *ENHANCED, *BASIC))


def test_the_code_is_the_enhanced_one_where_there_is_one() -> None:
    """The ledger keeps codes, not sentences."""
    assert receipt(RCPT, 550, "5.1.1 no").code == "5.1.1"  # type: ignore[union-attr]  # a Rejected
    assert receipt(RCPT, 550, "no such user").code == "550"  # type: ignore[union-attr]  # a Rejected
    assert receipt(RCPT, 554, "x listed at spamhaus").after == LISTED_FOR  # type: ignore[union-attr]  # a Deferred


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (550, "5.7.515 Access denied", "5.7.515"),
        (550, "#5.1.0 Address rejected", "5.1.0"),
        (450, "4.2.1\n4.2.1 second line", "4.2.1"),
        (550, "4.7.1 of the wrong class", ""),
        (550, "host 5.1.2.3 said no", ""),
        (550, "no code", ""),
    ],
)
def test_the_enhanced_code_is_found(code: int, text: str, expected: str) -> None:
    """RFC 2034: it is of the reply's own class; an IP address is not one."""
    assert enhanced_code(code, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2.0.0 Ok: queued as 4F1B22", "4F1B22"),
        ("OK id=1rTgHx-0001Ab-2C", "1rTgHx-0001Ab-2C"),
        ("2.0.0 OK  1700000000 d9443c01a7336-20a.12 - gsmtp", "1700000000 d9443c01a7336-20a.12"),
        ("2.0.0 3ABC12de004567 Message accepted for delivery", "3ABC12de004567"),
        ("Ok 0100018b2f6e4c1a-5c0e-000000", "0100018b2f6e4c1a-5c0e-000000"),
        ("OK", ""),
        ("", ""),
    ],
)
def test_the_server_s_own_id_is_kept(text: str, expected: str) -> None:
    """It is the only name by which a postmaster finds the mail."""
    assert accepted_id(text) == expected
    assert receipt(DOT, 250, text) == Accepted(expected)


def test_what_is_kept_of_a_reply_is_one_short_line_without_addresses() -> None:
    """The reason goes into the ledger and the logs, and must not outlive the reader there."""
    made = receipt(RCPT, 550, "5.1.1 <jane.doe@inbox.example>:\n  unknown\x07 user " + "x" * 5_000)
    assert isinstance(made, Rejected)
    assert "jane" not in made.why
    assert "\n" not in made.why
    assert made.why.isprintable()
    assert len(made.why) <= 300
