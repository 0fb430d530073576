"""A message as Resend's API wants it (resend.com/docs/api-reference/emails/send-email): it builds the MIME itself."""

import json
from typing import Any

from app.core.mail.message import Message
from app.core.mail.receipt import Rejected
from app.core.mail.template import header
from app.providers.envelope import unmade, unreachable


def written(message: Message) -> bytes | Rejected:
    """The message as one JSON object, or the receipt that says why there is none."""
    if rejected := unreachable(message):
        return rejected
    try:
        return json.dumps(_fields(message), ensure_ascii=False, separators=(",", ":")).encode()
    except Exception as error:  # one reader's mail must not stop the others'
        return unmade(error)


def _fields(message: Message) -> dict[str, Any]:
    template = message.template
    sender = _mailbox(*template.sender)
    for name, value in (("From", sender), ("Subject", template.subject), ("Reply-To", template.reply_to)):
        header(name, value)  # raises for what no header may hold
    own = (*template.headers, *message.headers, ("Message-ID", message.message_id))
    made: dict[str, Any] = {
        "from": sender,
        "to": [message.recipient],
        "subject": template.subject,
        "text": message.text(),
        "headers": {name: _ascii(name, value) for name, value in own},
    }
    if (page := message.html()) is not None:
        made["html"] = page
    if template.reply_to:
        made["reply_to"] = template.reply_to
    return made


def _mailbox(name: str, address: str) -> str:
    if any(character in '()<>[]:;@\\,."' for character in name):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{name} <{address}>" if name else address


def _ascii(name: str, value: str) -> str:
    """The value as it stands in a header: checked, and its encoded words unfolded."""
    return header(name, value).decode("ascii").removeprefix(f"{name}: ").replace("\r\n", "")
