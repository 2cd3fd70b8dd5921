"""AdStage as a source: its resource streams, its reports, its checks."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar

from tap_adstage.adstage import field_list, hal, set_up
from tap_adstage.adstage.accounts import AccountFinder
from tap_adstage.adstage.client import AdStageClient
from tap_adstage.adstage.directory import Directory
from tap_adstage.adstage.fields import DEFAULT_META_FIELDS, FieldCatalog
from tap_adstage.adstage.import_policy import (
    ReportScope,
    bookmark_cap,
    import_warnings,
)
from tap_adstage.adstage.lookups import Lookups
from tap_adstage.adstage.meta_fields import meta_field
from tap_adstage.adstage.report import AdStageReport
from tap_adstage.adstage.report_columns import report_columns
from tap_adstage.adstage.resources import FORMER_NAMES, TABLES
from tap_adstage.config.adstage import CUSTOM_FAMILIES, family_of, is_calculated
from tap_adstage.exceptions import (
    ApiError,
    ResponseError,
    TapError,
)
from tap_adstage.reports.prefetch import Prefetch
from tap_adstage.source import Resource

if TYPE_CHECKING:
    import datetime as dt
    import logging
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tap_adstage.config.adstage_settings import AdStageConfig, AdStageReportConfig
    from tap_adstage.date_ranges import DateRange
    from tap_adstage.http.credentials import Credentials
    from tap_adstage.http.transport import Transport
    from tap_adstage.reports.bookmark import BookmarkCap
    from tap_adstage.reports.field_list import ListedField
    from tap_adstage.sandbox.server import Sandbox
    from tap_adstage.source import ResourceTable, SetUpStep


class AdStageSource:
    """AdStage, read as one user over one connection."""

    name = "AdStage"
    status_page = "http://status.adstage.io/"
    report_settings = "organization_id"
    tables: ClassVar[Mapping[str, ResourceTable]] = TABLES
    """The resource streams by name, in the order in which they are read."""

    former_names: ClassVar[Mapping[str, str]] = FORMER_NAMES
    """Its resource streams by the names that they had."""

    def __init__(self, directory: Directory, logger: logging.Logger) -> None:
        """Read nothing yet.

        Args:
            directory: The user's resources.
            logger: For warnings.
        """
        self.config = directory.config
        self.directory = directory
        self._accounts = AccountFinder(directory)
        self._lookups = Lookups(directory, logger)
        self._logger = logger
        self._prefetch = Prefetch(
            directory.client.transport.shutdown,
            self.config.max_concurrency,
        )
        self._reports: dict[str, AdStageReport] = {}

    @classmethod
    def connect(
        cls,
        config: AdStageConfig,
        api_url: str,
        transport: Transport,
        credentials: Credentials,
    ) -> AdStageSource:
        """Make the source of a run; nothing is sent yet.

        Args:
            config: The run's settings.
            api_url: Root of the API.
            transport: Sends its requests.
            credentials: Authorize them.
        """
        client = AdStageClient(api_url, transport, credentials, config.page_size)
        return cls(Directory(client, config), transport.logger)

    @staticmethod
    def list_fields(
        connect: Callable[[], AdStageSource],
    ) -> Iterable[ListedField | TapError]:
        """List the fields that its reports may have, of which some are the user's own.

        Args:
            connect: Makes the source of the run.

        Yields:
            The fields; for each provider whose list can't be read, its error.

        Raises:
            TapError: If the settings can't be used, or AdStage refuses the credentials.
        """
        return field_list.listed_fields(connect().directory)

    @staticmethod
    def start_sandbox(today: dt.date) -> Sandbox:
        """Start a sandbox of the API.

        Args:
            today: The day that it is there.

        Raises:
            ImportError: If its packages are not installed.
        """
        from tap_adstage.sandbox.server import Sandbox  # noqa: PLC0415 - an extra

        return Sandbox(today=today).start()

    def resources(self, table: str) -> Iterable[Resource | TapError]:
        """Read the resources of a table: their own fields, without links.

        Yields:
            The resources; for each part of the table that can't be read, its error.

        Raises:
            TapError: If the table can't be read at all.
        """
        for item in TABLES[table].read(self.directory):
            if isinstance(item, TapError):
                yield item
            else:
                yield Resource(hal.own_fields(item), item.place)

    def check_accounts(self) -> Sequence[TapError]:
        """Look up the user, organization and accounts that the settings choose.

        Warn of accounts that no report reads.

        Returns:
            Why not all of them can be read, if that is so.

        Raises:
            ConfigError: If the user or the organization doesn't exist, or none of the
                accounts is linked, with those that there are.
        """
        self._lookups.check_owner()
        config = self.config
        for line in set_up.unread_accounts(config) + set_up.unread_targets(config):
            self._logger.warning("%s", line)
        chosen = self.directory.chosen_accounts
        return self._unlisted_accounts() if chosen is None else chosen.check()

    def _unlisted_accounts(self) -> Sequence[TapError]:
        """Find why a shard can't read all of its accounts: the list lacks some."""
        if self.config.shard.is_whole:
            return []
        try:
            return self.directory.accounts.faults
        except TapError as error:
            if error.ends_run:
                raise
            return []  # each report of the shard fails when its turn comes

    def report(
        self,
        config: AdStageReportConfig,
        discovered: Mapping[str, Any] | None = None,
    ) -> AdStageReport:
        """Make a report.

        Args:
            config: Its settings.
            discovered: The columns that an earlier discovery found, and their schemas.

        Raises:
            TapError: If it has a field, an account or another target that this user
                doesn't have.
        """
        catalog = FieldCatalog.of(
            self._descriptors(config),
            is_external=config.is_external,
        )
        self._lookups.check_targets(config)
        report = AdStageReport(
            config,
            report_columns(config, catalog, discovered),
            catalog,
            self._accounts,
            self._prefetch,
        )
        self._reports[config.name] = report
        return report

    def outline(self, config: AdStageReportConfig) -> AdStageReport:
        """Make a report of what is known without its descriptors.

        Its key is known, and so are documented meta fields. AdStage's own fields are
        otherwise metrics; which of a network's are texts can't be known.

        Args:
            config: Its settings.
        """
        catalog = FieldCatalog.of(
            _outline_descriptors(config),
            is_external=config.is_external,
        )
        known = dataclasses.replace(
            config,
            fields=tuple(f for f in config.fields if catalog.column(f.name)),
            filters=(),
            sort_by=config.group_by or DEFAULT_META_FIELDS[0],
        )
        columns = report_columns(known, catalog)
        return AdStageReport(config, columns, catalog, self._accounts, self._prefetch)

    def bookmark_caps(
        self,
        days: Mapping[str, DateRange],
    ) -> Mapping[str, BookmarkCap]:
        """Find how far bookmarks may go, and warn about what AdStage has not imported.

        External providers are read live, and not imported.

        Args:
            days: First and last day that each report reads in this run, by name.

        Returns:
            The caps by name, if `import_policy` is `hold`.

        Raises:
            TapError: If it is `hold` and the import status can't be read.
        """
        policy = self.config.import_policy
        reports = {name: self._reports[name] for name in days}
        imported = {
            name: report
            for name, report in reports.items()
            if not report.config.is_external
        }
        if policy == "ignore" or not imported:
            return {}
        try:
            imports = self._accounts.account_imports()
            scopes = [
                ReportScope(
                    report=name,
                    accounts=report.account_scope(),
                    days=days[name],
                    today=report.config.today,
                    time_zone=report.config.time_zone,
                )
                for name, report in imported.items()
            ]
        except (ApiError, ResponseError) as error:
            if policy == "hold" or error.ends_run:
                raise
            self._logger.warning(
                "import_policy: could not read the import status: %s",
                error,
            )
            return {}
        for line in import_warnings(imports, scopes):
            self._logger.warning("%s", line)
        if policy == "warn":
            return {}
        caps = {scope.report: bookmark_cap(imports, scope) for scope in scopes}
        return {name: cap for name, cap in caps.items() if cap}

    def set_up_steps(self) -> Sequence[SetUpStep]:
        """List the steps before a sync's reports."""
        return set_up.steps(self.directory)

    @property
    def report_needs(self) -> tuple[str, ...]:
        """Names of the set-up steps without which no report can be tried."""
        config = self.config
        is_narrowed = config.accounts is not None or not config.shard.is_whole
        return ("token", "organization", *(("accounts",) if is_narrowed else ()))

    def _descriptors(self, report: AdStageReportConfig) -> list[Resource]:
        """List the descriptors of the fields that a report can have."""
        directory = self.directory
        if report.is_external:
            return directory.network_descriptors(report.provider).whole()
        return [
            descriptor
            for descriptor in (
                *directory.cross_network_descriptors.whole(),
                *self._custom_descriptors(report),
            )
            if report.api_version != 1 or not is_calculated(str(descriptor.get("id")))
        ]

    def _custom_descriptors(self, report: AdStageReportConfig) -> list[Resource]:
        """List the organization's own metrics; a report without any needs no list."""
        _ = self.directory.organization_id  # without it, no report can be read
        try:
            return self.directory.organization_descriptors.whole()
        except ApiError as error:
            named = [
                report.sort_by,
                *(field.name for field in report.fields),
                *(str(condition["path"]) for condition in report.filters),
            ]
            if error.ends_run or any(
                n.lower().startswith(CUSTOM_FAMILIES) for n in named
            ):
                raise
            self._logger.warning(
                "%s: goes on without the organization's own metrics: %s",
                report.name,
                error,
            )
            return []


def _outline_descriptors(report: AdStageReportConfig) -> list[dict[str, Any]]:
    """Guess the descriptors of a report's fields from the report alone."""
    group = report.group_by
    if report.is_external:
        return [{"id": group, "type": "TEXT"}] if group else []
    return [
        {"id": field.name}
        for field in report.fields
        if field.name != group
        and meta_field(field.name) is None
        and family_of(field.name) is None
    ]
