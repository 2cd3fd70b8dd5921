"""Meta fields of several entities together, as groups and summaries show them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tap_adstage.sandbox.world.meta_fields import legacy_id

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_adstage.sandbox.world.entities import Entity

MAX_TEXTS = 100
"""The most texts in a group's meta field."""

_SINGLE_FIELDS = frozenset({"currency_code", "currency_symbol"})
"""Meta fields that are a single text for groups too, null for a mixed group."""


def shared_meta(entities: Iterable[Entity], field: str, *, suffix: str = "") -> object:
    """Return the value of a meta field for several entities together.

    It is null for `entity_id`, the accounts' legacy ids in one text for `id`, the
    currency if all have the same, and a list of distinct values for any other field.

    Args:
        entities: The entities.
        field: The name of the meta field.
        suffix: Text at the end of `id`.
    """
    if field == "entity_id":
        return None
    if field == "id":
        accounts = dict.fromkeys(entity.account for entity in entities)
        return ",".join(legacy_id(account) for account in accounts) + suffix
    values = _distinct(entities, field)
    if field in _SINGLE_FIELDS:
        return values[0] if len(values) == 1 else None
    return values[:MAX_TEXTS]


def _distinct(entities: Iterable[Entity], field: str) -> list[object]:
    """Return the distinct values of a field, without nulls, in order of appearance."""
    distinct: dict[object, object] = {}
    for entity in entities:
        value = entity.meta(field)
        for item in value if isinstance(value, list) else [value]:
            if item is not None:
                key = json.dumps(item) if isinstance(item, dict) else item
                distinct.setdefault(key, item)
    return list(distinct.values())
