"""What is this reader's own in a mail: links, dates, headers."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property

from app.core.calendar import zone_named, zone_words
from app.core.mail.message import Message
from app.core.mail.return_path import ReturnPaths
from app.core.mail.template import MailTemplate, Slot
from app.core.settings import Settings
from app.core.signing import Purpose, Signer
from app.models.states import Frequency
from app.stages.send.mornings import due_on, next_day
from app.store.handovers import Begun


@dataclass(frozen=True)
class Personaliser:
    """Addresses one edition's template to readers. `salt`, `day` and `edition_id` are the edition's."""

    settings: Settings
    signer: Signer
    salt: str
    day: date
    edition_id: int
    _mornings: dict[tuple[str, int | None, Frequency], tuple[str, str]] = field(default_factory=dict, compare=False)
    _days: dict[date, str] = field(default_factory=dict, compare=False)

    def message(self, row: Begun, template: MailTemplate, now: datetime) -> Message:
        """The mail of one delivery."""
        domain, site = self._own
        unsubscribe = f"{site}/unsubscribe/{self.signer.sign(Purpose.UNSUBSCRIBE, row.ref)}"
        manage = f"{site}/preferences/{self.signer.sign(Purpose.PREFERENCES, row.ref)}"
        return Message(
            key=row.subscriber_id,
            attempt=row.attempt,
            recipient=row.address,
            message_id=f"<{message_key(self.salt, row.ref)}@{domain}>",
            date=now,
            return_path=self._return_paths.of_paper(self.edition_id, row.ref),
            template=template,
            values=self._values(row, unsubscribe, manage),
            headers=list_unsubscribe(unsubscribe),
        )

    @cached_property
    def _own(self) -> tuple[str, str]:
        """The domain of the paper's own address, and the site: worked out once, since parsing takes longest."""
        publication = self.settings.publication
        return publication.sender[1].rpartition("@")[2], publication.public_url

    @cached_property
    def _return_paths(self) -> ReturnPaths:
        return ReturnPaths(self.signer, self.settings.return_path_domain, self.settings.publication.sender[1])

    def _values(self, row: Begun, unsubscribe: str, manage: str) -> Mapping[Slot, str]:
        morning = self._morning(row.zone, row.minute, row.frequency)
        zone = zone_named(row.zone) or self.settings.zone
        return {
            Slot.ADDRESS: row.address,
            Slot.CONFIRMED_ON: self._confirmed(row.confirmed_at.astimezone(zone).date()) if row.confirmed_at else "",
            Slot.SCHEDULE: morning[0],
            Slot.NEXT_DELIVERY: morning[1],
            Slot.UNSUBSCRIBE: unsubscribe,
            Slot.MANAGE: manage,
        }

    def _confirmed(self, day: date) -> str:
        if day not in self._days:
            self._days[day] = long_date(day)
        return self._days[day]

    def _morning(self, zone_name: str, minute: int | None, frequency: Frequency) -> tuple[str, str]:
        key = (zone_name, minute, frequency)
        if key not in self._mornings:
            self._mornings[key] = self._worded(*key)
        return self._mornings[key]

    def _worded(self, zone: str, minute: int | None, frequency: Frequency) -> tuple[str, str]:
        at = self.settings.publication.deliver_minute if minute is None else minute
        due = due_on(next_day(self.day, frequency), self.settings, zone, minute)
        words = zone_words(zone_named(zone) or self.settings.zone)
        return f"{_OFTEN[frequency]} at {at // 60:02}:{at % 60:02}, {words}", f"{due:%A} at {due:%H:%M}"


_OFTEN = {Frequency.DAILY: "every day", Frequency.WEEKDAYS: "Monday to Friday", Frequency.WEEKLY: "on Saturdays"}


def message_key(salt: str, ref: str) -> str:
    """The local part of a Message-ID: the same on every retry, meaningless once the salt or the reader is gone."""
    return hmac.digest(salt.encode(), ref.encode(), "sha256").hex()[:32]


def list_unsubscribe(url: str) -> tuple[tuple[str, str], ...]:
    """The two headers of one-click unsubscription (RFC 8058 section 3.1): one https URI, and the exact post body."""
    return ("List-Unsubscribe", f"<{url}>"), ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")


def long_date(day: date) -> str:
    """4 March 2026."""
    return f"{day.day} {day:%B %Y}"
