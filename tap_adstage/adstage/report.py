"""A report as AdStage gives it: which accounts it reads, and how it is requested."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from tap_adstage.adstage import import_policy
from tap_adstage.adstage.question import question
from tap_adstage.adstage.report_query import ReportQuery, fields_to_request
from tap_adstage.adstage.report_reader import AdStageReportReader
from tap_adstage.adstage.summed_fields import control_fields
from tap_adstage.config.entity_ids import EntityId
from tap_adstage.config.shards import Shard
from tap_adstage.exceptions import ApiError, ResponseError
from tap_adstage.reports.run_plan import TOTAL
from tap_adstage.reports.run_question import ReportAccounts
from tap_adstage.reports.windows import DateSettings

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping, Sequence

    from tap_adstage.adstage.accounts import AccountFinder
    from tap_adstage.adstage.fields import FieldCatalog
    from tap_adstage.adstage.import_policy import AccountScope
    from tap_adstage.config.adstage_settings import AdStageReportConfig
    from tap_adstage.reports.columns import ReportColumns
    from tap_adstage.reports.history import Part
    from tap_adstage.reports.prefetch import Prefetch

_BY_ACCOUNT = {"account", "account_group", "user", "organization"}
"""Levels of targets whose accounts are known."""


class AdStageReport:
    """One report of the setting `reports`."""

    can_fail_alone = False
    """AdStage answers for all accounts at once."""

    def __init__(
        self,
        config: AdStageReportConfig,
        columns: ReportColumns,
        catalog: FieldCatalog,
        accounts: AccountFinder,
        prefetch: Prefetch,
    ) -> None:
        """Decide how the report is read; nothing is sent yet.

        Args:
            config: The report's settings.
            columns: The report's columns.
            catalog: All fields of its provider.
            accounts: Finds the accounts that it reads.
            prefetch: Fetches pages ahead.
        """
        self.config = config
        self.columns = columns
        self._catalog = catalog
        self._accounts = accounts
        self._directory = accounts.directory
        self._prefetch = prefetch

    @property
    def dates(self) -> DateSettings:
        """The settings that decide its days.

        AdStage compares a filter on a metric with an entity's sum over all days of a
        request. With more than one slice in a request, the rows would depend on where
        a window happens to begin.
        """
        filters_on_metrics = any(
            not str(condition["path"]).startswith("meta/")
            for condition in self.config.filters
        )
        dates = DateSettings.of(self.config)
        return replace(dates, window_days=1) if filters_on_metrics else dates

    @property
    def is_rounded(self) -> bool:
        """Whether AdStage was asked to round its numbers."""
        return self.config.api_version != 1 and not self.config.ignore_precision

    @property
    def shard(self) -> Shard:
        """The part of the accounts that its rows are of."""
        run = self._directory.config.shard
        return run if self.config.is_by_account else Shard()

    @property
    def runs_in_this_shard(self) -> bool:
        """Whether the run's shard reads it."""
        run = self._directory.config.shard
        if self.config.is_external:
            return run.has(self.config.targets[0])
        return self.config.is_by_account or run.is_first

    @cached_property
    def accounts(self) -> list[str] | None:
        """Entity ids of the accounts that are requested; `None` for all."""
        if self.config.is_external:
            return None
        return self._accounts.accounts_in(self.shard, self.config.networks)

    def account_scope(self) -> AccountScope:
        """Find the accounts that it reads, by the names of the import status."""
        return self._accounts.scope(
            self.config.networks,
            self.config.targets or self.accounts or (),
        )

    @property
    def empty_shard(self) -> str:
        """Why there is nothing to read if its shard has none of its accounts."""
        networks = ", ".join(self.config.networks)
        of_shard = "" if self.shard.is_whole else f" in shard {self.shard}"
        return f"no account{of_shard} is on {networks}"

    def question(self, selected: Collection[str]) -> Mapping[str, Part]:
        """List what it asks for, apart from the days.

        Args:
            selected: Names of the selected columns.
        """
        return question(self.config, self.columns, selected)

    @property
    def has_known_accounts(self) -> bool:
        """Whether it can be known which accounts it reads.

        AdStage doesn't list whose campaigns are in a folder by account. A total, and a
        report of an external provider, which is of one account, need no list.
        """
        if self.config.is_external or self.config.aggregate_by == TOTAL:
            return False
        levels = {EntityId.parse(target).level for target in self.config.targets}
        return not levels or bool(levels & _BY_ACCOUNT)

    def find_accounts(
        self, held_through: dt.date, through: dt.date
    ) -> ReportAccounts | None:
        """Find the accounts that it reads in this run.

        An account has joined once AdStage has imported it up to a day that no later run
        reads again. Days are counted in the report's time zone.

        Args:
            held_through: That day, if accounts that lack data hold the bookmark; those
                that AdStage can't import don't.
            through: That day, if the bookmark moves on in spite of them.

        Returns:
            The accounts; `None` if they can't be read, which is a warning once a run.

        Raises:
            TapError: If AdStage does not accept the credentials, or a shard can't go on
                without knowing.
        """
        found = self._find_accounts(held_through, through)
        if found is None:
            self._accounts.check_unknown(self.shard)
        return found

    def _find_accounts(
        self, held_through: dt.date, through: dt.date
    ) -> ReportAccounts | None:
        accounts = self._accounts.read_by(
            self.shard, self.config.networks, self.config.targets
        )
        if accounts is None:
            return None
        names = {
            account["entity_id"]: f"{account['network']} account {account['name']!r}"
            for account in accounts
        }
        policy = self._directory.config.import_policy
        if policy == "ignore":
            return ReportAccounts(names=names, joined=frozenset(names))
        try:
            imports = self._accounts.account_imports()
        except (ApiError, ResponseError) as error:
            if error.ends_run:
                raise
            return None  # what follows is `import_policy`'s: a warning, or an error
        joined = import_policy.imported_accounts(
            accounts,
            imports,
            held_through=held_through if policy == "hold" else through,
            through=through,
            time_zone=self.config.time_zone,
        )
        return ReportAccounts(names=names, joined=frozenset(joined))

    def reader(
        self,
        selected: Collection[str],
        page_size: int | None = None,
        accounts: Sequence[str] | None = None,
    ) -> AdStageReportReader:
        """Make the reader of its windows.

        Args:
            selected: Names of the selected columns.
            page_size: Rows a page; by default as many as the settings allow.
            accounts: Entity ids of accounts to read alone; by default all of the
                report's.
        """
        directory = self._directory
        fields = fields_to_request(self.columns, selected)
        compares = directory.config.reconcile != "off"
        # AdStage lists the accounts of all of a user's organizations; the ones that the
        # user chose are taken as the organization's.
        is_chosen = directory.config.accounts is not None or accounts is None
        query = ReportQuery(
            report=self.config,
            fields=fields,
            catalog=self._catalog,
            accounts=self.accounts if accounts is None else accounts,
            are_targets=(is_chosen and self.shard.is_whole)
            or len(directory.organizations) <= 1,
            page_size=page_size or directory.client.page_size,
            control_fields=control_fields(self.columns, fields) if compares else (),
        )
        return AdStageReportReader(query, self.columns, directory, self._prefetch)

    def notes(self) -> Sequence[str]:
        """List what to log once it is read: nothing."""
        return ()

    def gaps(self) -> Sequence[str]:
        """List what it lacks once it is read: nothing that is not counted elsewhere."""
        return ()
