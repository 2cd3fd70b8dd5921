"""The metrics of a report as a type, so that nothing else of a page is decoded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tap_adstage.exceptions import ResponseError

if TYPE_CHECKING:
    from tap_adstage.reports.columns import ReportColumns


def metrics_type(columns: ReportColumns, value: Any) -> Any:  # noqa: ANN401 - a type
    """Make the type of an object of metrics by field.

    Args:
        columns: The report's columns.
        value: The type of each value.

    Returns:
        A struct with a member for each of `ReportColumns.metrics`, in their order. A
        missing metric is null.
    """
    fields = {f"m{number}": c.field for number, c in enumerate(columns.metrics)}
    members = [(name, value | None, None) for name in fields]
    return msgspec.defstruct("Metrics", members, rename=fields, gc=False)


def merge_metrics(metrics: Any, calculated: Any, where: str) -> tuple[Any, ...]:  # noqa: ANN401
    """Take each metric from the first of two objects that has it.

    Args:
        metrics: An object of `metrics_type`, or `None`.
        calculated: Another one, or `None`.
        where: The place of both, for an error.

    Raises:
        ResponseError: If there is neither.
    """
    if metrics is None and calculated is None:
        raise ResponseError(f"{where} has no metrics")
    values = msgspec.structs.astuple(calculated if metrics is None else metrics)
    if metrics is None or calculated is None or None not in values:
        return values
    others = msgspec.structs.astuple(calculated)
    return tuple(b if a is None else a for a, b in zip(values, others, strict=True))
