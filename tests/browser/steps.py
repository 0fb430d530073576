"""What people do on every walk."""

from tests.browser.reader import Reader
from tests.browser.site import link_in

ADA = "ada@example.org"


def sign_up(reader: Reader, address: str = ADA) -> None:
    """By the form on the front page, as slowly as a person."""
    reader.open("/")
    reader.page.get_by_label("Email address").fill(address)
    reader.site.pass_time()
    reader.press("Send me the paper")


def open_mail(reader: Reader, subject: str) -> None:
    """Reads the newest mail in the outbox, as a person would in a mail program."""
    reader.site.post()
    reader.open("/outbox")
    reader.page.get_by_role("link").filter(has_text=subject).first.click()
    reader.reads(str(reader.site.mail_to(ADA)["Subject"]))


def join(reader: Reader, address: str = ADA) -> None:
    """Signs up and presses the button behind the mailed link; the welcome mail is in the outbox then."""
    sign_up(reader, address)
    reader.reads("Check your post.")
    reader.site.post()
    reader.open(link_in(reader.site.mail_to(address, "Confirm"), "/confirm/"))
    reader.press("Yes, send me the paper")
    reader.reads("You’re in.")
    reader.site.post()


def link_of(reader: Reader, path: str, address: str = ADA) -> str:
    """The link to `path` in the newest mail to `address`."""
    return link_in(reader.site.mail_to(address), path)
