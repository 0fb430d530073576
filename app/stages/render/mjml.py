"""The edition as HTML: Jinja2 to MJML to HTML, styles written inline, once for all sections and both forms."""

import re
from urllib.parse import urlsplit

from lxml import etree
from markupsafe import Markup
from mjml import mjml2html

from app.core.publication import Publication
from app.models.content import EditionContent
from app.stages.render.inlining import inline
from app.stages.render.marks import Marker
from app.stages.render.templates import render

_SCHEME = re.compile(r"\s*([A-Za-z][A-Za-z0-9+.-]*):")
_REMOTE = re.compile(r"@import|url\(\s*['\"]?(?!data:)", re.IGNORECASE)


def edition_html(content: EditionContent, publication: Publication, slug: str, mark: str) -> str:
    """The whole edition as one HTML body, inlined, with section marks and slots; `variants.cut` makes mails of it.

    Raises ValueError for a mark that is no word or that a story says, and for anything fetched from another site.
    """
    marker = Marker(mark, html=True)
    return marker.whole(html_of(edition_mjml(content, publication, slug, marker), publication))


def edition_mjml(content: EditionContent, publication: Publication, slug: str, marker: Marker) -> str:
    """The whole edition as MJML, its marks written by `marker`."""
    return render(
        "edition.mjml.j2",
        content=content,
        paper=publication,
        page=page_url(publication, slug),
        charts_url=charts_url(publication),
        slot=marker.slot,
        open=lambda name: Markup(marker.open(name)),  # noqa: S704  # a comment of our own
        close=lambda name: Markup(marker.close(name)),  # noqa: S704  # a comment of our own
    )


def page_url(publication: Publication, slug: str) -> str:
    """Where the web edition stands."""
    return f"{publication.public_url}/editions/{slug}"


def charts_url(publication: Publication) -> str:
    """The folder of the pictures that mails show."""
    return f"{publication.public_url}/charts"


def html_of(source: str, publication: Publication) -> str:
    """MJML to HTML that is ready to be mailed.

    Raises ValueError for what would be fetched from another site and for a link that is neither web nor mail.
    """
    tree = etree.fromstring(mjml2html(source), etree.HTMLParser())
    inline(tree)
    _refuse_foreign(tree, publication)
    html: str = etree.tostring(tree, method="html", encoding="unicode", doctype="<!DOCTYPE html>")
    return html.replace("</wbr>", "") + "\n"


def _refuse_foreign(tree: etree._Element, publication: Publication) -> None:
    """Nothing may be fetched from another site when the mail is opened: that would tell the site who reads."""
    home = urlsplit(publication.public_url)[:2]
    for element in tree.iter("img", "link", "script", "iframe", "object", "video", "audio", "source"):
        url = element.get("src") or element.get("href") or element.get("data") or ""
        if element.tag not in ("img", "link") or urlsplit(url)[:2] != home:
            raise ValueError(f"the edition would fetch something from another site: <{element.tag}> {url}")
    for link in tree.iter("a"):
        scheme = _SCHEME.match(link.get("href", ""))
        if scheme and scheme[1].lower() not in ("http", "https", "mailto"):
            raise ValueError(f"the edition would link to {scheme[1]}:, which is neither the web nor a mailbox")
    for style in tree.iter("style"):
        if _REMOTE.search(style.text or ""):
            raise ValueError("the edition's style sheet would fetch something")
