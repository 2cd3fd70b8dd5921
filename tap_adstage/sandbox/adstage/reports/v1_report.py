"""The answer of the V1 report endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from tap_adstage.sandbox.adstage.reports.fields import DEFAULT_META_FIELDS, qualified
from tap_adstage.sandbox.adstage.reports.pieces import pieces_of
from tap_adstage.sandbox.adstage.reports.shared_meta import shared_meta
from tap_adstage.sandbox.adstage.reports.slices import timestamps
from tap_adstage.sandbox.adstage.reports.v1_links import page_links
from tap_adstage.sandbox.world.measures import Slice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tap_adstage.sandbox.adstage.reports.pieces import Piece, Row
    from tap_adstage.sandbox.adstage.reports.request import ReportRequest
    from tap_adstage.sandbox.adstage.reports.rows import ReportRows
    from tap_adstage.sandbox.adstage.reports.v1_links import V1Style

Json: TypeAlias = "dict[str, Any]"


def build_v1_report(
    request: ReportRequest,
    rows: ReportRows,
    user_id: int,
    url: str,
    style: V1Style,
) -> Any:  # noqa: ANN401
    """Return a report, or the part of it that the request's `query` selects.

    Args:
        request: The request.
        rows: The rows of the report.
        user_id: The user id that folder fields end with.
        url: The report's address, without a query.
        style: The style of the links to other pages.
    """
    report = _Report(request, rows, user_id)
    kind = "metrics" if request.aggregate_by is None else "time_series"
    count = len(rows.matching)
    answer = {
        "_embedded": {
            f"adstage:{kind}": [report.row(row) for row in rows.shown],
            f"adstage:{kind}/totals": report.totals(),
        },
        "counts": {
            "overall": rows.overall,
            "filtered_buckets": count,
            "page": len(rows.page),
            "filtered": count,
            "overall_buckets": rows.overall,
        },
        "_links": page_links(request, count, url, style),
    }
    query = request.body.get("query")
    return answer if query is None else _select(answer, query)


def _select(value: Any, query: Any) -> Any:  # noqa: ANN401 (JSON is anything)
    """Return the selection of a query: all if it is true, else the keys in it."""
    if isinstance(query, bool):
        return value
    if isinstance(value, list):
        return [_select(item, query) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _select(value[key], subquery)
        for key, subquery in query.items()
        if key in value and subquery is not None and subquery is not False
    }


class _Report:
    """Writes the parts of a report."""

    def __init__(self, request: ReportRequest, rows: ReportRows, user_id: int) -> None:
        self._request = request
        self._rows = rows
        self._user_id = user_id
        first, last = request.slices[0][0], request.slices[-1][0]
        self._timeframe = timestamps(Slice(first.start, last.end))

    def row(self, row: Row) -> Json:
        """Return a row, with a series if there are slices."""
        written = {
            **self._numbers(row.pieces),
            "timeframe": self._timeframe,
            "meta": self._meta(row),
        }
        if self._request.aggregate_by is None:
            return written
        return {"id": self._id(row), **written}

    def totals(self) -> Json:
        """Return the totals of the rows on all pages."""
        pieces = pieces_of(self._rows.matching)
        entities = [piece.entity for piece in pieces]
        return {
            "id": "totals",
            **self._numbers(pieces),
            "timeframe": self._timeframe,
            "meta": {
                "currency_code": shared_meta(entities, "currency_code"),
                "currency_symbol": shared_meta(entities, "currency_symbol"),
                "series_name": "All",
            },
        }

    def _numbers(self, pieces: Sequence[Piece]) -> Json:
        """Return the metrics of the whole range and of each slice, if there are any."""
        metrics = self._request.metrics
        data = self._rows.numbers.totals(pieces, metrics)
        if self._request.aggregate_by is None:
            return {"data": data}
        series = self._rows.numbers.series(pieces, metrics)
        return {
            "data": data,
            "series": [
                {
                    "data": {name: values[place] for name, values in series.items()},
                    "timeframe": timestamps(whole),
                }
                for place, (whole, _) in enumerate(self._request.slices)
            ],
        }

    def _meta(self, row: Row) -> Json:
        request = self._request
        fields = [*request.meta_fields, *request.dimensions, *DEFAULT_META_FIELDS]
        if request.group_by is not None:
            fields.append(request.group_by)
        meta = {
            qualified(field, self._user_id): self._rows.meta(row, field)
            for field in dict.fromkeys(fields)
        }
        if request.provider.omits_nulls:
            for name, value in row.cell:
                if value is None:
                    meta.pop(name, None)
        kind = "row_name" if request.aggregate_by is None else "series_name"
        is_group = request.group_by is not None
        return {**meta, kind: row.group if is_group else row.entities[0].name}

    def _id(self, row: Row) -> str:
        cell = ",".join(f"{name}={value or ''}" for name, value in row.cell)
        return f"{self._rows.meta(row, 'id')}{f'[{cell}]' if cell else ''}"
