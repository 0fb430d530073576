"""What a sign-up may choose before it is confirmed; the rest waits for the preferences page. Pure."""

from dataclasses import dataclass
from typing import Any

from app.core.errors import FieldError, InvalidInput
from app.models.content import section_bits
from app.models.states import Frequency
from app.stages.audience.wishes import read_name, read_sections


@dataclass(frozen=True, slots=True)
class Early:
    """As text, as it was sent. None, and an empty name, choose nothing."""

    first_name: str = ""
    sections: tuple[str, ...] | None = None
    frequency: str | None = None

    def read(self) -> dict[str, Any]:
        """The columns of a reader that were chosen. Raises InvalidInput with every field that is wrong."""
        chosen: dict[str, Any] = {}
        wrong: list[FieldError] = []
        for name, read in (("first_name", self._name), ("sections", self._sections), ("frequency", self._frequency)):
            try:
                value = read()
            except InvalidInput as error:
                wrong.extend(error.errors)
                continue
            if value not in (None, ""):
                chosen[name] = value
        if wrong:
            raise InvalidInput(" ".join(one.message for one in wrong), errors=tuple(wrong))
        return chosen

    def _name(self) -> str:
        return read_name(self.first_name)

    def _sections(self) -> int | None:
        return None if self.sections is None else section_bits(read_sections(self.sections))

    def _frequency(self) -> Frequency | None:
        if self.frequency is None:
            return None
        try:
            return Frequency(self.frequency)
        except ValueError:
            raise InvalidInput(f"The frequency is one of {', '.join(Frequency)}.", "frequency") from None
