"""The answer of the V2 report endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from tap_adstage.sandbox.adstage import hal
from tap_adstage.sandbox.adstage.reports.fields import DEFAULT_META_FIELDS, qualified
from tap_adstage.sandbox.adstage.reports.pieces import pieces_of
from tap_adstage.sandbox.adstage.reports.shared_meta import shared_meta
from tap_adstage.sandbox.adstage.reports.slices import timestamps
from tap_adstage.sandbox.adstage.reports.v2_forms import form_link, page_forms
from tap_adstage.sandbox.world.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_adstage.sandbox.adstage.reports.pieces import Piece, Row
    from tap_adstage.sandbox.adstage.reports.request import ReportRequest
    from tap_adstage.sandbox.adstage.reports.rows import ReportRows
    from tap_adstage.sandbox.world.metrics import Metric

Json: TypeAlias = "dict[str, Any]"


def build_report(
    request: ReportRequest,
    rows: ReportRows,
    organization_id: int,
    user_id: int,
    api_url: str,
) -> Json:
    """Return a report.

    Args:
        request: The request.
        rows: The rows of the report.
        organization_id: The organization whose endpoint was called.
        user_id: The user id that folder fields end with.
        api_url: The API's address, without a slash at the end.
    """
    report = _Report(request, rows, user_id, api_url)
    forms = page_forms(
        request, len(rows.matching), f"{api_url}/organizations/{organization_id}/report"
    )
    links = {name: form_link(form) for name, form in forms.items()}
    return {
        "summary": report.summary(),
        "type": "rows" if request.output_format == "row" else "timeseries",
        "time": report.time(),
        "_embedded": {"results": [report.result(row) for row in rows.shown]},
        "_forms": forms,
        "_links": {"results": [], **links},
    }


class _Report:
    """Writes the parts of a report."""

    def __init__(
        self, request: ReportRequest, rows: ReportRows, user_id: int, api_url: str
    ) -> None:
        self._request = request
        self._rows = rows
        self._user_id = user_id
        self._api_url = api_url

    def time(self) -> Json:
        """Return the requested range, and the slices of a series."""
        request = self._request
        time: Json = timestamps(request.days)
        if request.aggregate_by is not None:
            time["interval"] = request.aggregate_by
        if request.output_format == "series":
            time["timestamps"] = [
                f"{whole.start}T00:00:00Z" for whole, _ in request.slices
            ]
        return time

    def result(self, row: Row) -> Json:
        """Return a row or series."""
        request = self._request
        numbers = self._numbers(row.pieces, request.metrics, request.output_format)
        meta = self._row_meta(row)
        if request.output_format == "row":
            result = {**numbers, "meta": meta}
        else:
            series = numbers.pop("series")
            result = {"summary": {**numbers, "meta": meta}, "series": series}
        links = {}
        if request.group_by is None:
            links = hal.entity_link(row.entities[0], self._api_url)
        return {**result, "_embedded": {}, "_forms": {}, "_links": links}

    def summary(self) -> Json | None:
        """Return the requested summaries, None without any."""
        summaries = self._request.summaries
        if summaries is None:
            return None
        summary: Json = {
            "summaries": list(summaries.on),
            "type": f"summary_{summaries.format}",
        }
        if "page" in summaries.on:
            summary["page"] = self._page_summary(summaries.format)
        if "filtered" in summaries.on:
            summary["filtered"] = self._filtered_summary(summaries.format)
        return summary

    def _page_summary(self, summary_format: str) -> Json:
        pieces = pieces_of(self._rows.page)
        summary = self._numbers(pieces, self._summary_metrics(), summary_format)
        if summary_format == "row":
            summary.pop("series", None)  # only the summary of filtered rows has one
        fields = ("currency_code", "currency_symbol", *self._summary_meta_fields())
        return {**summary, "meta": self._shared_meta(pieces, fields)}

    def _filtered_summary(self, summary_format: str) -> Json:
        """Return the summary of all rows, which has no calculated metrics."""
        pieces = pieces_of(self._rows.matching)
        metrics = [
            metric for metric in self._summary_metrics() if not metric.is_calculated
        ]
        fields = [
            *DEFAULT_META_FIELDS,
            *(["id"] if summary_format == "row" else []),
            *self._summary_meta_fields(),
        ]
        return {
            **self._numbers(pieces, metrics, summary_format),
            "count": len(self._rows.matching),
            "meta": self._shared_meta(pieces, fields),
        }

    def _summary_metrics(self) -> list[Metric]:
        summaries = self._request.summaries
        names = () if summaries is None else summaries.fields
        return [METRICS[name] for name in names if name in METRICS]

    def _summary_meta_fields(self) -> list[str]:
        summaries = self._request.summaries
        names = () if summaries is None else summaries.fields
        return [name for name in names if name not in METRICS]

    def _numbers(
        self, pieces: Sequence[Piece], metrics: Sequence[Metric], form: str
    ) -> Json:
        """Return the metrics of the whole range and of each slice, if there are any.

        In rows, the slices are a list of objects; in series, each metric has a list.
        """
        numbers = _by_kind(self._rows.numbers.totals(pieces, metrics))
        if self._request.aggregate_by is None:
            return numbers
        series = self._rows.numbers.series(pieces, metrics)
        if form == "series":
            return {**numbers, "series": _by_kind(series)}
        rows = [
            {
                **_by_kind({name: values[place] for name, values in series.items()}),
                "time": timestamps(whole),
            }
            for place, (whole, _) in enumerate(self._request.slices)
        ]
        return {**numbers, "series": rows}

    def _row_meta(self, row: Row) -> Json:
        request = self._request
        fields = [*DEFAULT_META_FIELDS]
        if request.output_format == "row":
            fields.append("id")
        if request.group_by is not None:
            fields.append(request.group_by)
        fields.extend(request.meta_fields)
        return {
            qualified(field, self._user_id): self._rows.meta(row, field)
            for field in dict.fromkeys(fields)
        }

    def _shared_meta(self, pieces: Sequence[Piece], fields: Sequence[str]) -> Json:
        entities = [piece.entity for piece in pieces]
        return {
            qualified(field, self._user_id): shared_meta(entities, field)
            for field in dict.fromkeys(fields)
        }


def _by_kind(numbers: dict[str, Any]) -> Json:
    """Separate calculated metrics from the others."""
    return {
        "calculated": {
            name: value
            for name, value in numbers.items()
            if METRICS[name].is_calculated
        },
        "metrics": {
            name: value
            for name, value in numbers.items()
            if not METRICS[name].is_calculated
        },
    }
