"""Insight reports: an entity's whole life, broken down by an audience."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from tap_adstage.reports.columns import NO_VALUE
from tap_adstage.spotify_ads.batches import Batch
from tap_adstage.spotify_ads.metrics import MetricReader, rows_of
from tap_adstage.spotify_ads.report_page import InsightRow, PageDecoder

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator, Sequence

    from tap_adstage.config.spotify_ads_settings import SpotifyAdsReportConfig
    from tap_adstage.exceptions import ApiError
    from tap_adstage.reports.columns import ReportColumns
    from tap_adstage.reports.windows import Window
    from tap_adstage.spotify_ads.client import Query
    from tap_adstage.spotify_ads.entities import Entities
    from tap_adstage.spotify_ads.metrics import RowTable
    from tap_adstage.spotify_ads.report_page import ReportPage

_NO_DATA = re.compile(r"INSUFFICIENT_[A-Z_]+|PLACEMENT_UNAVAILABLE")
_AD_SET, _CAMPAIGN = "AD_SET", "CAMPAIGN"


class Insights:
    """The requests and rows of one insight report."""

    resource = "insight_reports"

    def __init__(
        self,
        report: SpotifyAdsReportConfig,
        columns: ReportColumns,
        fields: Sequence[str],
        entities: Entities,
        no_data: Counter[str],
    ) -> None:
        """Decide what is asked.

        Args:
            report: The report.
            columns: Its columns.
            fields: The fields to request.
            entities: The ad accounts, and what is in them.
            no_data: Counts the entities without data, by Spotify's code.
        """
        self.fields = fields
        self._report = report
        self._accounts = entities.accounts
        self._entities = entities
        self.pages = PageDecoder(InsightRow, entities.accounts.client.transport.secrets)
        self._metrics = MetricReader(columns)
        self._no_data = no_data

    def batches(self, window: Window, account: str) -> list[Batch]:
        """List the ad sets and campaigns of an account, each a batch of its own.

        Raises:
            TapError: If they can't be listed.
        """
        targets = account_targets(self._report.targets, self._entities, account)
        return [
            Batch.of(window, account, number, (each,), ids_type)
            for number, (each, ids_type) in enumerate(targets, start=1)
        ]

    def query(self, batch: Batch) -> Query:
        """Make the parameters of a batch's only page."""
        return [
            ("insight_dimension", str(self._report.audience)),
            *(("fields", field) for field in self.fields),
            *(("entity_ids", each) for each in batch.ids),
            ("entity_ids_type", batch.ids_type),
        ]

    def why_no_data(self, error: ApiError) -> str | None:
        """Return Spotify's code for an entity without data, if an error has it."""
        if error.status != HTTPStatus.UNPROCESSABLE_ENTITY:
            return None
        code = _NO_DATA.search(str(error))
        return code and code[0]

    def count_no_data(self, code: str) -> None:
        """Count an entity without data, by Spotify's code."""
        self._no_data[code] += 1

    def rows(self, batch: Batch, page: ReportPage) -> RowTable:
        """Read the rows of a page.

        Raises:
            ResponseError: If a field has two values.
        """
        account, rows = batch.account, page.rows
        metrics, hidden = self._metrics.read([row.stats for row in rows], page.values)
        currency = self._accounts.account(account).get("currency_code")
        columns = [
            [account] * len(rows),
            [row.id for row in rows],
            [row.name for row in rows],
            [row.status for row in rows],
            [currency] * len(rows),
            [row.insight_value or NO_VALUE for row in rows],
            hidden,
        ]
        return rows_of(columns, metrics)


def account_targets(
    targets: Sequence[str], entities: Entities, account: str
) -> Iterator[tuple[str, str]]:
    """List what an insight report asks for in an account.

    Args:
        targets: Ids of campaigns and ad sets; without any, every ad set.
        entities: What is in the accounts.
        account: The account's id.

    Yields:
        Ids, and the API's types of them.

    Raises:
        TapError: If the account's lists can't be read.
    """
    ad_sets = entities.ids("ad_sets", account)
    if not targets:
        yield from ((each, _AD_SET) for each in ad_sets)
        return
    types = dict.fromkeys(entities.ids("campaigns", account), _CAMPAIGN)
    types |= dict.fromkeys(ad_sets, _AD_SET)
    yield from ((each, types[each]) for each in targets if each in types)
