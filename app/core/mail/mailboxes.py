"""Which of the large mailbox providers keeps an address: the group in which mail to it is counted. Pure.

One provider takes mail for many domains and judges them as one sender's stream. The domains are those that the
providers hand out to their users, as their own sign-up pages list them; every other domain is of the group OTHER.
"""

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
}
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


GROUPS = frozenset({*_DOMAINS, OTHER})
