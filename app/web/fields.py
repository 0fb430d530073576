"""Reads what a form or a program sent, before anything is opened or written."""

from typing import Annotated, Any
from unicodedata import category

from fastapi import Depends, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field, ValidationError, WithJsonSchema
from starlette.datastructures import FormData

from app.core.errors import InvalidInput
from app.core.language import say
from app.core.malformed import field_errors
from app.models.content import CHOOSABLE
from app.models.states import Frequency
from app.stages.audience.early import Early
from app.stages.audience.origin import HIDDEN, LONGEST_SOURCE, LONGEST_UTM, UTM, Origin, of_fields
from app.stages.audience.wishes import LONGEST_NAME
from app.web.speech import speak

FORM_TYPES = ("application/x-www-form-urlencoded", "multipart/form-data")


Utm = Annotated[str, Field(json_schema_extra={"maxLength": LONGEST_UTM})]
_SECTIONS: Any = {"type": "array", "minItems": 1, "items": {"type": "string", "enum": [*map(str, CHOOSABLE)]}}
_FREQUENCY: Any = {"type": "string", "enum": [*map(str, Frequency)]}
_BY_PROGRAMS = ("sections", "frequency")


class SignUp(BaseModel):
    """A wish to read the paper."""

    model_config = ConfigDict(extra="forbid")

    email: str
    timezone: str = ""
    """An IANA name, such as Europe/London; empty or unknown means the paper's own."""
    first_name: Annotated[str, Field(json_schema_extra={"maxLength": LONGEST_NAME})] = ""
    """May wait for the preferences page; never stands in the confirmation mail."""
    sections: Annotated[list[str] | None, WithJsonSchema(_SECTIONS)] = None
    """Which sections to begin with; all of them where none is named."""
    frequency: Annotated[str | None, WithJsonSchema(_FREQUENCY)] = None
    source: Annotated[str, Field(json_schema_extra={"maxLength": LONGEST_SOURCE})] = ""
    """Where the reader found the form, in the sender's own words."""
    language: str = ""
    """The language of pages and service mail, as an RFC 5646 tag such as de; empty or unknown means the paper's own."""
    placement: Annotated[str, Field(json_schema_extra={"maxLength": 40})] = ""
    """The code of a placement; one that is not known is kept as the source."""
    utm_source: Utm = ""
    utm_medium: Utm = ""
    utm_campaign: Utm = ""
    utm_term: Utm = ""
    utm_content: Utm = ""
    altcha: str = ""
    """The solution of a challenge of /altcha, as ALTCHA's libraries encode it; needed where /altcha gives one."""

    def early(self) -> Early:
        """What was chosen with the wish."""
        return Early(self.first_name, None if self.sections is None else tuple(self.sections), self.frequency)

    def origin(self) -> Origin:
        """Where the wish came from, as it was told."""
        return Origin(self.source, self.placement, {name: getattr(self, name) for name in UTM})


def media_type(request: Request) -> str:
    """The Content-Type without its parameters, in lower case."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def is_form(request: Request) -> bool:
    """Did a form send this, and not a program?"""
    return media_type(request) in FORM_TYPES


async def form_of(request: Request) -> FormData:
    """A form in either encoding. Raises HTTPException 400 where it cannot be read; files are not taken."""
    await request.body()  # kept by the request, so that others may read it again
    return await request.form(max_files=0, max_fields=20)


async def sign_up(request: Request) -> SignUp:
    """The sign-up in the body, JSON or form. Raises InvalidInput, or HTTPException for a body of another kind."""
    kind = media_type(request)
    if kind == "application/json":
        read = _from_json(await request.body())
    elif is_form(request):
        read = _from_form(await form_of(request))
    else:
        raise HTTPException(415, "Send a form or JSON.")
    speak(request, read.language)
    refuse_controls(read)
    return read


def _from_json(body: bytes) -> SignUp:
    try:
        return SignUp.model_validate_json(body)
    except ValidationError as error:
        found = field_errors(error)
        raise InvalidInput(
            "; ".join(f"{one.field}: {one.message}".removeprefix(": ") for one in found), "", found
        ) from None


def _from_form(form: FormData) -> SignUp:
    typed = {name: str(form.get(name, "")) for name in SignUp.model_fields if name not in _BY_PROGRAMS}
    # Whoever presses the button cannot mend a hidden field: where they came from is cut to fit, never refused.
    told = of_fields(typed).fields()
    fields: dict[str, Any] = {name: told.get(name, "") if name in HIDDEN else typed[name] for name in typed}
    return SignUp(**fields)


def form_schema() -> dict[str, Any]:
    """The fields of a form, for the API's description: text alone, and any other field is passed over."""
    fields = SignUp.model_json_schema()["properties"]
    return {
        "type": "object",
        "required": ["email"],
        "properties": {name: fields[name] for name in fields if name not in _BY_PROGRAMS},
    }


def refuse_controls(fields: BaseModel) -> None:
    """Raises InvalidInput where a text field holds a control character or half a surrogate pair."""
    for name, value in fields:
        if isinstance(value, str) and any(category(sign) in ("Cc", "Cs") for sign in value):
            raise InvalidInput(say("That contains a character that cannot be typed. Please type it again."), name)


SignUpDep = Annotated[SignUp, Depends(sign_up)]
