"""Where a sign-up came from, as its link, its form or a program said. Pure.

A link is read leniently: whoever follows it cannot mend it, so what cannot be kept is left out. A program is told.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.core.errors import FieldError, InvalidInput
from app.core.text import cleaned, is_clean
from app.stages.audience.placements import code_of

UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
"""The five of the common convention, by the names they have in links."""
HIDDEN = ("source", "placement", *UTM)
"""The fields of a form that its reader does not see."""
LONGEST_SOURCE = 120
LONGEST_UTM = 100


@dataclass(frozen=True, slots=True)
class Origin:
    """`source` is in the sender's own words, `placement` a code that may turn out to be unknown; `utm` by name."""

    source: str = ""
    placement: str = ""
    utm: Mapping[str, str] = field(default_factory=dict)

    def fields(self) -> dict[str, str]:
        """What a form carries on: the names and values of its hidden fields, none of them empty."""
        told = {"source": self.source, "placement": self.placement, **self.utm}
        return {name: value for name, value in told.items() if value}

    def check(self) -> "Origin":
        """This, ready to be kept. Raises InvalidInput with every field that is too long or cannot be printed."""
        source, utm = self.source.strip(), {name: value.strip() for name, value in self.utm.items()}
        wrong = [] if _fits(source, LONGEST_SOURCE) else [_one_line("source", "The source", LONGEST_SOURCE)]
        wrong += [_one_line(name, name, LONGEST_UTM) for name, value in utm.items() if not _fits(value, LONGEST_UTM)]
        placement = code_of(self.placement) if self.placement.strip() else ""
        if placement is None:
            wrong.append(FieldError("placement", "A placement's code is 1 to 40 of a to z, digits and dashes."))
        if wrong:
            raise InvalidInput(" ".join(one.message for one in wrong), errors=tuple(wrong))
        return Origin(source, placement or "", {name: value for name, value in utm.items() if value})


def of_fields(told: Mapping[str, str]) -> Origin:
    """What the fields of a form say, or a query that bears the same names. Never refuses."""
    return Origin(
        source=_fitting(told.get("source", ""), LONGEST_SOURCE),
        placement=code_of(told.get("placement", "")) or "",
        utm={name: text for name in UTM if (text := _fitting(told.get(name, ""), LONGEST_UTM))},
    )


def of_link(query: Mapping[str, str]) -> Origin:
    """What the query of a page's address says; there the placement is called `src`. Never refuses."""
    return of_fields({**query, "placement": query.get("src", "")})


def _fitting(text: str, longest: int) -> str:
    """`text` on one line and cut to `longest` characters."""
    return cleaned(text).strip()[:longest].strip()


def _fits(text: str, longest: int) -> bool:
    return len(text) <= longest and is_clean(text)


def _one_line(name: str, words: str, longest: int) -> FieldError:
    return FieldError(name, f"{words} must be one line of at most {longest} characters.")
