"""What a change of some fields looks like, in the API's description."""

from collections.abc import Collection
from typing import Any

from pydantic import BaseModel


def partial(model: type[BaseModel], required: Collection[str] = ()) -> dict[str, Any]:
    """The schema of `model` where only the `required` fields need be there."""
    made = model.model_json_schema(ref_template="#/components/schemas/{model}")
    changed = {
        name: {key: value for key, value in field.items() if key != "default"}
        for name, field in made["properties"].items()
    }
    schema: dict[str, Any] = {"type": "object", "properties": changed, "additionalProperties": False}
    return {**schema, "required": [*required]} if required else schema
