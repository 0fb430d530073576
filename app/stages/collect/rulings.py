"""What an editor decides about a thing that is counted. It takes hold when the charts are made next."""

from dataclasses import replace

from app.core.db import Session
from app.core.errors import Conflict, InvalidInput, NotFound
from app.core.text import is_clean
from app.models.counts import Ruling, Thing, ref_of
from app.store import counts


async def rule(session: Session, name: str, ruling: Ruling | None) -> tuple[int, str, Thing]:
    """Allows or blocks the thing of that name, id or ref (`github:repository:102`); None takes a ruling back.

    Gives its row's id, its ref and what is known of it now. Raises NotFound, Conflict where several bear the name, and
    InvalidInput where nothing can.
    """
    if not is_clean(name):
        raise InvalidInput("A name is one line without control characters.", "thing")
    *_, key = name.split(":", 2)
    found = [
        (thing_id, thing, ref_of(source, kind, thing.external_id))
        for thing_id, source, kind, thing in await counts.named(session, key)
    ]
    if ":" in name:
        found = [one for one in found if one[2] == name]
    if not found:
        raise NotFound(f"Nothing that is called {name} was ever counted.")
    if len(found) > 1:
        raise Conflict(f"Several things are called {name}; say which: {', '.join(ref for _, _, ref in found)}")
    thing_id, thing, ref = found[0]
    await counts.rule(session, thing_id, ruling)
    return thing_id, ref, replace(thing, ruling=ruling)
