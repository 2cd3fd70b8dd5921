"""Duplicate rows in a window: the same are written once, others not at all."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
import pytest
from harness.reports import report_config

from tap_adstage.adstage.fields import FieldCatalog
from tap_adstage.adstage.report_columns import report_columns
from tap_adstage.exceptions import ResponseError
from tap_adstage.reports.duplicates import DuplicateFilter
from tap_adstage.reports.rows import Row
from tap_adstage.runtime.statistics import RunStats

CATALOG = FieldCatalog.of([{"id": "clicks"}, {"id": "spend"}])
FACEBOOK = FieldCatalog.of([{"id": "clicks"}], is_external=True)
ACCOUNT = "/network/quora/account/1"


class Filter:
    """A filter of a report's rows, each with the metric `clicks` on two days."""

    def __init__(self, catalog: FieldCatalog = CATALOG, **keys: Any) -> None:  # noqa: ANN401
        fields = ["clicks", "spend", "folder_names"]
        report = {"entity_level": "accounts", "fields": fields, **keys}
        columns = report_columns(report_config(**report), catalog)
        self.columns = columns
        self.filter = DuplicateFilter(
            "r", columns, logging.getLogger("tap-adstage"), RunStats(lambda: 0.0)
        )

    def accept(self, *clicks: int, **attributes: Any) -> bool:  # noqa: ANN401
        """Pass a row, whose attributes are those of one account but for some."""
        known = {"entity_id": ACCOUNT, "network": "quora", **attributes}
        values = tuple(known.get(column.name) for column in self.columns.attributes)
        numbers = list(clicks or (1, 2))
        lines = msgspec.json.Encoder().encode_lines([[*values, n] for n in numbers])
        return self.filter.accept(Row(values, [numbers]), lines)


def test_duplicates_are_logged_once_and_summed_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    seen = Filter()
    assert seen.accept()
    assert [seen.accept() for _ in range(3)] == [False] * 3
    seen.filter.begin_window()
    assert [seen.accept() for _ in range(2)] == [True, False]
    seen.filter.log_summary()
    assert [record.getMessage() for record in caplog.records] == [
        (
            f"r: duplicate row of entity_id {ACCOUNT} with the same values; such rows "
            "are written once"
        ),
        "r: skipped 8 duplicate records",
    ]


def test_nothing_is_logged_without_duplicates(caplog: pytest.LogCaptureFixture) -> None:
    seen = Filter()
    assert seen.accept()
    assert seen.accept(entity_id="/network/quora/account/2")
    seen.filter.log_summary()
    assert not caplog.records


@pytest.mark.parametrize(
    ("clicks", "attributes"),
    [
        ((1, 1), {}),
        ((2, 1), {}),
        ((1, 2), {"network": "adwords"}),
        ((1, 2), {"folder_names": ["Brand", "Search"]}),
    ],
)
def test_a_duplicate_with_different_values_is_an_error(
    clicks: tuple[int, ...],
    attributes: dict[str, Any],
) -> None:
    seen = Filter()
    assert seen.accept()
    reason = f"duplicate row of entity_id {ACCOUNT} with different values"
    with pytest.raises(ResponseError, match=reason):
        seen.accept(*clicks, **attributes)


def test_numbers_that_python_hashes_alike_are_not_the_same() -> None:
    seen = Filter()
    assert seen.accept(-1, 2)
    with pytest.raises(ResponseError, match="different values"):
        seen.accept(-2, 2)


def test_a_breakdown_s_rows_are_told_apart_by_all_their_keys() -> None:
    seen = Filter(
        FACEBOOK,
        provider="facebook",
        targets=["/network/facebook/account/10"],
        dimensions=["age", "gender"],
        fields=["clicks"],
    )
    assert seen.accept(age="18-24", gender="f")
    assert seen.accept(age="18-24", gender="(none)")
    reason = f"duplicate row of entity_id {ACCOUNT}, age 18-24, gender f with different"
    with pytest.raises(ResponseError, match=reason):
        seen.accept(9, 9, age="18-24", gender="f")


def test_a_group_s_rows_are_told_apart_by_the_group() -> None:
    seen = Filter(group_by="network")
    assert seen.accept()
    with pytest.raises(ResponseError, match="duplicate row of network quora with"):
        seen.accept(9, 9)
