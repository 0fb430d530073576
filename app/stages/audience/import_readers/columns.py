"""Which column of an export means what, by its name. Pure.

The shapes are those of the exports as their products write them; docs/moving.md says where each was seen. What the
cells say is looked at by `survey`, which has the last word.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from app.core.errors import InvalidInput
from app.stages.audience.own_columns import COLUMNS as OWN_COLUMNS


class Product(StrEnum):
    """Where a file comes from. `csv` is any other table with a column of addresses."""

    MORNING_POST = "morningpost"
    MAILCHIMP = "mailchimp"
    SUBSTACK = "substack"
    GHOST = "ghost"
    BUTTONDOWN = "buttondown"
    KIT = "kit"
    BEEHIIV = "beehiiv"
    LISTMONK = "listmonk"
    KEILA = "keila"
    HUBSPOT = "hubspot"
    SALESFORCE = "salesforce"
    BREVO = "brevo"
    CSV = "csv"


class Meaning(StrEnum):
    """What a column can say about a reader."""

    ADDRESS = "address"
    FIRST_NAME = "first_name"
    NAME = "name"
    """The whole name; its first word is taken where there is no first name."""
    ZONE = "zone"
    CREATED = "created"
    CONFIRMED = "confirmed"
    """A date, or true and false."""
    STATUS = "status"
    """A word: subscribed, unsubscribed, bounced."""
    LEFT = "left"
    """A date, or true and false: whoever has the date or a true left."""
    REFUSES = "refuses"
    """As `left`."""
    LEFT_REASON = "left_reason"
    """A text: whoever has one left."""
    BOUNCED = "bounced"
    """As `left`: whoever could not be reached."""
    BOUNCED_REASON = "bounced_reason"
    COMPLAINED = "complained"
    """As `left`: whoever complained, or was blocked."""
    WANTS = "wants"
    """True and false: whoever has a false left."""
    # Of our own export only, unless `--map` says so.
    DELIVER_AT = "deliver_at"
    SECTIONS = "sections"
    FREQUENCY = "frequency"
    FORM = "form"
    LANGUAGE = "language"
    PAUSED_UNTIL = "paused_until"
    SOURCE = "source"
    CONSENTS = "consents"
    REF = "ref"
    """The name of a reader in links."""
    IGNORED = "ignored"
    """Nothing: said of a column by whoever knows that it has nothing to do with reading."""


SEVERAL = frozenset(
    {Meaning.STATUS, Meaning.LEFT, Meaning.REFUSES, Meaning.LEFT_REASON, Meaning.BOUNCED, Meaning.BOUNCED_REASON,
     Meaning.COMPLAINED, Meaning.WANTS, Meaning.IGNORED}
)  # fmt: skip
"""What several columns of one file may say, each for itself."""
GOING = SEVERAL - {Meaning.IGNORED}
"""Meanings that may keep somebody out."""
_OWN = {one.name: Meaning(one.meaning) for one in OWN_COLUMNS}

# How each product is known: all of these columns are there. The first that fits wins.
_MARKS: tuple[tuple[Product, frozenset[str]], ...] = (
    (Product.MORNING_POST, frozenset({"address", "status", "deliverat", "sections"})),
    (Product.MORNING_POST, frozenset({"address", "status", "pauseduntil", "frequency"})),
    (Product.MAILCHIMP, frozenset({"leid", "euid"})),
    (Product.MAILCHIMP, frozenset({"emailaddress", "memberrating"})),
    (Product.SUBSTACK, frozenset({"email", "activesubscription"})),
    (Product.GHOST, frozenset({"email", "subscribedtoemails"})),
    (Product.LISTMONK, frozenset({"uuid", "email", "attributes", "status"})),
    (Product.KEILA, frozenset({"email", "firstname", "lastname", "data"})),
    (Product.BUTTONDOWN, frozenset({"subscriptiondate", "email", "status"})),
    (Product.BUTTONDOWN, frozenset({"emailaddress", "creationdate"})),
    (Product.BUTTONDOWN, frozenset({"email", "creationdate"})),
    (Product.BEEHIIV, frozenset({"email", "subscriptiontier"})),
    (Product.BEEHIIV, frozenset({"email", "status", "tier"})),
    (Product.KIT, frozenset({"firstname", "email", "createdat", "status"})),
    (Product.HUBSPOT, frozenset({"recordid", "email"})),
    (Product.SALESFORCE, frozenset({"email", "hasoptedoutofemail"})),
    (Product.SALESFORCE, frozenset({"email", "emailoptout"})),
    (Product.BREVO, frozenset({"contactid", "email"})),
)

_NAMES: Mapping[Meaning, tuple[str, ...]] = {
    Meaning.ADDRESS: (
        "emailaddress", "email", "subscriberemail", "contactemail", "useremail", "primaryemail", "email1",
        "emailaddress1", "email1value", "emailadresse", "adresseemail", "adressemail", "mailadresse", "mailaddress",
        "correoelectronico", "correo", "mail", "subscriber", "address",
    ),
    Meaning.FIRST_NAME: ("firstname", "givenname", "fname", "vorname", "prénom", "nombre"),
    Meaning.NAME: ("name", "fullname"),
    Meaning.STATUS: (
        "status", "state", "type", "subscribertype", "subscriptionstatus", "subscriberstatus", "emailstatus",
        "memberstatus", "contactstatus", "liststatus", "globalstatus", "emailmarketingstatus", "marketingstatus",
        "emailsubscriberstatus", "emailsubscriptionstatus", "emailmarketingconsent", "marketingcontactstatus",
        "emailpermissionstatus", "optinstatus", "optoutstatus", "newsletterstatus",
    ),
    Meaning.CREATED: (
        "optintime", "createdat", "createdate", "creationdate", "createddate", "datecreated", "subscriptiondate",
        "created", "subscribedat", "subscribedon", "subscribeddate", "datesubscribed", "signup", "signupdate",
        "signedupat", "joined", "joinedat", "dateadded", "addedat", "addedtime", "optindate", "anmeldedatum",
    ),
    Meaning.CONFIRMED: (
        "confirmtime", "confirmedat", "confirmed", "confirmationdate", "confirmedon", "isconfirmed", "optinconfirmed",
        "emailconfirmed", "emailverified", "verified", "isverified", "verifiedat", "confirmationtime", "bestätigt",
    ),
    Meaning.ZONE: ("timezone", "zone"),
    Meaning.LEFT: (
        "unsubtime", "unsubscribedat", "unsubscriptiondate", "deletedat", "leftat", "unsubscribedate",
        "unsubscribeddate", "unsubscribedon", "dateunsubscribed", "unsubscribetime", "optoutdate", "optouttime",
        "confirmedoptoutdate", "cancelledat", "canceledat", "removedat", "archivedat", "abmeldedatum", "unsubscribed",
        "unsubscribe", "isunsubscribed", "globalunsubscribe", "globallyunsubscribed", "unsubscribedfromallemail",
        "hasunsubscribed", "optout", "optedout", "isoptedout", "hasoptedout", "emailoptout", "optoutemail",
        "emailoptedout", "hasoptedoutofemail", "optedoutofemail", "donotemail", "donotmail", "donotcontact",
        "donotsend", "donotbulkemail", "donotsendmm", "noemail", "nomail", "deleted", "isdeleted", "removed",
        "disabled", "isdisabled", "archived", "isarchived", "inactive", "isinactive", "cancelled", "canceled", "left",
        "banned", "abgemeldet", "gekündigt", "désabonné", "désinscrit",
    ),
    Meaning.REFUSES: ("emaildisabled",),
    Meaning.LEFT_REASON: ("unsubreason", "unsubscribereason", "unsubscriptionreason", "optoutreason"),
    Meaning.BOUNCED: (
        "cleantime", "undeliverabilitydate", "bounced", "isbounced", "bounce", "hardbounce", "hardbounced",
        "softbounced", "bouncedat", "bouncedate", "emailbounced", "isemailbounced", "emailbounceddate",
        "invalidemail", "invalidemailaddress", "emailinvalid", "undeliverable", "cleaned",
    ),
    Meaning.BOUNCED_REASON: (
        "emailbouncedreason", "bouncereason", "emailhardbouncereason", "hardbouncereason", "undeliverabilityreason",
    ),
    Meaning.COMPLAINED: (
        "complained", "complaint", "complaints", "complainedat", "spam", "spamcomplaint", "markedasspam",
        "reportedspam", "blacklisted", "isblacklisted", "blacklist", "emailblacklisted", "blocklisted",
        "isblocklisted", "blocklist", "emailblocklisted", "emailblocklist", "emailblacklist", "blocked", "isblocked",
        "suppressed", "issuppressed", "emailsuppressed", "emailaddressquarantined", "emailquarantined", "gesperrt",
    ),
    Meaning.WANTS: (
        "subscribedtoemails", "subscribed", "issubscribed", "active", "isactive", "enabled", "isenabled", "optin",
        "optedin", "isoptedin", "emailoptin", "optinemail", "emailoptedin", "acceptsmarketing",
        "acceptsemailmarketing", "acceptsemail", "newsletter", "newsletteroptin", "newslettersubscribed",
        "marketingconsent", "emailconsent", "consent", "marketingoptin", "wantsemail", "wantsnewsletter",
        "receivesemail", "receivenewsletter", "receivesnewsletter", "mailinglist", "newsletterconsent", "gdprconsent",
        "permission", "emailpermission", "marketingpermission", "marketingpermissions", "newslettersubscription",
        "subscribedtonewsletter", "emailsubscribed", "subscribedtoemail", "emailmarketing", "aktiv", "einwilligung",
        "angemeldet", "abonniert",
    ),
}  # fmt: skip

SOFT = frozenset({"state", "type"})
"""Names that mean a status with some products, and with everybody else where people live or what they buy."""
GENERAL = frozenset({"address", "subscriber", "mail", "email1"})
"""Names of addresses that other things have too."""

_REFUSING = (
    (Meaning.LEFT, re.compile(r"unsub|opt(?:ed)?out|donot(?:e?mail|contact|send)|^no(?:e?mail|newsletter|marketing)"
                              r"|abgemeldet|désabonn|désinscri")),
    (Meaning.BOUNCED, re.compile(r"bounc|undeliver|unreachable|unzustellbar")),
    (Meaning.COMPLAINED, re.compile(r"complain|spam|abuse|black.?list|block.?list|suppress|quarantine")),
)  # fmt: skip
_NOT = frozenset({"not", "non", "never", "without", "nicht", "last", "count", "rate", "score", "token", "link", "url"})
"""Words beside those that turn them round, or make them something else."""
_DOUBTFUL = re.compile(
    r"status|statut|consent|permission|subscribed|subscri(?:be|ption)$|optin|optedin|newsletter|marketing|active|aktiv"
    r"|enabled|accept|agree|confirmed|verified|valid|gdpr|dsgvo|einwillig|cancel|churn|delet|remov|disabl|inactiv"
    r"|archiv|block|ban(?:ned)?$|reject|refus|revok|withdraw|exclu|stop|kündig|abmeld|gesperrt|dnc|unengaged"
)
_ELSEWHERE = frozenset({"sms", "phone", "call", "calls", "fax", "postal", "whatsapp", "push", "mobile", "telefon"})
"""Words of a column that is about another way than email."""
_HARMLESS = frozenset(
    {"id", "uuid", "leid", "euid", "lastname", "surname", "lname", "nachname", "company", "city", "country", "region",
     "zip", "street", "phone", "tags", "labels", "notes", "note", "attributes", "metadata", "data", "plan", "tier",
     "tiers", "source", "location", "gender", "points", "score", "orders", "totalorders", "opens", "clicks", "sent",
     "rating", "memberrating", "referralcount", "churndate", "lastchanged", "updatedat", "gmtoff", "dstoff", "cc",
     "latitude", "longitude", "ipaddress", "activesubscription", "complimentaryplan", "optinip", "confirmip",
     "optinsource", "optincampaign", "leadstatus",
     "maritalstatus", "employmentstatus", "orderstatus", "paymentstatus", "subscriptiontier", "subscriptionsource",
     "subscriptionid", "subscriptiontype", "unsubcampaigntitle", "unsubcampaignid", "cleancampaigntitle",
     "cleancampaignid", "unsubreasonother", "vip", "paid", "ispaid", "premium", "ispremium", "taxexempt", "comped",
     "lastactive", "lastactiveat", "lastactivity", "lastactivitydate", "statuschangedat", "leademailvalidation"}
)  # fmt: skip
"""Columns of known exports that would sound like more than they are, or hold a yes and a no of something else."""


@dataclass(frozen=True, slots=True)
class Columns:
    """A header that was read: whose it is, its names, what the columns mean, and which of them the operator named."""

    product: Product
    header: tuple[str, ...]
    at: Mapping[Meaning, tuple[int, ...]]
    chosen: frozenset[int] = field(default_factory=frozenset)
    dropped: frozenset[Meaning] = field(default_factory=frozenset)

    def meaning_of(self, index: int) -> Meaning | None:
        """What a column means; None where it is not read."""
        return next((meaning for meaning, indexes in self.at.items() if index in indexes), None)

    def assign(self, meaning: Meaning, index: int) -> "Columns":
        """As these, with one more column that has this meaning."""
        return replace(self, at={**self.without(index).at, meaning: (*self.at.get(meaning, ()), index)})

    def without(self, index: int) -> "Columns":
        """As these, with a column that means nothing."""
        at = {meaning: tuple(one for one in indexes if one != index) for meaning, indexes in self.at.items()}
        return replace(self, at={meaning: indexes for meaning, indexes in at.items() if indexes})


def recognise(header: Sequence[str], product: Product | None, chosen: Iterable[tuple[str, str]] = ()) -> Columns:
    """Reads a header. Each of `chosen` maps a meaning to a column, or to none, and wins over what we would guess.

    Raises InvalidInput where there is no column of addresses, or `chosen` names what is not there.
    """
    names = [fold(name) for name in header]
    product = product or _whose(frozenset(names))
    columns = Columns(product, tuple(header), _guessed(header, names, product))
    columns = _choose(columns, [(_meaning(word), column) for word, column in chosen])
    if Meaning.ADDRESS not in columns.at:
        raise InvalidInput(
            "The file has no column of addresses that we know; name it: --map address=COLUMN. "
            f"Its columns: {', '.join(header)}",
            "file",
        )
    return columns


def _guessed(header: Sequence[str], names: list[str], product: Product) -> dict[Meaning, tuple[int, ...]]:
    """Where an export of ours has a name, that name means what it does there and nothing else."""
    at: dict[Meaning, tuple[int, ...]] = {}
    taken: set[int] = set()
    if product is Product.MORNING_POST:
        for index, name in enumerate(header):
            meaning = _OWN.get(name.strip().lower())
            if meaning is not None and meaning not in at:
                at[meaning] = (index,)
                taken.add(index)
    for meaning, known in _NAMES.items():
        if meaning in at:
            continue
        found = [i for name in known for i, folded in enumerate(names) if folded == name and i not in taken]
        if found:
            at[meaning] = tuple(found if meaning in SEVERAL or meaning is Meaning.ADDRESS else found[:1])
            taken.update(at[meaning])
    return at


def _choose(columns: Columns, chosen: list[tuple[Meaning, str]]) -> Columns:
    guessed = columns.at
    for meaning in {meaning for meaning, _ in chosen}:
        at = {other: indexes for other, indexes in columns.at.items() if other is not meaning}
        columns = replace(columns, at=at)
    for meaning, column in chosen:
        if not column:
            # Whoever says that no column is the status says of the one that was taken for it that it is nothing.
            for index in guessed.get(meaning, ()):
                columns = columns.assign(Meaning.IGNORED, index)
            columns = replace(columns, dropped=columns.dropped | {meaning})
            continue
        for index in _indexes(columns.header, column):
            columns = replace(columns.assign(meaning, index), chosen=columns.chosen | {index})
        if meaning not in SEVERAL and len(columns.at[meaning]) > 1:
            raise InvalidInput(f"Only one column can be the {meaning.value}.", "map")
    return columns


def refusing_by_name(name: str) -> Meaning | None:
    """What a column must mean that is called like this, if its cells are yes and no; None where that is not clear."""
    if set(words_of(name)) & _NOT - {"not"} or re.search(r"(?<!do)(?<!do )\bnot\b|\bnon\b", " ".join(words_of(name))):
        return None
    folded = fold(name)
    return next((meaning for meaning, pattern in _REFUSING if pattern.search(folded)), None)


def is_doubtful(name: str) -> bool:
    """May a column of this name say who must not be written to?"""
    folded = fold(name)
    return bool(_DOUBTFUL.search(folded)) or any(pattern.search(folded) for _, pattern in _REFUSING)


def is_harmless(name: str) -> bool:
    """Is it known that a column of this name says nothing about email?"""
    words = set(words_of(name))
    return fold(name) in _HARMLESS or bool(words & _ELSEWHERE and "email" not in words)


def fold(name: str) -> str:
    """A name without case, spaces and signs: `E-Mail Address` and `email_address` are one."""
    return "".join(sign for sign in name.casefold() if sign.isalnum())


def words_of(name: str) -> list[str]:
    """The words of a name, also of `DoNotCall`."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return re.findall(r"[^\W_]+", apart.casefold())


def _whose(folded: frozenset[str]) -> Product:
    return next((product for product, marks in _MARKS if marks <= folded), Product.CSV)


def _meaning(word: str) -> Meaning:
    try:
        return Meaning(word)
    except ValueError:
        raise InvalidInput(f"--map knows {', '.join(Meaning)}; not {word!r}.", "map") from None


def _indexes(header: Sequence[str], column: str) -> list[int]:
    found = [index for index, name in enumerate(header) if name == column] or [
        index for index, name in enumerate(header) if fold(name) and fold(name) == fold(column)
    ]
    if not found:
        raise InvalidInput(f"The file has no column {column!r}. Its columns: {', '.join(header)}", "map")
    return found
