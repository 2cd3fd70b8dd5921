"""A report as Spotify gives it: which accounts it reads, and how it is requested."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from tap_adstage.config.report_defaults import ALL_TIME
from tap_adstage.exceptions import ConfigError, TapError
from tap_adstage.reports.history import SOURCE, Exact, Items
from tap_adstage.reports.run_question import ReportAccounts
from tap_adstage.reports.windows import DateSettings
from tap_adstage.runtime.wording import shorten
from tap_adstage.spotify_ads.aggregates import SUMMED, Aggregates, oldest_hour
from tap_adstage.spotify_ads.api_warnings import ApiWarnings
from tap_adstage.spotify_ads.insights import Insights, account_targets
from tap_adstage.spotify_ads.metrics import fields_to_request
from tap_adstage.spotify_ads.report_columns import report_columns
from tap_adstage.spotify_ads.report_reader import (
    SpotifyAdsReportReader,
    account_name,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from tap_adstage.config.shards import Shard
    from tap_adstage.config.spotify_ads_settings import SpotifyAdsReportConfig
    from tap_adstage.reports.history import Part
    from tap_adstage.reports.prefetch import Prefetch
    from tap_adstage.spotify_ads.batches import ReportRequests
    from tap_adstage.spotify_ads.entities import Entities

_FIRST_SOURCE = "adstage"
"""The source of a bookmark that doesn't name one: there was no other."""


class SpotifyAdsReport:
    """One report of the setting `reports`."""

    is_rounded = False
    can_fail_alone = True

    def __init__(
        self,
        config: SpotifyAdsReportConfig,
        entities: Entities,
        prefetch: Prefetch,
    ) -> None:
        """Decide how the report is read; nothing is sent yet.

        Args:
            config: The report's settings.
            entities: The ad accounts, and what is in them.
            prefetch: Fetches pages ahead.

        Raises:
            ConfigError: If two of its columns share a name.
        """
        self.config = config
        self.columns = report_columns(config)
        self._entities = entities
        self._accounts = entities.accounts
        self._client = entities.accounts.client
        self._run = entities.accounts.config
        self._prefetch = prefetch
        self._failed: dict[str, TapError] = {}
        self._undated = 0
        self._no_data: Counter[str] = Counter()
        logger = self._client.transport.logger
        self._warnings = ApiWarnings(config.name, logger)

    @cached_property
    def dates(self) -> DateSettings:
        """The settings that decide its days; a whole lifetime has none."""
        dates = DateSettings.of(self.config)
        if self.config.aggregate_by == "hour":
            return replace(dates, oldest=oldest_hour(_now()).date())
        if self.config.aggregate_by == "total" and self.config.date_range is None:
            return replace(
                dates, start_date=None, end_date=None, timeframe_months=ALL_TIME
            )
        return dates

    @property
    def shard(self) -> Shard:
        """The part of the accounts that its rows are of."""
        return self._run.shard

    @property
    def runs_in_this_shard(self) -> bool:
        """Whether the run's shard reads it: each reads its accounts."""
        return True

    @cached_property
    def accounts(self) -> list[str]:
        """Ids of the accounts that it reads.

        Raises:
            TapError: If they can't be listed.
        """
        return self._accounts.ids_in(self.shard)

    @property
    def empty_shard(self) -> str:
        """Why there is nothing to read if its shard has none of its accounts."""
        if self.shard.is_whole:
            return "no business of the user has an ad account"
        return f"no ad account is in shard {self.shard}"

    def check_targets(self) -> None:
        """Look its targets up, an account after the other until all are found.

        Raises:
            ConfigError: If one of them is nowhere.
            TapError: If the accounts can't be listed.
        """
        targets = self.config.targets
        if not targets:
            return
        missing = {*targets}
        try:
            for account in self._accounts.listed:
                found = account_targets(targets, self._entities, account["id"])
                missing -= {each for each, _ in found}
                if not missing:
                    return
        except TapError as error:
            if error.ends_run:
                raise
            return  # it may be in that account, which fails in its turn
        if not self._accounts.listed.faults:
            ids = shorten(sorted(missing))
            text = f"no campaign or ad set of the ad accounts is {ids}"
            raise ConfigError([f"reports.{self.config.name}.targets: {text}"])

    def question(self, selected: Collection[str]) -> Mapping[str, Part]:
        """List what it asks for, apart from the days.

        Args:
            selected: Names of the selected columns.
        """
        # those of every row count as well: a catalog may deselect them
        fields = [
            column.request
            for column in self.columns.fields
            if column.name in selected and column.name not in self.columns.keys
        ]
        return {
            SOURCE: Exact("spotify_ads", default=_FIRST_SOURCE),
            "entity_level": Exact(self.config.entity_level),
            "fields": Items(sorted(fields)),
        }

    @property
    def has_known_accounts(self) -> bool:
        """Whether it can be known which accounts it reads; a total needs no list."""
        return self.config.aggregate_by != "total"

    def find_accounts(
        self,
        held_through: dt.date,
        through: dt.date,
    ) -> ReportAccounts:
        """Find the accounts that it reads in this run; Spotify has all of their data.

        Raises:
            TapError: If they can't be listed.
        """
        del held_through, through
        names = {each: account_name(self._accounts, each) for each in self.accounts}
        return ReportAccounts(
            names=names,
            joined=frozenset(names),
            is_complete=bool(self._accounts.chosen or not self._accounts.linked.faults),
        )

    def reader(
        self,
        selected: Collection[str],
        page_size: int | None = None,
        accounts: Sequence[str] | None = None,
    ) -> SpotifyAdsReportReader:
        """Make the reader of its windows.

        Args:
            selected: Names of the selected columns.
            page_size: Rows a page; by default as many as the settings allow.
            accounts: Ids of accounts to read alone; by default all of the report's.
        """
        fields = fields_to_request(self.columns, selected)
        return SpotifyAdsReportReader(
            self.config.name,
            self.columns,
            self._requests(fields, page_size or self._client.page_size),
            self._accounts,
            self._prefetch,
            ids=self.accounts if accounts is None else accounts,
            failed=self._failed,
            summed=self._summed(selected),
            warnings=self._warnings,
        )

    def notes(self) -> Sequence[str]:
        """List what Spotify has no data of yet, and what it warned of."""
        notes = []
        if self._no_data:
            counts = ", ".join(
                f"{n} {code}" for code, n in sorted(self._no_data.items())
            )
            notes.append(
                f"Spotify has no data yet for some campaigns or ad sets: {counts}"
            )
        if warned := self._warnings.summary:
            notes.append(warned)
        return notes

    def gaps(self) -> Sequence[str]:
        """List the rows that were skipped, as they have no time."""
        if not self._undated:
            return ()
        return [f"skipped {self._undated} rows that have no start_time"]

    def _requests(self, fields: Sequence[str], page_size: int) -> ReportRequests:
        config, columns, entities = self.config, self.columns, self._entities
        if config.is_audience:
            return Insights(config, columns, fields, entities, self._no_data)
        return Aggregates(
            config,
            columns,
            fields,
            entities,
            page_size=page_size,
            now=_now,
            on_undated=self._count_undated,
        )

    def _summed(self, selected: Collection[str]) -> dict[str, int]:
        """List the fields to compare with the accounts' own totals."""
        config = self.config
        if (
            self._run.reconcile == "off"
            or config.aggregate_by != "day"
            or config.entity_level == "ad_accounts"
        ):
            return {}
        fields = {c.field for c in self.columns.metrics if c.name in selected}
        return {name: SUMMED[name] for name in SUMMED if name in fields}

    def _count_undated(self, rows: int) -> None:
        self._undated += rows


def _now() -> dt.datetime:
    return dt.datetime.now(dt.timezone.utc)
