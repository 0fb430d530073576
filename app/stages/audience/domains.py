"""Which domains the paper is not sent to: throw-away mailboxes, and what the operator lists. Pure."""

from dataclasses import dataclass, field

from disposable_email_domains import blocklist

from app.core.errors import InvalidInput
from app.core.language import say
from app.stages.audience.address import Address


@dataclass(frozen=True, slots=True)
class DomainRules:
    """The operator's lists, in lower case and A-labels. A domain's rule holds for all below it that has none."""

    refused: frozenset[str] = field(default_factory=frozenset)
    allowed: frozenset[str] = field(default_factory=frozenset)
    """Taken although they, or a domain above them, are refused or disposable."""
    refuse_disposable: bool = True

    def check(self, address: Address) -> None:
        """Raises InvalidInput on `email` where its domain is refused. It is no secret which domains are."""
        domain = address.key.rpartition("@")[2]
        if self._refuses(domain):
            why = say("We do not send the paper to addresses at {domain}. Please use another one.", domain=domain)
            raise InvalidInput(why, "email")

    def _refuses(self, domain: str) -> bool:
        rest = domain
        while rest:
            if rest in self.allowed:
                return False
            if rest in self.refused or (self.refuse_disposable and rest in blocklist):
                return True
            rest = rest.partition(".")[2]
        return False
