"""The names of fields in report requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_adstage.sandbox.adstage.reports.body_values import refuse, strings
from tap_adstage.sandbox.world.meta_fields import (
    LIST_FIELDS,
    OBJECT_FIELDS,
    SHOWN_FIELDS,
)
from tap_adstage.sandbox.world.metrics import METRICS

if TYPE_CHECKING:
    from tap_adstage.sandbox.world.providers import Provider


@dataclass(frozen=True)
class FieldNames:
    """Tells fields of a provider from what is none.

    Attributes:
        provider: Whose fields they are.
        user_id: The user by whom folder fields may be qualified.
    """

    provider: Provider
    user_id: int

    def one(self, value: object, where: str) -> str:
        """Return the name of a field that can be shown, without the user in it.

        Raises:
            RefusedRequest: It is none.
        """
        if not isinstance(value, str):
            refuse(f"{where} must be the name of a field, not {value!r}")
        name = self.unqualified(value)
        if name not in self.provider.fields:
            self._refuse_unknown(value, where)
        return name

    def several(self, value: object, where: str) -> tuple[str, ...]:
        """Return the names of an array that is not empty, each once.

        Raises:
            RefusedRequest: There is none, or one is no field.
        """
        names = strings(value, where)
        if not names:
            refuse(f"{where} must not be empty")
        return tuple(dict.fromkeys(self.one(name, where) for name in names))

    def to_sort_by(self, value: object) -> str:
        """Return a field to sort by, which may also be one that every row has.

        Raises:
            RefusedRequest: It is none.
        """
        return str(value) if value in SHOWN_FIELDS else self.one(value, "sort_by")

    def to_group_by(self, value: object) -> str | None:
        """Return a meta field to group by, None where there is none.

        Raises:
            RefusedRequest: It is a metric, or has objects for values.
        """
        if value is None:
            return None
        name = self.one(value, "group_by")
        if name in self.provider.metrics or name in OBJECT_FIELDS:
            refuse(f"group_by must be a meta field with simple values, not {value!r}")
        return name

    def is_text(self, name: str) -> bool:
        """Tell whether a filter can be about this meta field or dimension."""
        known = (*self.provider.meta_fields, *self.provider.dimensions, *SHOWN_FIELDS)
        return name in known and name not in OBJECT_FIELDS

    def unqualified(self, name: str) -> str:
        """Return the name of a folder field without its user, others as they are."""
        short = name.removesuffix(f".{self.user_id}")
        return short if short in LIST_FIELDS else name

    def _refuse_unknown(self, name: str, where: str) -> None:
        metric = METRICS.get(name)
        if metric is not None and metric.is_calculated:
            refuse(f"{where}: API V1 has no calculated metrics such as {name!r}")
        of = f" of {self.provider.name}" if self.provider.is_external else ""
        refuse(f"{where}: there is no metric or meta field {name!r}{of}")
