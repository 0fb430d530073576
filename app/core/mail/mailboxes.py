"""Which of the large mailbox providers keeps an address: the group in which mail to it is counted. Pure.

One provider takes mail for many domains and judges them as one sender's stream. The domains are those that the
providers hand out to their users, as their own sign-up pages list them; every other domain is of the group OTHER.
"""

from collections.abc import Iterable

OTHER = "other"
LONGEST = 24

_DOMAINS = {
    "gmail": "gmail.com googlemail.com",
    "yahoo": "ymail.com rocketmail.com myyahoo.com aol.com aim.com",
    "microsoft": "msn.com passport.com windowslive.com",
    "apple": "icloud.com me.com mac.com",
    "gmx": "web.de",
    "t-online": "t-online.de magenta.de",
    "orange": "orange.fr wanadoo.fr",
    "free": "free.fr",
    "laposte": "laposte.net",
    "comcast": "comcast.net",
    "proton": "proton.me protonmail.com protonmail.ch pm.me",
    "fastmail": "fastmail.com fastmail.fm",
    "yandex": "yandex.ru yandex.com ya.ru",
    "mail-ru": "mail.ru bk.ru inbox.ru list.ru internet.ru",
    "tencent": "qq.com foxmail.com",
    "netease": "163.com 126.com yeah.net",
    "naver": "naver.com",
    "zoho": "zoho.com zoho.eu zoho.in zohomail.com",
}
_EXCHANGERS = {
    "gmail": "google.com googlemail.com",
    "microsoft": "olc.protection.outlook.com",
    "microsoft-365": "mail.protection.outlook.com mx.microsoft",
    "yahoo": "yahoodns.net",
    "apple": "mail.icloud.com",
    "gmx": "gmx.net web.de",
    "proton": "protonmail.ch",
    "fastmail": "messagingengine.com",
    "yandex": "mx.yandex.net yandex.ru",
    "mail-ru": "mail.ru",
    "tencent": "qq.com",
    "netease": "netease.com 163.com",
    "zoho": "zoho.com zoho.eu zoho.in",
    "mimecast": "mimecast.com mimecast.co.za mimecast-offshore.com",
}
"""Where the mail servers of a domain lie that one of them keeps for somebody else, by the end of their names.

Google's own and Google Workspace's are the same machines; Microsoft's for firms are others than Outlook.com's.
"""
_IN_EACH_COUNTRY = {
    "yahoo": "yahoo",
    "outlook": "microsoft",
    "hotmail": "microsoft",
    "live": "microsoft",
    "gmx": "gmx",
}
"""The first label of domains such as `yahoo.fr` or `hotmail.co.uk`."""
_ANOTHERS = frozenset({"yahoo.co.jp"})
"""Looks like one of them and is another company's."""
_SECOND_LEVEL = frozenset({"co", "com"})

_GROUP_OF = {domain: group for group, domains in _DOMAINS.items() for domain in domains.split()}


def group_of(address: str) -> str:
    """The group of an address or of its domain, whatever its case."""
    domain = address.rpartition("@")[2].lower()
    if domain in _GROUP_OF:
        return _GROUP_OF[domain]
    first, *rest = domain.split(".")
    national = len(rest) == 1 or (len(rest) == 2 and rest[0] in _SECOND_LEVEL and len(rest[1]) == 2)
    if first in _IN_EACH_COUNTRY and national and domain not in _ANOTHERS:
        return _IN_EACH_COUNTRY[first]
    return OTHER


def group_of_exchangers(hosts: Iterable[str]) -> str:
    """The group of a domain whose mail the servers `hosts` take; OTHER where they are not all one company's."""
    found = {_group_of_host(host.rstrip(".").lower()) for host in hosts}
    return found.pop() if len(found) == 1 else OTHER


def _group_of_host(host: str) -> str:
    for group, suffixes in _EXCHANGERS.items():
        if any(host == suffix or host.endswith(f".{suffix}") for suffix in suffixes.split()):
            return group
    return OTHER


GROUPS = frozenset({*_DOMAINS, *_EXCHANGERS, OTHER})
