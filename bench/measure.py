"""One measured figure and what it may be at most."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measurement:
    what: str
    value: float
    unit: str
    budget: float

    @property
    def within(self) -> bool:
        return self.value <= self.budget
