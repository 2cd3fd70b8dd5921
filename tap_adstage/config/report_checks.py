"""What is wrong with reports of any source, apart from the form of a value.

Each line names the report's key, its value and what is allowed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tap_adstage.runtime.wording import json_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from tap_adstage.config.declarations import Setting
    from tap_adstage.config.reports import ReportConfig


def report_form_errors(
    reports: Any,  # noqa: ANN401 - any JSON value
    keys: Sequence[Setting],
) -> Iterator[str]:
    """Find keys of reports that are missing, or given twice through an alias.

    Args:
        reports: The reports as given.
        keys: The keys that a report may have.

    Yields:
        One line for each error.
    """
    for number, report in enumerate(reports if isinstance(reports, list) else []):
        if not isinstance(report, Mapping):
            continue
        path = f"reports[{number}]"
        for key in keys:
            names = {key.name, key.alias} & report.keys()
            if len(names) > 1:
                yield (
                    f"{path}: {key.name} and {key.alias} mean the same; give one of "
                    "them"
                )
            if key.required and not names:
                yield f"{path}.{key.name}: not given; every report has one"


def slice_errors(
    path: str, report: ReportConfig, raw: Mapping[str, Any]
) -> Iterator[str]:
    """Find a total that is to leave out slices; of the setting, it takes no notice.

    Args:
        path: Place of the report, for an error.
        report: The report, typed.
        raw: The report as given, without aliases.

    Yields:
        One line for each error.
    """
    if raw.get("complete_slices") and report.aggregate_by == "total":
        yield (
            f"{path}.complete_slices: true is not allowed with aggregate_by total; a "
            "total has a single slice, its whole range, so end its date_range with a "
            "day that is over"
        )


def name_errors(
    reports: Sequence[ReportConfig], stream_names: Collection[str]
) -> Iterator[str]:
    """Find names of reports that other streams have.

    Args:
        reports: The reports, typed.
        stream_names: Names of the resource streams, which no report may take.

    Yields:
        One line for each error.
    """
    seen: set[str] = set()
    for number, report in enumerate(reports):
        refused = f"reports[{number}].name: {json_text(report.name)} is not allowed"
        if report.name in seen:
            yield f"{refused}; another report has it, and each has its own"
        elif report.name in stream_names:
            others = ", ".join(sorted(stream_names))
            yield f"{refused}; the tap's own streams are {others}"
        seen.add(report.name)
