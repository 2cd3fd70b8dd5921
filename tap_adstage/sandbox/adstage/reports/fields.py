"""Reads and checks the names of fields in report requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_adstage.sandbox.adstage.reports.body_values import refuse, strings
from tap_adstage.sandbox.world.meta_fields import (
    LIST_FIELDS,
    OBJECT_FIELDS,
    TRACKING_PARAMETER,
)
from tap_adstage.sandbox.world.metrics import METRICS

if TYPE_CHECKING:
    from tap_adstage.sandbox.world.providers import Provider

DEFAULT_META_FIELDS = ("currency_code", "currency_symbol", "entity_id", "network")
"""Meta fields of every row, even if the request omits them."""


@dataclass(frozen=True)
class FieldNames:
    """The names of a provider's fields.

    Attributes:
        provider: Its fields are known, all others unknown.
        user_id: The user id that folder fields may end with.
    """

    provider: Provider
    user_id: int

    def parse_one(self, value: object, where: str) -> str:
        """Return the name of a field, without a user id at its end.

        Raises:
            RefusedRequest: The field is unknown.
        """
        if not isinstance(value, str):
            refuse(f"{where} must be the name of a field, not {value!r}")
        name = self.unqualified(value)
        if name not in self.provider.fields and not self._is_parameter(name):
            self._refuse_unknown(value, where)
        return name

    def parse_many(self, value: object, where: str) -> tuple[str, ...]:
        """Return the names in a non-empty array, without duplicates.

        Raises:
            RefusedRequest: The array is empty, or a field is unknown.
        """
        names = strings(value, where)
        if not names:
            refuse(f"{where} must not be empty")
        return tuple(dict.fromkeys(self.parse_one(name, where) for name in names))

    def parse_sort_by(self, value: object) -> str:
        """Return a field to sort by, which may also be a default meta field.

        Raises:
            RefusedRequest: The field is unknown.
        """
        return (
            str(value)
            if value in DEFAULT_META_FIELDS
            else self.parse_one(value, "sort_by")
        )

    def parse_group_by(self, value: object) -> str | None:
        """Return a meta field to group by, None if the report is not grouped.

        Raises:
            RefusedRequest: The field is unknown, a metric, or has objects as values.
        """
        if value is None:
            return None
        name = self.parse_one(value, "group_by")
        if name in self.provider.metrics or name in OBJECT_FIELDS:
            refuse(f"group_by must be a meta field with simple values, not {value!r}")
        return name

    def can_filter(self, name: str) -> bool:
        """Return whether a meta filter accepts a field with this name."""
        known = (
            *self.provider.meta_fields,
            *self.provider.dimensions,
            *DEFAULT_META_FIELDS,
        )
        return self._is_parameter(name) or (name in known and name not in OBJECT_FIELDS)

    def unqualified(self, name: str) -> str:
        """Return a folder field's name without the user id, others unchanged."""
        short = name.removesuffix(f".{self.user_id}")
        return short if short in LIST_FIELDS else name

    def _is_parameter(self, name: str) -> bool:
        is_parameter = TRACKING_PARAMETER.fullmatch(name) is not None
        return is_parameter and not self.provider.is_external

    def _refuse_unknown(self, name: str, where: str) -> None:
        metric = METRICS.get(name)
        if metric is not None and metric.is_calculated:
            refuse(f"{where}: API V1 has no calculated metrics such as {name!r}")
        of = f" of {self.provider.name}" if self.provider.is_external else ""
        refuse(f"{where}: unknown field {name!r}{of}; use a metric or meta field")


def qualified(field: str, user_id: int) -> str:
    """Return a meta field's name in answers, folder fields with the user id."""
    return f"{field}.{user_id}" if field in LIST_FIELDS else field
