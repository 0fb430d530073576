"""The main walk with nothing but a keyboard; and what happens to those who mistype."""

from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Opening
from tests.browser.paper import print_paper, status_of
from tests.browser.reader import DESKTOP, PHONE, Device
from tests.browser.site import Site
from tests.browser.steps import ADA, join, link_of, sign_up


def test_the_main_walk_needs_no_mouse(site: Site, opened: Opening) -> None:
    """Tab, Space, arrows and Enter from the front page to leaving; whatever has the focus shows it."""
    print_paper(site)
    reader = opened(DESKTOP)
    page, keys = reader.page, reader.page.keyboard
    reader.open("/")
    keys.press("Tab")
    skip = page.get_by_role("link", name="Skip to the page")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    keys.press("Enter")
    assert page.url.endswith("#main")
    reader.tab_to(page.get_by_label("Email address"), most=3)
    keys.type(ADA)
    reader.picture("address-typed")
    site.pass_time()
    keys.press("Enter")
    reader.reads("Check your post.")

    site.post()
    reader.open(link_of(reader, "/confirm/"))
    reader.tab_to(page.get_by_role("button", name="Yes, send me the paper"))
    reader.picture("button-in-focus")
    keys.press("Enter")
    reader.reads("You’re in.")

    reader.tab_to(page.get_by_role("link", name="preferences"))
    keys.press("Enter")
    reader.reads("Preferences")
    reader.tab_to(page.get_by_role("checkbox", name="Opinion & Analysis"))
    keys.press("Space")
    reader.tab_to(page.get_by_role("radio", name="Every day"))
    keys.press("ArrowDown")
    reader.tab_to(page.get_by_label("Time", exact=True))
    keys.type("07:30")
    reader.picture("time-chosen")
    reader.tab_to(page.get_by_role("button", name="Save preferences"))
    keys.press("Enter")
    reader.sees("Saved.")
    expect(page.get_by_role("checkbox", name="Opinion & Analysis")).not_to_be_checked()
    expect(page.get_by_role("radio", name="Every weekday")).to_be_checked()
    expect(page.get_by_label("Time", exact=True)).to_have_value("07:30")

    reader.tab_to(page.get_by_role("button", name="Unsubscribe"))
    keys.press("Enter")
    reader.reads("You’re out.")
    assert status_of(site, ADA) == "left"
    reader.tab_to(page.get_by_role("button", name="Undo"))
    keys.press("Enter")
    reader.reads("You’re back.")
    assert status_of(site, ADA) == "active"


@pytest.mark.parametrize("device", [DESKTOP, replace(PHONE, javascript=False)], ids=str)
def test_a_mistyped_address_stays_in_its_field(site: Site, opened: Opening, device: Device) -> None:
    """The sentence stands under the field, which keeps the text and has the focus; put right, it goes through."""
    reader = opened(device)
    reader.expected.add(422)
    sign_up(reader, "ada@localhost")
    field = reader.page.get_by_label("Email address")
    expect(field).to_have_value("ada@localhost")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")
    told = reader.page.locator("#" + (field.get_attribute("aria-describedby") or "nothing"))
    expect(told).to_be_visible()
    reader.step("mistyped")
    field.fill(ADA)
    reader.press("Send me the paper")
    reader.reads("Check your post.")
    assert status_of(site, ADA) == "pending"


def test_a_form_that_comes_back_at_once_is_asked_for_again(site: Site, opened: Opening) -> None:
    """Quicker than two seconds: nothing is lost but a press of the button."""
    reader = opened(PHONE)
    reader.expected.add(422)
    reader.open("/")
    reader.page.get_by_label("Email address").fill(ADA)
    reader.press("Send me the paper")
    reader.sees("That was quicker than we can read.")
    expect(reader.page.get_by_label("Email address")).to_have_value(ADA)
    reader.step("too-quick")
    site.pass_time()
    reader.press("Send me the paper")
    reader.reads("Check your post.")


def test_links_that_do_not_work_say_why_and_what_to_do(site: Site, opened: Opening) -> None:
    """Run out: a button for a new one. Cut short: a sentence and the form. No such page: the way back."""
    reader = opened(PHONE)
    sign_up(reader)
    site.post()
    link = link_of(reader, "/confirm/")
    reader.open(link[:-3], status=404)
    reader.reads("This link is not one of ours.")
    reader.step("cut-short")
    site.pass_time(timedelta(days=8))
    reader.open(link, status=410)
    reader.reads("This link has run out.")
    reader.step("run-out")
    reader.press("Send me a new link")
    reader.reads("Check your post.")
    site.post()
    reader.open(link_of(reader, "/confirm/"))
    reader.press("Yes, send me the paper")
    reader.reads("You’re in.")
    reader.open("/preferences/nonsense", status=404)
    reader.open("/nowhere", status=404)
    reader.reads("No such page in any edition.")
    reader.follow("Back numbers")
    reader.reads("Back numbers")


def test_a_form_that_could_not_be_saved_keeps_what_was_chosen(site: Site, opened: Opening) -> None:
    """Nothing ticked is not a paper: the page says so and keeps the rest as it was chosen."""
    reader = opened(DESKTOP)
    join(reader)
    reader.expected.add(422)
    reader.open(link_of(reader, "/preferences/"))
    for box in reader.page.get_by_role("checkbox", disabled=False).all():
        box.uncheck()
    reader.page.get_by_label("First name").fill("Ada\u202e")
    reader.press("Save preferences")
    expect(reader.page.get_by_role("alert")).to_contain_text("Not saved yet.")
    reader.step("not-saved")
