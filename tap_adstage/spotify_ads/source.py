"""Spotify Ads as a source: its resource streams, its reports, its checks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from tap_adstage.exceptions import TapError
from tap_adstage.reports.prefetch import Prefetch
from tap_adstage.spotify_ads import conventions, field_list, set_up
from tap_adstage.spotify_ads.accounts import AdAccounts
from tap_adstage.spotify_ads.client import SpotifyAdsClient
from tap_adstage.spotify_ads.entities import Entities
from tap_adstage.spotify_ads.report import SpotifyAdsReport
from tap_adstage.spotify_ads.resources import TABLES

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tap_adstage.config.spotify_ads_settings import (
        SpotifyAdsConfig,
        SpotifyAdsReportConfig,
    )
    from tap_adstage.date_ranges import DateRange
    from tap_adstage.http.credentials import Credentials
    from tap_adstage.http.transport import Transport
    from tap_adstage.reports.bookmark import BookmarkCap
    from tap_adstage.reports.field_list import ListedField
    from tap_adstage.source import (
        Resource,
        ResourceTable,
        Sandbox,
        SetUpStep,
    )

_MOST_PAGES = 300
"""Pages of reports that wait to be read: a batch may have many, of 50 rows each."""

_LONG_WAIT = 1.0
"""Seconds from which a wait for the rate limit is logged."""


class SpotifyAdsSource:
    """Spotify Ads, read as one user over one connection."""

    name = "Spotify"
    status_page = None
    report_settings = "accounts"
    tables: ClassVar[Mapping[str, ResourceTable]] = TABLES
    """The resource streams by name, in the order in which they are read."""

    former_names: ClassVar[Mapping[str, str]] = {}
    """Its resource streams by the names that they had."""

    def __init__(self, client: SpotifyAdsClient, config: SpotifyAdsConfig) -> None:
        """Read nothing yet.

        Args:
            client: Reads from the API.
            config: The run's settings.
        """
        self.config = config
        self.client = client
        self.accounts = AdAccounts(client, config)
        self.entities = Entities(self.accounts)
        self.prefetch = Prefetch(
            client.transport.shutdown, config.max_concurrency, most_waiting=_MOST_PAGES
        )

    @classmethod
    def connect(
        cls,
        config: SpotifyAdsConfig,
        api_url: str,
        transport: Transport,
        credentials: Credentials,
    ) -> SpotifyAdsSource:
        """Make the source of a run; nothing is sent yet.

        Args:
            config: The run's settings.
            api_url: Root of the API.
            transport: Sends its requests.
            credentials: Authorize them.
        """

        def count_wait(seconds: float) -> None:
            transport.stats.count_pause(seconds)
            if seconds >= _LONG_WAIT:
                transport.logger.debug(
                    "Waiting %.1f seconds, to keep to the API's rate limit", seconds
                )

        transport.limit_of = conventions.limit_of(api_url, count_wait)
        transport.reset_header = conventions.RESET_HEADER
        transport.error_texts = conventions.refusal_texts
        client = SpotifyAdsClient(api_url, transport, credentials, config.page_size)
        return cls(client, config)

    @staticmethod
    def list_fields(connect: Callable[[], SpotifyAdsSource]) -> Iterable[ListedField]:
        """List the fields that its reports may have; nothing is sent."""
        del connect
        return field_list.listed_fields()

    @staticmethod
    def start_sandbox(today: dt.date) -> Sandbox:
        """Start a sandbox of the API.

        Args:
            today: The day that it is there.

        Raises:
            ImportError: If its packages are not installed.
        """
        from tap_adstage.sandbox.spotify_ads.server import (  # noqa: PLC0415 - an extra
            SpotifyAdsSandbox,
        )

        return SpotifyAdsSandbox(today=today).start()

    def resources(self, table: str) -> Iterable[Resource | TapError]:
        """Read the resources of a table.

        Yields:
            The resources; for each account that can't be read, its error.

        Raises:
            TapError: If the table can't be read at all.
        """
        if table == "businesses":
            listing = self.accounts.businesses
        elif table == "ad_accounts":
            listing = self.accounts.listed
        else:
            yield from self.entities.read(table)
            return
        yield from listing
        yield from listing.faults

    def check_accounts(self) -> Sequence[TapError]:
        """Look up the chosen accounts, or list all if a report reads them.

        Returns:
            Why not all of them can be read, if that is so.

        Raises:
            ConfigError: If the user may see none of them, with those that there are.
        """
        chosen = self.accounts.chosen
        if chosen is not None:
            return chosen.check()
        if not self.config.reports:
            return []
        try:
            return self.accounts.linked.faults
        except TapError as error:
            if error.ends_run:
                raise
            return []  # each report fails when its turn comes

    def report(
        self,
        config: SpotifyAdsReportConfig,
        discovered: Mapping[str, Any] | None = None,
    ) -> SpotifyAdsReport:
        """Make a report.

        Args:
            config: Its settings.
            discovered: Ignored: which columns there are is known without asking.

        Raises:
            ConfigError: If two of its columns share a name, or a target is nowhere.
            TapError: If it has targets, and accounts can't be listed.
        """
        del discovered
        report = self.outline(config)
        report.check_targets()
        return report

    def outline(self, config: SpotifyAdsReportConfig) -> SpotifyAdsReport:
        """Make a report without asking for anything.

        Args:
            config: Its settings.

        Raises:
            ConfigError: If two of its columns share a name.
        """
        return SpotifyAdsReport(config, self.entities, self.prefetch)

    def bookmark_caps(
        self,
        days: Mapping[str, DateRange],
    ) -> Mapping[str, BookmarkCap]:
        """Limit no bookmark: Spotify doesn't tell which data are not complete."""
        del days
        return {}

    def set_up_steps(self) -> Sequence[SetUpStep]:
        """List the steps before a sync's reports."""
        return set_up.steps(self.accounts)

    @property
    def report_needs(self) -> tuple[str, ...]:
        """Names of the set-up steps without which no report can be tried."""
        return ("token", "accounts")
