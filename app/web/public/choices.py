"""The preferences page as it is shown: the reader's choices in a form, and what has just become of them."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse

from app.bootstrap import Container
from app.core.calendar import zone_named
from app.core.errors import InvalidInput
from app.core.language import joined, say
from app.core.languages import available
from app.core.settings import Settings
from app.core.signing import Purpose
from app.models.content import CHOOSABLE, TITLES, Section
from app.models.states import Frequency, MailForm, SubscriberStatus
from app.stages.audience.preferences import Standing
from app.stages.audience.wishes import LONGEST_NAME, LONGEST_REST, STEP, Choices, Wishes, clock_words, today_of
from app.stages.render.wording import clock_time
from app.stages.send.mornings import next_paper
from app.web.deps import container_of
from app.web.morning import todays_date
from app.web.pages import page
from app.web.wording import day_and_date, weekday
from app.web.zones import place_of, zones

_SECTIONS = {
    Section.DEEP_DIVE: say("One long read"),
    Section.OPINION: say("Columns with a view"),
    Section.TOOLS: say("A handful of things to try"),
    Section.TRENDING: say("Models, datasets, repositories"),
    Section.MOVERS: say("With the week’s newcomers"),
    Section.WEEKEND: say("Longer pieces, at the week’s end"),
}
_FREQUENCIES = {
    Frequency.DAILY: (say("Every day"), say("Monday to Sunday")),
    Frequency.WEEKDAYS: (say("Every weekday"), say("Monday to Friday")),
    Frequency.WEEKLY: (say("Once a week"), say("The week in one paper, on Saturday")),
}
_FORMS = {
    MailForm.HTML: (say("As a newspaper"), say("HTML, with its plain-text twin")),
    MailForm.TEXT: (say("As plain text"), say("No markup, no images")),
}
RESTS = (
    (say("One week"), say("one week"), 7),
    (say("Two weeks"), say("two weeks"), 14),
    (say("Four weeks"), say("four weeks"), 28),
)
"""On a button, within a sentence, and in days."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page is about. `had` is true where today's paper is theirs already; `typed` wins over what is kept.

    `before` is what the last save replaced, to be undone.
    """

    standing: Standing
    now: datetime
    had: bool
    action: str = ""
    before: Choices | None = None
    typed: Wishes | None = None
    error: InvalidInput | None = None


def show(request: Request, shown: Shown, status: int = 200) -> HTMLResponse:
    """The page for a reader; for somebody who has not confirmed, or has left, a page that says so."""
    container = container_of(request)
    standing = shown.standing
    if standing.status in (SubscriberStatus.PENDING, SubscriberStatus.LEFT):
        return _without_a_paper(request, container, standing, status)
    zone = zone_named(standing.choices.zone) or container.settings.zone
    today = today_of(shown.now, "", zone)
    coming = _coming(container.settings, shown)
    return page(
        request,
        "preferences.html",
        status=status,
        masked=standing.address,
        since=standing.since.astimezone(zone) if standing.since else None,
        said=_said(shown, coming),
        errors={one.field: one.message for one in shown.error.errors} if shown.error else {},
        before=shown.before.wishes() if shown.before else None,
        wishes=shown.typed or standing.choices.wishes(),
        paused_until=standing.paused_until,
        coming=_coming_words(coming, shown.now.astimezone(zone)),
        rests=rests(today),
        earliest=today + timedelta(days=1),
        latest=today + LONGEST_REST,
        unsubscribe=container.signer.sign(Purpose.UNSUBSCRIBE, standing.ref),
        letter=_letter(container, standing),
        **_offered(container.settings),
    )


def rests(today: date) -> list[tuple[str, str, date]]:
    """How long a reader may rest at the press of a button: words for both places, and the day the paper comes again."""
    return [(words, within, today + timedelta(days=days)) for words, within, days in RESTS]


def _offered(settings: Settings) -> dict[str, Any]:
    default = settings.publication.deliver_minute
    return {
        "sections": [(section.value, TITLES[section], _SECTIONS[section]) for section in CHOOSABLE],
        "lead": TITLES[Section.LEAD],
        "frequencies": [(value.value, *words) for value, words in _FREQUENCIES.items()],
        "forms": [(value.value, *words) for value, words in _FORMS.items()],
        "times": [clock_words(minute) for minute in range(0, 24 * 60, STEP)],
        "usual_time": clock_words(default),
        "zones": zones(),
        "known_zones": {name for _, of_area in zones() for name, _ in of_area},
        "usual_zone": place_of(settings.zone.key),
        "longest_name": LONGEST_NAME,
        "languages": [(one.tag, one.name) for one in available()],
    }


def _without_a_paper(request: Request, container: Container, standing: Standing, status: int) -> HTMLResponse:
    left = standing.status is SubscriberStatus.LEFT
    return page(
        request,
        "no_paper.html",
        status=status,
        masked=standing.address,
        left=left,
        unsubscribe=container.signer.sign(Purpose.UNSUBSCRIBE, standing.ref) if left and standing.since else "",
        letter=_letter(container, standing),
    )


def _letter(container: Container, standing: Standing) -> str:
    """Where the buttons post to that mail a fresh link."""
    return f"/preferences/{container.signer.sign(Purpose.PREFERENCES, standing.ref)}/letter"


def _coming(settings: Settings, shown: Shown) -> datetime:
    """When the next paper comes, by the settings that are kept, not before a rest ends."""
    standing, chosen = shown.standing, shown.standing.choices
    after = todays_date(settings, shown.now) if shown.had else None
    if standing.paused_until:
        after = standing.paused_until - timedelta(days=1)
    return next_paper(settings, shown.now, chosen.zone, chosen.minute, chosen.frequency, after)


def _coming_words(coming: datetime, local_now: datetime) -> str:
    assert isinstance(coming.tzinfo, ZoneInfo)
    place = place_of(coming.tzinfo.key)
    return say(
        "Next paper: {day}, {time} in {place}, where it is now {now}.",
        day=day_and_date(coming.date()),
        time=clock_time(coming),
        place=place,
        now=clock_time(local_now),
    )


def _said(shown: Shown, coming: datetime) -> str:
    if shown.error:
        return joined((say("Not saved yet."), shown.error.sentence))
    day = weekday(coming)
    match shown.action:
        case "save":
            return say("Saved. {day}’s paper will follow these settings.", day=day)
        case "undo":
            return say("Undone. {day}’s paper will follow the settings you had before.", day=day)
        case "resume":
            return say("Started again. The next paper comes on {day} at {time}.", day=day, time=clock_time(coming))
        case _:
            return ""
