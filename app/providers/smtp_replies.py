"""What an SMTP reply means: a pure table, from (stage, code, text) to a receipt.

Texts of servers known for them come first, then enhanced codes (RFC 3463, the IANA registry), then basic codes
(RFC 5321 section 4.2.3), then the stage. Only what is certain about an address is called a fault of the address,
and only what is certainly ours halts the stream: a `Halt` stops the paper for everybody, unless it is between us and
this server alone (`ACCOUNT`) and there is another provider.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from app.core.log import mask
from app.core.mail.receipt import Accepted, Deferred, Fault, Halt, Receipt, Rejected, Scope
from app.core.text import cleaned


class Stage(StrEnum):
    """Where in a mail transaction (RFC 5321 section 3.3) a reply was given."""

    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    DOT = "the final dot"


class Verdict(StrEnum):
    """The kinds of receipt that a row can lead to."""

    ADDRESS = "address"
    MESSAGE = "message"
    OURS = "ours"
    ACCOUNT = "account"
    HALT = "halt"
    LATER = "later"
    LISTED = "listed"
    SLOWER = "slower"
    SHUNNED = "shunned"


@dataclass(frozen=True, slots=True)
class Row:
    """One rule. `codes` is a pattern for all of "subject.detail" or of the basic code; `classes` are 4, 5 or both."""

    codes: str
    verdict: Verdict
    source: str
    classes: str = "5"
    stages: tuple[Stage, ...] = tuple(Stage)


_TO = (Stage.RCPT, Stage.DATA, Stage.DOT)

# A server that lists us answers everybody the same for hours (Yahoo, Spamhaus users): trying on makes it worse.
LISTED_FOR = timedelta(hours=2)

TEXTS: tuple[Row, ...] = (
    Row(
        r"\brelay(ing)?( access| is| not)* (denied|permitted|allowed)|\bunable to relay",
        Verdict.ACCOUNT,
        "Postfix, Exchange: the server relays only for those it knows, and does not know us",
    ),
    Row(
        r"\bsender address rejected|\bnot owned by user|\bnot allowed to send (as|from)|\bsendasdenied",
        Verdict.HALT,
        "Postfix reject_unlisted_sender, reject_sender_login_mismatch; Exchange SendAsDenied; SPF in words",
    ),
    Row(
        r"\b(spamhaus|uribl|surbl|spamcop|barracudacentral)\b",
        Verdict.LISTED,
        "Block lists are about the sender's reputation, whoever the reader is",
        classes="45",
    ),
    Row(
        r"\[(tss?\d\d|ipts\d\d|bl\d*)\]",
        Verdict.SHUNNED,
        "senders.yahooinc.com/smtp-error-codes: [TS..] and [IPTS..] end by themselves, in hours",
        classes="45",
    ),
    Row(
        r"\bunusual rate of (unsolicited )?(e-?mail|mail)",
        Verdict.SLOWER,
        "Gmail's 421 4.7.0 and 4.7.28, and the 550 5.7.1 of the same words (support.google.com/a/answer/3726730)",
        classes="45",
    ),
    Row(
        r"\bRP-00[1-3]\b|\bserver busy\. please try again later from|\btemporarily rate limited due to ip reputation",
        Verdict.SLOWER,
        "Outlook.com and Microsoft 365 (sendersupport.olc.protection.outlook.com/pm, 451 4.7.500 to 4.7.699)",
        classes="4",
    ),
    Row(
        r"^(?!.*\b[45]\.7\.(2[5-7]|3[0-2])\b).*("
        r"\bRL00000\d|\b(temporarily |been |is )rate.?limited\b|\brate limit (reached|exceeded)\b|\bslow(ing)? down\b"
        r"|\bsending (\S+ )?too fast\b)",
        Verdict.SLOWER,
        "Comcast's RL codes (spa.xfinity.com), Orange, GMX, Apple, in words, where the reply is to a recipient",
        classes="4",
        stages=_TO,
    ),
    Row(
        r"\btoo many (recipients|messages|emails|connections)",
        Verdict.LATER,
        "RFC 5321 section 4.5.3.1.10: a 552 of this sense is temporary",
        classes="45",
    ),
    Row(
        r"\bmessage (size|too large|too big|exceeds)|\bsize (limit|exceeds)",
        Verdict.MESSAGE,
        "RFC 1870 section 6.1; sizes are also refused with a bare 552",
    ),
    Row(
        r"\bover ?quota|\bquota exceeded|\bexceeded .{0,20}quota|\bmailbox (is |was )?full|\binsufficient storage",
        Verdict.ADDRESS,
        "RFC 3463 x.2.2 without its code",
        stages=_TO,
    ),
    Row(
        r"\bsender (rejected|denied|blocked|refused)",
        Verdict.MESSAGE,
        "Cloudmark and others: one server does not want our sender; neither the address nor all mail is at fault",
        stages=_TO,
    ),
    Row(
        r"^(?!.*\bsender\b).*("
        r"\b(user|recipient|mailbox|account)( \S+| address)?( is| was)? (unknown|not found|disabled|inactive)"
        r"|\b(user|recipient|mailbox|account|address)( \S+| that you tried to reach)? (does ?no?t|doesn.t) exist"
        r"|\bno such (user|recipient|mailbox|person)|\b(unknown|invalid) (user|recipient|mailbox)\b|\bhost unknown"
        r"|\bunknown in (local|virtual|relay) recipient table|\brecipientnotfound"
        r"|\bthis user doesn.t have an? \S+ account|\brequested action not taken: mailbox unavailable)",
        Verdict.ADDRESS,
        "Postfix, Exim, Sendmail, Exchange, Gmail, Yahoo, Outlook.com: an unknown user under 550, 554 or 5.7.1",
        stages=_TO,
    ),
)

ENHANCED: tuple[Row, ...] = (
    Row(r"1\.[78]", Verdict.HALT, "RFC 3463 section 3.2: the sender's address is bad"),
    Row(r"1\..*", Verdict.HALT, "at MAIL an address can only be the sender's", stages=(Stage.MAIL,)),
    Row(r"1\.([012346]|10)", Verdict.ADDRESS, "RFC 3463 section 3.2; 10: null MX, RFC 7505", stages=_TO),
    Row(r"2\.[124]", Verdict.ADDRESS, "RFC 3463 section 3.3: disabled, full, list; soft or hard is told by the code"),
    Row(r"2\.3|3\.4|6\..*", Verdict.MESSAGE, "RFC 3463 sections 3.3, 3.4, 3.7: too large, or its content"),
    Row(r"3\.1", Verdict.LATER, "RFC 3463 section 3.4: the mail system is full, not the reader's mailbox"),
    Row(r"4\.4", Verdict.ADDRESS, "RFC 3463 section 3.5: no route to the domain", stages=_TO),
    Row(r"4\..*", Verdict.LATER, "RFC 3463 section 3.5: the network's trouble"),
    Row(r"5\..*", Verdict.OURS, "RFC 3463 section 3.6: our commands are wrong"),
    Row(r"7\.(26|27|30|31|32|515)", Verdict.HALT, "Gmail and Microsoft sender rules: our authentication", classes="45"),
    Row(r"7\.2[0-5]", Verdict.HALT, "RFC 7372: DKIM, SPF, reverse DNS"),
    Row(
        r"7\.(8|9|11|12)",
        Verdict.ACCOUNT,
        "RFC 4954 section 6: authentication; elsewhere than at MAIL Yahoo means its policy by 5.7.9",
        classes="45",
        stages=(Stage.MAIL,),
    ),
    Row(r"7\.1[378]", Verdict.ADDRESS, "RFC 5248: account disabled; RFC 7293: new owner", stages=_TO),
    Row(r"7\.28", Verdict.SLOWER, "Gmail: an unusual rate of mail", classes="45"),
    Row(r"7\.[56]\d\d", Verdict.SLOWER, "Exchange Online 4.7.500 to 4.7.699: our address is throttled", classes="4"),
    Row(r"7\.(?!0$).*", Verdict.MESSAGE, "RFC 3463 section 3.8: a policy; says nothing of the address", stages=_TO),
)

BASIC: tuple[Row, ...] = (
    Row(r"53[0458]", Verdict.ACCOUNT, "RFC 4954 section 6: authentication; RFC 3207 section 4: STARTTLS first"),
    Row(r"432", Verdict.ACCOUNT, "RFC 4954 section 6: a password transition is needed", classes="4"),
    Row(r"50[0-4]|555", Verdict.OURS, "RFC 5321 section 4.2.3: our commands are wrong"),
    Row(r"552", Verdict.MESSAGE, "RFC 1870 section 6.1: at MAIL and at the end it is the size",
        stages=(Stage.MAIL, Stage.DATA, Stage.DOT)),
    Row(r"55[123]|556", Verdict.ADDRESS, "RFC 5321 section 4.2.3, RFC 7504 section 4", stages=(Stage.RCPT,)),
    Row(r"5..", Verdict.ACCOUNT, "MAIL says the same for every reader", stages=(Stage.MAIL,)),
    Row(r"5..", Verdict.MESSAGE, "refused for good, and nothing certain about the address"),
)  # fmt: skip

_CODE = re.compile(r"(?<![\d.])([245])\.(\d{1,3}\.\d{1,3})(?![\d.]*\d)")
_ID = re.compile(
    r"queued as <?([\w.@:+/=-]+)"  # Postfix, Mailpit
    r"|\bid=([\w.@-]+)"  # Exim
    r"|^(?:2\.0\.0 )?OK +(\d+ [\w.-]+)(?= - gsmtp)"  # Gmail
    r"|^(?:2\.0\.0 )?([\w.-]+) message accepted for delivery"  # Sendmail
    r"|^OK ([\w-]{16,})$",  # Amazon SES
    re.IGNORECASE,
)


def receipt(stage: Stage, code: int, text: str) -> Receipt:
    """What the reply `code` `text` (lines joined by LF) says about the message it was given for."""
    if stage is Stage.DOT and 200 <= code < 300:
        return Accepted(accepted_id(text))
    if not 400 <= code < 600:
        return Deferred(f"an answer to {stage} that makes no sense: {said(code, text)}", code=str(code))
    enhanced = enhanced_code(code, text)
    row = _rule(stage, code, enhanced, _one_line(text))
    verdict = row.verdict if row else Verdict.LATER
    return _made(verdict, said(code, text), enhanced or str(code))


def enhanced_code(code: int, text: str) -> str:
    """The enhanced status code in `text`, if it has one of the class of `code` (RFC 2034 section 4)."""
    for match in _CODE.finditer(text):
        if match[1] == str(code)[0]:
            return f"{match[1]}.{match[2]}"
    return ""


def accepted_id(text: str) -> str:
    """The server's own name for the mail, where its reply gives one in a known form."""
    match = _ID.search(_one_line(text))
    return next((group for group in match.groups() if group), "")[:200] if match else ""


def said(code: int, text: str) -> str:
    """A reply on one line, short, with addresses masked: it goes into the ledger and the logs."""
    return mask(f"{code} {_one_line(text)}".strip())[:300]


def _one_line(text: str) -> str:
    return " ".join(cleaned(text[:1000], instead=" ").split())


def _rule(stage: Stage, code: int, enhanced: str, text: str) -> Row | None:
    kind = str(code)[0]
    for rows, value in ((TEXTS, text), (ENHANCED, enhanced[2:]), (BASIC, str(code))):
        for row in rows:
            if kind not in row.classes or stage not in row.stages or not value:
                continue
            if re.search(row.codes, value, re.IGNORECASE) if rows is TEXTS else re.fullmatch(row.codes, value):
                return row
    return None


_REJECTED = {Verdict.ADDRESS: Fault.ADDRESS, Verdict.MESSAGE: Fault.MESSAGE, Verdict.OURS: Fault.OURS}
_DEFERRED = {
    Verdict.LISTED: (LISTED_FOR, Scope.PROVIDER),
    Verdict.SHUNNED: (LISTED_FOR, Scope.DOMAIN),
    Verdict.SLOWER: (None, Scope.DOMAIN),
    Verdict.LATER: (None, Scope.MESSAGE),
}


def _made(verdict: Verdict, why: str, code: str) -> Receipt:
    if verdict in _REJECTED:
        return Rejected(why, _REJECTED[verdict], code)
    if verdict in _DEFERRED:
        return Deferred(why, *_DEFERRED[verdict], code)
    account = verdict is Verdict.ACCOUNT
    return Halt(f"the mail server refuses us, whoever the reader is: {why}", code, account)
