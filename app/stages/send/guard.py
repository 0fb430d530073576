"""Outside production a real provider reaches nobody but ALLOWED_RECIPIENTS. Pure."""

from app.core.settings import Settings


def may_receive(settings: Settings, address: str) -> bool:
    """Is `address`, or its domain, named in ALLOWED_RECIPIENTS? In production everybody is."""
    if settings.production:
        return True
    address = address.casefold()
    domain = address.rpartition("@")[2]
    return any(one.casefold().removeprefix("@") in (address, domain) for one in settings.allowed_recipients)
