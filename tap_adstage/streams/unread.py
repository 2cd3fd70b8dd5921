"""What settings and the catalog leave out of a run, so that nobody has to guess."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_adstage.runtime.wording import shorten
from tap_adstage.streams.report_stream import ReportStream

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_adstage.streams.base import BaseStream


def unread_warnings(
    streams: Sequence[BaseStream], *, has_catalog: bool
) -> Iterator[str]:
    """List what a run is not going to read, with the cause.

    Args:
        streams: All streams of the run.
        has_catalog: Whether a catalog was given.

    Yields:
        A line if nothing is selected, for each report with fields that the catalog
        lacks, and for each setting that leaves reports nothing to request.
    """
    if has_catalog and not any(stream.is_selected_in_catalog for stream in streams):
        yield "catalog: selects no stream, so nothing is read"
    reports = [s for s in streams if isinstance(s, ReportStream) and s.selected]
    for report in reports:
        if report.fields_not_in_catalog:
            yield (
                f"{report.name}: skipped {shorten(report.fields_not_in_catalog)}, as "
                "the catalog lacks them; write it anew with --discover, or run meltano "
                "with --refresh-catalog"
            )
    causes: dict[str, list[str]] = {}
    for report in reports:
        if report.why_unread:
            causes.setdefault(report.why_unread, []).append(report.name)
    for cause, names in causes.items():
        yield f"{', '.join(names)}: nothing to request: {cause}"
