"""Reads, checks and applies the filters of reports."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

from tap_adstage.sandbox.adstage.refusals import RefusedRequest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_adstage.sandbox.adstage.reports.fields import FieldNames

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "lt": operator.lt,
    "gte": operator.ge,
    "lte": operator.le,
}
_MEMBERSHIPS = ("in", "iin")
_MATCHES = ("match", "nomatch", "imatch", "inomatch")
_OPERATORS = (*_COMPARISONS, *_MEMBERSHIPS, *_MATCHES)


@dataclass(frozen=True)
class Filter:
    """A condition on a metric or meta field.

    Attributes:
        field: Name of the field, without `meta/`.
        is_meta: Whether it is a meta field or dimension. Such a filter applies to
            entities before they are grouped; one on a metric applies to rows.
    """

    field: str
    is_meta: bool
    op: str
    value: Any

    def accepts(self, actual: object) -> bool:
        """Return whether a value meets the condition.

        A comparison with null is false. At least one element of a list must meet the
        condition; for `nomatch` and `inomatch`, no element may match.
        """
        negated = self.op in {"nomatch", "inomatch"}
        values = actual if isinstance(actual, list) else [actual]
        met = any(self._meets(value) for value in values if value is not None)
        return met is not negated

    def _meets(self, actual: object) -> bool:
        if self.op in _COMPARISONS:
            are_numbers = isinstance(actual, (int, float)) and not isinstance(
                self.value, str
            )
            are_texts = isinstance(actual, str) and isinstance(self.value, str)
            return (are_numbers or are_texts) and _COMPARISONS[self.op](
                actual, self.value
            )
        if self.op == "in":
            return actual in self.value
        if self.op == "iin":
            return _folded(actual) in {_folded(value) for value in self.value}
        if self.op in {"match", "nomatch"}:
            return self.value in str(actual)
        return str(self.value).casefold() in str(actual).casefold()


def parse_filters(value: object, names: FieldNames) -> tuple[Filter, ...]:
    """Return the filters of a request body.

    Raises:
        RefusedRequest: A filter is not as documented.
    """
    if value is None:
        return ()
    if not isinstance(value, list):
        _refuse(f"must be an array, not {value!r}")
    return tuple(_parse_filter(item, names) for item in value)


def _parse_filter(value: object, names: FieldNames) -> Filter:
    if not isinstance(value, dict) or set(value) != {"path", "op", "value"}:
        _refuse(f"a filter is an object with path, op and value, not {value!r}")
    path, op, operand = value["path"], value["op"], value["value"]
    if op not in _OPERATORS:
        _refuse(f"op must be one of {', '.join(_OPERATORS)}, not {op!r}")
    if not isinstance(path, str):
        _refuse(f"path must be a string, not {path!r}")
    is_meta = path.startswith("meta/")
    name = names.unqualified(path.removeprefix("meta/"))
    is_known = names.can_filter(name) if is_meta else name in names.provider.metrics
    if not is_known:
        _refuse(f"path must be a metric or meta/ and a meta field, not {path!r}")
    _check_operand(op, operand, is_meta=is_meta)
    return Filter(name, is_meta, op, operand)


def _check_operand(op: str, value: object, *, is_meta: bool) -> None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if op in _COMPARISONS:
        if not is_number and not (is_meta and isinstance(value, str)):
            _refuse(f"{op} takes a number, not {value!r}")
    elif op in _MEMBERSHIPS:
        if not isinstance(value, list) or not all(
            isinstance(item, (str, int, float)) for item in value
        ):
            _refuse(f"{op} takes an array of strings or numbers, not {value!r}")
    elif not is_meta:
        _refuse(f"{op} is for text, but metrics are numbers")
    elif not isinstance(value, str):
        _refuse(f"{op} takes a string, not {value!r}")


def _folded(value: object) -> object:
    return value.casefold() if isinstance(value, str) else value


def _refuse(message: str) -> NoReturn:
    raise RefusedRequest(f"filters: {message}")
