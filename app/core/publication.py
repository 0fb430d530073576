"""What the paper calls itself."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class Publication:
    """All that a printed page or a mail may know of the settings."""

    name: str
    tagline: str
    public_url: str
    """Without a slash at its end."""
    sender: tuple[str, str]
    """(display name, address) of the From header."""
    reply_to: str
    postal_address: str
    list_id: str
    zone: ZoneInfo
    deliver_minute: int
    """The default delivery time as a minute of the local day."""
    production: bool = False
    """Mailed in earnest: what may pass while one tries things out may not now."""
