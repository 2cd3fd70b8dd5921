"""Batches: what one chain of a report's requests asks for, and its pages."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Protocol

from tap_adstage.exceptions import ApiError, ResponseError, ServerError
from tap_adstage.spotify_ads.report_page import next_token

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_adstage.date_ranges import DateRange
    from tap_adstage.exceptions import TapError
    from tap_adstage.reports.windows import Window
    from tap_adstage.spotify_ads.client import Query, SpotifyAdsClient
    from tap_adstage.spotify_ads.metrics import RowTable
    from tap_adstage.spotify_ads.report_page import PageDecoder, ReportPage

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
    """A page of a batch, as it came.

    Attributes:
        batch: The batch.
        answers: The bodies of its answers: one, or all of an account's own totals;
            none if nothing was requested, or Spotify has no data.
        no_data: Spotify's code for an entity without data.
        received: When it came, in UTC.
    """

    batch: Batch
    answers: Sequence[bytes] = ()
    no_data: str | None = None
    received: dt.datetime = field(
        default_factory=lambda: dt.datetime.now(dt.timezone.utc)
    )


class ReportRequests(Protocol):
    """One of the API's two kinds of reports: what is asked, and what is read."""

    @property
    def resource(self) -> str:
        """Last part of the path."""

    @property
    def fields(self) -> Sequence[str]:
        """The fields that are requested."""

    @property
    def pages(self) -> PageDecoder:
        """Decodes the answers."""

    def batches(self, window: Window, account: str) -> list[Batch]:
        """List the batches of an account's entities.

        Raises:
            TapError: If the entities can't be listed.
        """

    def query(self, batch: Batch) -> Query | None:
        """Make the parameters of a batch's first page; `None` if nothing is left."""

    def why_no_data(self, error: ApiError) -> str | None:
        """Return Spotify's code for an entity without data, if an error has it."""

    def rows(self, batch: Batch, page: ReportPage) -> RowTable:
        """Read the rows of a page of a batch.

        Raises:
            ResponseError: If they are not as documented.
        """

    def count_no_data(self, code: str) -> None:
        """Count an entity without data, by Spotify's code."""


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
        self._path = path_of(batch, requests)
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
            page = replace(more, answers=[*page.answers, *more.answers])
        return page

    def _fetch(self, cancelled: Callable[[], bool]) -> BatchPage:
        if self._batch.error:
            raise self._batch.error
        if self._tokens:
            query: Query | None = [("continuation_token", self._tokens[-1])]
        else:
            query = self._requests.query(self._batch)
        self.has_next = False
        if query is None:
            return BatchPage(self._batch)
        try:
            answer, token = self._send(query, cancelled)
        except ApiError as error:
            code = self._requests.why_no_data(error)
            if code is None:
                raise
            return BatchPage(self._batch, no_data=code)
        if token in self._tokens:
            raise ResponseError(
                "the continuation_token leads back to a page that was already read"
            )
        if token is not None:
            self._tokens.append(token)
            self.has_next = True
        return BatchPage(self._batch, [answer])

    def _send(
        self, query: Query, cancelled: Callable[[], bool]
    ) -> tuple[bytes, str | None]:
        """Request a page, and read the token of the next one."""
        try:
            return self._client.page(
                self._path,
                query,
                lambda content: (content, next_token(content)),
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


def path_of(batch: Batch, requests: ReportRequests) -> str:
    """Return the path of a batch's requests."""
    return f"/ad_accounts/{batch.account}/{requests.resource}"
