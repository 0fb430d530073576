"""Pages: Jinja2 templates with what every page knows of the paper, in the language of whoever asks."""

from functools import partial
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from app.bootstrap import Container
from app.core.language import ENGLISH, Language, Phrase
from app.core.languages import available
from app.core.mail import named_address
from app.core.templating import teach
from app.core.text import is_right_to_left
from app.stages.audience import wording as consent_wording
from app.stages.render.wording import clock_time, day_and_month, full_date, minutes_to_read
from app.web import nonce, speech, wording
from app.web.assets import Assets
from app.web.guard import SITE_POLICY

PUBLIC = "no-cache"
"""Cache-Control of a page that is the same for everybody: it may be kept, and is asked for again each time."""

FRAMED = "/embed"
"""The one address whose pages, answers and errors other sites may show in a frame."""
FRAMED_POLICY = SITE_POLICY.replace("frame-ancestors 'none'", "frame-ancestors *")


class Pages:
    """The templates, bound to one paper. `base` is the path PUBLIC_URL ends in, before every link."""

    def __init__(self, container: Container, assets: Assets) -> None:
        self.container = container
        self._assets = assets
        self._environments: dict[Language, Environment] = {}

    def html(self, template: str, language: Language, **context: Any) -> str:
        """The template, filled. A name it lacks is an error, never a blank."""
        if language not in self._environments:
            self._environments[language] = self._environment(language)
        return self._environments[language].get_template(template).render(context)

    def _environment(self, language: Language) -> Environment:
        publication = self.container.settings.publication
        base = urlsplit(publication.public_url).path
        made = Environment(
            loader=FileSystemLoader(Path(__file__).parent / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        teach(made, language)
        made.globals.update(
            base=base,
            paper_language=ENGLISH.tag,
            publication=publication,
            editor=named_address.parse(publication.reply_to)[1],
            address=publication.public_url.partition("://")[2],
            altcha=self.container.proofs is not None,
            consent=consent_wording.consent(publication.name),
            asset=lambda name: base + self._assets.path(name),
        )
        made.filters.update(
            full_date=full_date,
            isolated=_isolated,
            isolating=partial(_isolating, language),
            minutes_to_read=minutes_to_read,
            day_and_date=wording.day_and_date,
            day_and_month=day_and_month,
            short_date=wording.short_date,
            date_of_year=wording.date_of_year,
            clock_time=clock_time,
            date_and_time=wording.date_and_time,
        )
        return made


def addresses(request: Request, public_url: str) -> dict[str, Any]:
    """`canonical`, and `translations`: (tag, address) of each language, x-default for whatever the browser asks for.

    Only what changes the page is in them: where the list of back numbers begins, and a language that was chosen.
    """
    bare = public_url + (request.url.path.removeprefix(request.scope.get("root_path", "")) or "/")
    before = request.query_params.get("before")
    kept = [("before", before)] if before else []
    chosen = speech.asked_for(request)

    def at(language: Language | None) -> str:
        query = urlencode([*kept, *([(speech.PARAMETER, language.tag)] if language else [])])
        return f"{bare}?{query}" if query else bare

    translations = [("x-default", at(None)), *((one.tag, at(one)) for one in available())]
    return {"canonical": at(chosen), "translations": translations}


def page(
    request: Request, template: str, *, status: int = 200, cache: str = "no-store", **context: Any
) -> HTMLResponse:
    """A page of the site. It is kept nowhere unless `cache` says otherwise."""
    pages = cast("Pages", request.app.state.pages)
    language = speech.language_for(request)
    framed = request.url.path.removeprefix(request.scope.get("root_path", "")) == FRAMED
    context = {"carried": {}, "first_name": "", "name_error": "", "framed": framed, **context}
    context.setdefault("nonce", nonce.make(pages.container.signer, pages.container.clock.now()))
    context.update(lang=speech.kept(request), in_other_languages=speech.others(request))
    context.update(addresses(request, pages.container.settings.public_url))
    made = HTMLResponse(pages.html(template, language, **context), status, {"cache-control": cache})
    policy = FRAMED_POLICY if framed else SITE_POLICY
    if b"<altcha-widget" in made.body:
        policy += "; connect-src 'self'; worker-src 'self'"
    made.headers["content-security-policy"] = policy
    speech.mark(made.headers, language)
    return made


def _isolated(words: str) -> Markup:
    """Words that run in their own direction, and turn nothing around them (HTML, section 4.5.24)."""
    return Markup("<bdi>{}</bdi>").format(words)


def _isolating(language: Language, text: str, words: str) -> str:
    """`text` with `words`, wherever they stand in it, isolated where they run from right to left."""
    if not is_right_to_left(words):
        return text
    said = text.in_(language) if isinstance(text, Phrase) else text
    return Markup(str(escape(said)).replace(str(escape(words)), _isolated(words)))  # noqa: S704  # both are escaped
