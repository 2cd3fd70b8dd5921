"""What a source of advertising data gives the tap: the one interface between the two.

A source is an API that the tap reads, such as AdStage. It gives resource streams, which
are read whole, and reports, which are read window by window. The rest is the same for
every source: Singer streams, bookmarks, the order of windows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from tap_adstage.config.reports import ReportConfig
    from tap_adstage.config.settings import Config
    from tap_adstage.config.shards import Shard
    from tap_adstage.date_ranges import DateRange
    from tap_adstage.exceptions import TapError
    from tap_adstage.http.credentials import Credentials
    from tap_adstage.http.transport import Transport
    from tap_adstage.reports.bookmark import BookmarkCap
    from tap_adstage.reports.columns import ReportColumns
    from tap_adstage.reports.field_list import ListedField
    from tap_adstage.reports.history import Part
    from tap_adstage.reports.report_run import ReportReader
    from tap_adstage.reports.run_question import ReportAccounts
    from tap_adstage.reports.windows import DateSettings


class Resource(dict[str, Any]):
    """A resource with its place in the API's answer.

    Attributes:
        place: The request, the page and the place in it, for an error.
    """

    def __init__(self, fields: Mapping[str, Any], place: str) -> None:
        """Copy a resource as the API gives it, and remember its place."""
        super().__init__(fields)
        self.place = place

    def adding(self, **fields: Any) -> Resource:  # noqa: ANN401 - any JSON value
        """Copy the resource, with more fields that take precedence over its own."""
        return Resource({**self, **fields}, self.place)


@dataclass(frozen=True)
class ResourceTable:
    """A stream of resources that is read whole on every run.

    Attributes:
        name: Name of the stream.
        key: Names of the key columns.
        schema: JSON schema of its records, in the API's names; keys are required.
    """

    name: str
    key: tuple[str, ...]
    schema: dict[str, Any]


class Report(Protocol):
    """One report, as its source reads it."""

    @property
    def config(self) -> ReportConfig:
        """The settings that it was made from."""

    @property
    def columns(self) -> ReportColumns:
        """Its columns."""

    @property
    def dates(self) -> DateSettings:
        """The settings that decide its days, as the source allows them."""

    @property
    def is_rounded(self) -> bool:
        """Whether the source was asked to round its numbers."""

    @property
    def shard(self) -> Shard:
        """The part of the accounts that its rows are of."""

    @property
    def runs_in_this_shard(self) -> bool:
        """Whether the run's shard reads it."""

    @property
    def accounts(self) -> Sequence[str] | None:
        """Ids of the accounts that it is limited to; `None` for all."""

    def question(self, selected: Collection[str]) -> Mapping[str, Part]:
        """List what it asks for, apart from the days; its bookmark stands for that.

        Args:
            selected: Names of the selected columns.
        """

    @property
    def empty_shard(self) -> str:
        """Why there is nothing to read if its shard has none of its accounts."""

    @property
    def has_known_accounts(self) -> bool:
        """Whether it can be known which accounts it reads."""

    @property
    def can_fail_alone(self) -> bool:
        """Whether one of its accounts may fail while the others are read."""

    def find_accounts(
        self, held_through: dt.date, through: dt.date
    ) -> ReportAccounts | None:
        """Find the accounts that it reads in this run.

        An account has joined once the source has its data up to a day that no later run
        reads again. Days are counted in the report's time zone.

        Args:
            held_through: That day, if accounts that lack data hold the bookmark.
            through: That day, if the bookmark moves on in spite of them.

        Returns:
            The accounts; `None` if they can't be read, which is a warning once a run.

        Raises:
            AuthenticationError: If the source does not accept the credentials.
        """

    def reader(
        self,
        selected: Collection[str],
        page_size: int | None = None,
        accounts: Sequence[str] | None = None,
    ) -> ReportReader:
        """Make the reader of its windows.

        Args:
            selected: Names of the selected columns.
            page_size: Rows a page; by default as many as the settings allow.
            accounts: Ids of accounts to read alone; by default all of the report's.
        """

    def notes(self) -> Sequence[str]:
        """List what to log once it is read, though no row is missing for it."""

    def gaps(self) -> Sequence[str]:
        """List what it lacks once it is read, such as rows that were skipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUpStep:
    """One thing that must work before a sync can.

    Attributes:
        name: A noun, such as `token`.
        attempt: Tries it, and returns the outcome in a few words; raises a `TapError`
            if it fails.
        settings: The settings to check if the source refuses it.
        address: The setting to check if the source can't be reached.
        lack: Why later steps can't be tried if it fails.
        needs: Names of the steps without which it can't be tried.
    """

    name: str
    attempt: Callable[[], str]
    settings: str
    address: str = "api_url"
    lack: str = ""
    needs: tuple[str, ...] = ()


class Sandbox(Protocol):
    """A local server with generated data, which is running."""

    @property
    def api_url(self) -> str:
        """Root of its API."""

    @property
    def token(self) -> str:
        """The access token that it accepts."""

    def stop(self) -> None:
        """Stop it."""


class Named(Protocol):
    """What messages about a source say."""

    @property
    def name(self) -> str:
        """Name of the source."""

    @property
    def status_page(self) -> str | None:
        """Address of the page on which it says whether it is down, if there is one."""


class SourceType(Named, Protocol):
    """A kind of source: what is known of it before a run connects to it."""

    @property
    def tables(self) -> Mapping[str, ResourceTable]:
        """Its resource streams by name, in the order in which they are read."""

    @property
    def former_names(self) -> Mapping[str, str]:
        """Its resource streams by the names that they had in earlier versions."""

    def connect(
        self,
        config: Any,  # noqa: ANN401 - the source's own settings
        api_url: str,
        transport: Transport,
        credentials: Credentials,
    ) -> Source:
        """Make the source of a run; nothing is sent yet.

        Args:
            config: The run's settings, of this source.
            api_url: Root of its API.
            transport: Sends its requests.
            credentials: Authorize them.
        """

    @property
    def report_settings(self) -> str:
        """The settings to check if a report, or the list of fields, is refused."""

    def list_fields(
        self,
        connect: Callable[[], Any],  # the source of its own class
    ) -> Iterable[ListedField | TapError]:
        """List the fields that its reports may have.

        Args:
            connect: Makes the source of the run, if it must be asked.

        Yields:
            The fields; for each part of the list that can't be read, its error.

        Raises:
            TapError: If the settings can't be used, or the list can't be read at all.
        """

    def start_sandbox(self, today: dt.date) -> Sandbox:
        """Start a local server that answers as its API does.

        Args:
            today: The day that it is there.

        Raises:
            ImportError: If the sandbox's packages are not installed.
        """


class Source(Named, Protocol):
    """An API that the tap reads."""

    @property
    def config(self) -> Config:
        """The run's settings."""

    @property
    def tables(self) -> Mapping[str, ResourceTable]:
        """Its resource streams by name, in the order in which they are read."""

    def resources(self, table: str) -> Iterable[Resource | TapError]:
        """Read the resources of a table: their own fields, without links.

        Yields:
            The resources; for each part of the table that can't be read, its error.

        Raises:
            TapError: If the table can't be read at all.
        """

    def check_accounts(self) -> Sequence[TapError]:
        """Look up the chosen accounts, and warn of those that no report reads.

        Returns:
            Why not all of them can be read, if that is so.

        Raises:
            TapError: If none of them can.
        """

    def report(
        self,
        config: Any,  # noqa: ANN401 - of the source's own class
        discovered: Mapping[str, Any] | None = None,
    ) -> Report:
        """Make a report.

        Args:
            config: Its settings.
            discovered: The columns that an earlier discovery found, and their schemas.

        Raises:
            TapError: If it has a field or an account that this user doesn't have.
        """

    def outline(self, config: Any) -> Report:  # noqa: ANN401 - of its own class
        """Make a report of what is known without asking the source.

        It has the right name and keys, but maybe not all columns. No row can be read.

        Args:
            config: Its settings.
        """

    def bookmark_caps(
        self,
        days: Mapping[str, DateRange],
    ) -> Mapping[str, BookmarkCap]:
        """Find how far bookmarks may go, and warn about data that are not complete.

        Args:
            days: First and last day that each report reads in this run, by name.

        Returns:
            The caps by name; reports without one are not limited.
        """

    def set_up_steps(self) -> Sequence[SetUpStep]:
        """List the steps before a sync's reports, each after those that it needs."""

    @property
    def report_settings(self) -> str:
        """The settings to check, beside its own keys, if a report is refused."""

    @property
    def report_needs(self) -> tuple[str, ...]:
        """Names of the set-up steps without which no report can be tried."""
