"""Batches: what one chain of a report's requests asks for, and its pages."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from tap_adstage.exceptions import ApiError, ResponseError, ServerError, error_context
from tap_adstage.spotify_ads.report_page import ReportPage

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from tap_adstage.date_ranges import DateRange
    from tap_adstage.exceptions import TapError
    from tap_adstage.reports.rows import Row
    from tap_adstage.reports.windows import Window
    from tap_adstage.spotify_ads.client import Query, SpotifyAdsClient

CONTROL = 0
"""The number of the batch with an account's own totals."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Entities of an account that are asked for together, in one window.

    Attributes:
        range: First and last day.
        account: The account's id.
        number: The batch's number in the account, from 1 on; `CONTROL` for the
            account's own totals.
        ids: The entities; none for the account itself.
        ids_type: The API's type of the ids.
        window: The window of these days.
        error: Why the account's entities are not known, if they are not.
    """

    range: DateRange
    account: str
    number: int
    window: Window = field(compare=False)
    ids: Sequence[str] = field(default=(), compare=False)
    ids_type: str = field(default="", compare=False)
    error: TapError | None = field(default=None, compare=False)

    @classmethod
    def of(  # noqa: PLR0913 - as many as it has attributes
        cls,
        window: Window,
        account: str,
        number: int,
        ids: Sequence[str] = (),
        ids_type: str = "",
        *,
        error: TapError | None = None,
    ) -> Batch:
        """Make a batch of a window."""
        return cls(window.range, account, number, window, ids, ids_type, error)


@dataclass(frozen=True, slots=True)
class BatchPage:
    """A page of a batch.

    Attributes:
        batch: The batch.
        page: Its rows.
    """

    batch: Batch
    page: ReportPage

    @property
    def received(self) -> dt.datetime:
        """When it came, in UTC."""
        return self.page.received


class ReportRequests(Protocol):
    """One of the API's two kinds of reports: what is asked, and what is read."""

    @property
    def resource(self) -> str:
        """Last part of the path."""

    @property
    def fields(self) -> Sequence[str]:
        """The fields that are requested."""

    def batches(self, window: Window, account: str) -> list[Batch]:
        """List the batches of an account's entities.

        Raises:
            TapError: If the entities can't be listed.
        """

    def query(self, batch: Batch) -> Query | None:
        """Make the parameters of a batch's first page; `None` if nothing is left."""

    def decode(self, content: bytes) -> ReportPage:
        """Decode a page."""

    def why_no_data(self, error: ApiError) -> str | None:
        """Return Spotify's code for an entity without data, if an error has it."""

    def rows(self, page: BatchPage) -> list[Row]:
        """Read the rows of a page.

        Raises:
            ResponseError: If they are not as documented.
        """


class BatchPages:
    """The pages of one batch, each of which has the token of the next."""

    def __init__(
        self, client: SpotifyAdsClient, requests: ReportRequests, batch: Batch
    ) -> None:
        """Start before the first page.

        Args:
            client: Sends the requests.
            requests: Makes them.
            batch: What to ask for.
        """
        self._client = client
        self._requests = requests
        self._batch = batch
        self._path = f"/ad_accounts/{batch.account}/{requests.resource}"
        self._tokens: list[str] = []
        self.has_next = True

    def fetch(self, cancelled: Callable[[], bool]) -> BatchPage:
        """Fetch the next page; of an account's own totals, all pages at once.

        Args:
            cancelled: Whether nobody waits for the page any more.

        Raises:
            TapError: If it can't be fetched, or a token is repeated.
        """
        page = self._fetch(cancelled)
        while self.has_next and self._batch.number == CONTROL:
            more = self._fetch(cancelled)
            page = replace(more, rows=[*page.rows, *more.rows])
        return BatchPage(self._batch, page)

    def _fetch(self, cancelled: Callable[[], bool]) -> ReportPage:
        if self._batch.error:
            raise self._batch.error
        if self._tokens:
            query: Query | None = [("continuation_token", self._tokens[-1])]
        else:
            query = self._requests.query(self._batch)
        page = ReportPage() if query is None else self._send(query, cancelled)
        self.has_next = page.token is not None
        if page.token is not None:
            if page.token in self._tokens:
                raise ResponseError(
                    "the continuation_token leads back to a page that was already read"
                )
            self._tokens.append(page.token)
        return page

    def _send(self, query: Query, cancelled: Callable[[], bool]) -> ReportPage:
        try:
            return self._client.page(
                self._path,
                query,
                self._decode,
                can_split=self._batch.window.can_split,
                cancelled=cancelled,
            )
        except ServerError as error:
            if error.status == HTTPStatus.BAD_GATEWAY:
                text = (
                    f"{error} The request asks for {', '.join(self._requests.fields)}; "
                    "Spotify may answer so if it can't give one of these fields."
                )
                error.args = (text,)
            raise
        except ApiError as error:
            code = self._requests.why_no_data(error)
            if code is None:
                raise
            return ReportPage(no_data=code)

    def _decode(self, content: bytes) -> ReportPage:
        with error_context(f"GET {self._path}"):
            return self._requests.decode(content)
