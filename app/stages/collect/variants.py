"""Folds repacks into the model they were made from, so that one release takes one row. Pure.

A quarter of a trending top ten are quantised, converted or "uncensored" copies of one base on average. The Hub says
what a model was made from in `baseModels` and in tags (`base_model:quantized:owner/name`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.models.counts import Row
from app.stages.collect import values

_REPACKS = frozenset({"quantized", "adapter", "merge"})
_RELATIONS = _REPACKS | {"finetune"}
_TAG = "base_model:"


@dataclass(frozen=True, slots=True)
class Parent:
    """What a model was made from. A repack is the same model in another form; a fine-tune may be news of its own."""

    name: str
    repack: bool


@dataclass(frozen=True, slots=True)
class Listed:
    row: Row
    parent: Parent | None = None


def parent_of(base_models: Any, tags: Sequence[str]) -> Parent | None:
    """The first base that `baseModels` or, without it, the tags name."""
    told = values.mapping(base_models)
    models = told.get("models")
    first = values.mapping(models[0] if isinstance(models, list) and models else None)
    if name := values.text(first.get("id")):
        return Parent(name, values.text(told.get("relation")) in _REPACKS)
    plain = None
    for tag in tags:
        if not tag.startswith(_TAG):
            continue
        relation, _, name = tag.removeprefix(_TAG).partition(":")
        if name and relation in _RELATIONS:
            return Parent(name, relation in _REPACKS)
        plain = plain or Parent(tag.removeprefix(_TAG), repack=False)
    return plain


def fold(listed: Sequence[Listed]) -> tuple[Row, ...]:
    """One row a family, in no order, with the number of others in `variants`.

    A repack always belongs to its base's family. A fine-tune does only while its base is listed and stands at least
    as high: otherwise it is the news. The family's row is the base where it is listed, else its highest member;
    the numbers printed are that row's own.
    """
    by_name = {one.row.name: one for one in listed}
    families: dict[str, list[Row]] = {}
    for one in listed:
        families.setdefault(_root(one, by_name), []).append(one.row)
    return tuple(_head(root, rows) for root, rows in families.items())


def _root(one: Listed, by_name: Mapping[str, Listed]) -> str:
    """The name of the family: the furthest base that may be followed. A circle of bases ends where it closes."""
    name, seen = one.row.name, {one.row.name}
    while (parent := one.parent) is not None and parent.name not in seen:
        base = by_name.get(parent.name)
        if not parent.repack and (base is None or _standing(base.row) < _standing(one.row)):
            break
        name = parent.name
        seen.add(name)
        if base is None:
            break
        one = base
    return name


def _head(root: str, rows: Sequence[Row]) -> Row:
    best = min(rows, key=lambda row: (row.name != root, -_standing(row), row.name))
    return replace(best, variants=len(rows) - 1)


def _standing(row: Row) -> float:
    return row.score or 0.0
