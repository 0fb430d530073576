"""From the front page to the farewell, as people go: with and without scripts, on a phone and on a desk."""

from dataclasses import replace
from datetime import date

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opening
from tests.browser.paper import HEADLINE, print_paper, status_of
from tests.browser.reader import DESKTOP, PHONE, Device, Reader
from tests.browser.site import Site, link_in
from tests.browser.steps import ADA, open_mail, sign_up

WALKS = [
    ("sqlite", DESKTOP),
    ("postgresql", replace(PHONE, scheme="dark")),
    ("postgresql", replace(DESKTOP, scheme="dark", javascript=False)),
    ("sqlite", replace(PHONE, javascript=False)),
]


@pytest.mark.parametrize(("database_url", "device"), WALKS, indirect=["database_url"], ids=str)
def test_from_the_front_page_to_leaving(site: Site, opened: Opening, device: Device, database_url: str) -> None:
    """Sign up, confirm from the mail, choose, rest, read, leave, come back, and leave for good."""
    print_paper(site)
    reader = opened(device)

    reader.open("/")
    reader.step("front-page")
    sign_up(reader)
    reader.reads("Check your post.")
    reader.sees(ADA)
    reader.step("asked")

    open_mail(reader, "Confirm")
    reader.step("confirmation-mail")
    reader.follow_in_mail("Yes, send me the paper")
    reader.reads("Shall we deliver?")
    reader.step("confirm")
    reader.press("Yes, send me the paper")
    reader.reads("You’re in.")
    # A browser that runs scripts said that it lives in Berlin; without them the paper's own zone counts.
    zone = "Berlin time" if device.javascript else "London time"
    reader.sees(f"on Tuesday at 06:30, {zone}")
    reader.step("confirmed")

    open_mail(reader, "You are in")
    reader.step("welcome-mail")
    reader.follow_in_mail("Manage preferences")
    reader.reads("Preferences")
    reader.step("preferences")
    choose(reader)
    rest(reader)

    reader.open(link_in(site.mail_to(ADA, "You are in"), "/editions/"))
    reader.sees(HEADLINE)
    reader.step("edition")

    leave(reader)
    assert status_of(site, ADA) == "left"


def choose(reader: Reader) -> None:
    """Sections, rhythm, hour and zone; saved, and put back."""
    page = reader.page
    page.get_by_role("checkbox", name="Opinion & Analysis").uncheck()
    page.get_by_role("radio", name="Once a week").check()
    page.get_by_label("Time", exact=True).select_option("07:30")
    page.get_by_label("Time zone").select_option("America/New_York")
    page.get_by_label("First name").fill("Ada")
    reader.press("Save preferences")
    reader.sees("Saved. Saturday’s paper will follow these settings.")
    expect(page.get_by_role("checkbox", name="Opinion & Analysis")).not_to_be_checked()
    expect(page.get_by_role("radio", name="Once a week")).to_be_checked()
    expect(page.get_by_label("Time", exact=True)).to_have_value("07:30")
    expect(page.get_by_label("Time zone")).to_have_value("America/New_York")
    expect(page.get_by_label("First name")).to_have_value("Ada")
    reader.step("preferences-saved")
    reader.press("Undo")
    reader.sees("Undone.")
    expect(page.get_by_role("checkbox", name="Opinion & Analysis")).to_be_checked()
    expect(page.get_by_role("radio", name="Every day")).to_be_checked()
    reader.step("preferences-undone")


def rest(reader: Reader) -> None:
    """Two weeks, and on again; then until a date."""
    reader.press("Two weeks")
    reader.sees("Held until Monday 7 December. It starts again by itself.")
    reader.step("paused")
    reader.press("Start now")
    reader.sees("Started again.")
    reader.page.get_by_label("Until a date").fill(date(2026, 12, 24).isoformat())
    reader.press("Pause until then")
    reader.sees("Held until Thursday 24 December.")
    reader.press("Start now")
    reader.sees("Started again.")
    reader.step("resumed")


def leave(reader: Reader) -> None:
    """By the link of the welcome mail: out, back, out, weekly instead, and out."""
    way_out = link_in(reader.site.mail_to(ADA, "You are in"), "/unsubscribe/")
    reader.open(way_out)
    reader.reads("Leaving us?")
    reader.step("unsubscribe")
    reader.press("Unsubscribe")
    reader.reads("You’re out.")
    reader.step("left")
    reader.press("Undo")
    reader.reads("You’re back.")
    reader.step("back")
    reader.open(way_out)
    reader.press("Unsubscribe")
    reader.press("Weekly instead")
    reader.sees("once a week: the Saturday paper")
    reader.step("weekly-instead")
    reader.open(way_out)
    reader.press("Unsubscribe")
    reader.reads("You’re out.")
