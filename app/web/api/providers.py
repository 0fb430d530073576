"""Providers: the ways out, their limits, and what is left of today."""

from dataclasses import asdict
from datetime import date

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field

from app.models.breaker import Breaker
from app.stages.send.standing import standings
from app.web.api.auth import Reader
from app.web.api.json_route import JsonRoute
from app.web.deps import ContainerDep, ReadSession

router = APIRouter(prefix="/providers", tags=["providers"], route_class=JsonRoute)


class ProviderOut(BaseModel):
    """A provider of MORNINGPOST_PROVIDERS; null where it has no such limit."""

    name: str
    real: bool = Field(description="False for the outbox, which reaches nobody.")
    in_use: bool = Field(description="Mail leaves through it.")
    breaker: Breaker = Field(description="Open: it failed and is left alone; half open: a few messages try it next.")
    open_until: AwareDatetime | None
    failures: int = Field(description="In a row.")
    last_fault: str = Field(description="The last that was wrong with it, also where it works again.")
    last_fault_at: AwareDatetime | None
    rate: float | None = Field(description="Messages a second.")
    per_day: int | None
    warmup_day: int | None = Field(description="Today as a day of the warm-up, counted from 1.")
    today: date = Field(description="In the paper's own zone.")
    used_today: int | None = Field(description="Messages begun today; counted where there is a limit.")
    allowed_today: int | None = Field(description="By the day's limit or the warm-up, whichever is less.")
    left_for_papers: int | None
    left_for_service: int | None = Field(description="For confirmations and the like, which may use the whole day.")
    domain_rates: dict[str, float] = Field(description="Messages a second to large mailbox providers with a limit.")
    barred: dict[str, AwareDatetime] = Field(description="Mailbox providers that slow us down, left alone until then.")
    coming_back: dict[str, float] = Field(
        description="Those that did so lately: messages a second to each now, more with every quiet minute."
    )


@router.get("", summary="List the ways out, with what is left of today")
async def index(session: ReadSession, container: ContainerDep, _: Reader) -> list[ProviderOut]:
    found = await standings(
        session, container.providers, container.limits, container.settings.zone, container.clock.now()
    )
    return [ProviderOut(**asdict(one)) for one in found]
