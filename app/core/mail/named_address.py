"""A name and an address as operators write them in a setting: `Le Matin : Lyon <post@example.org>`."""

import re

_NAMED = re.compile(r"([^<>]*)<([^<>\s]+)>\s*")
_QUOTED_PAIR = re.compile(r"\\(.)")


def parse(value: str) -> tuple[str, str]:
    """The name, which may be empty, and the address; both empty where there is no such form.

    A name need not be quoted: whatever stands before the brackets is the name, with its colons, commas and parentheses,
    which RFC 5322 section 3.4 would take for groups, lists and comments. A name in quotation marks is taken out of them
    (section 3.2.4).
    """
    named = _NAMED.fullmatch(value.strip())
    if named is None:
        return ("", value.strip()) if not set(value) & set('<>"') else ("", "")
    name, address = named[1].strip(), named[2]
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = _QUOTED_PAIR.sub(r"\1", name[1:-1])
    return name, address


def mailbox(name: str, address: str) -> str:
    """`"name" <address>` with the name quoted (RFC 5322 section 3.2.4); the address alone where there is no name."""
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{quoted}" <{address}>' if name else address
