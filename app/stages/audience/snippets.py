"""What an operator copies into another site: a frame with our form in it, or a form of its own. Pure."""

from html import escape

from app.core.publication import Publication
from app.stages.audience.placements import address_of
from app.stages.audience.wording import consent

HEIGHT = 520
"""Pixels: what the form takes at a width of 320, with a sentence under a field that was filled in wrongly."""


def frame(publication: Publication, code: str = "") -> str:
    """An iframe. The answers stay in it; it needs no script on either side."""
    source = escape(address_of(publication.public_url, code, "/embed"))
    name = escape(publication.name)
    return (
        f'<iframe src="{source}" title="Subscribe to {name}" loading="lazy"\n'
        f'  width="100%" height="{HEIGHT}" style="max-width: 480px; border: 0"></iframe>'
    )


def form(publication: Publication, code: str = "") -> str:
    """A form in the other site's own look. Its button leads to a page of ours, where it is pressed once more."""
    words = escape(consent(publication.name), quote=False)
    placement = f'  <input type="hidden" name="placement" value="{escape(code)}">\n' if code else ""
    return (
        f'<form action="{escape(publication.public_url)}/subscribe" method="post">\n'
        "  <label>Email address\n"
        '    <input type="email" name="email" autocomplete="email" maxlength="254" required></label>\n'
        f"{placement}"
        '  <button type="submit">Send me the paper</button>\n'
        f"  <p>{words}</p>\n"
        "</form>"
    )
