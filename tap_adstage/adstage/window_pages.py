"""The pages of one window of a report, each with the request of the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_adstage.adstage.pagination import Paginator

if TYPE_CHECKING:
    from collections.abc import Callable

    from tap_adstage.adstage.client import AdStageClient
    from tap_adstage.adstage.page import Page
    from tap_adstage.adstage.pagination import ApiRequest


class AdStageWindowPages:
    """The pages of one window, each of which leads to the next."""

    def __init__(
        self,
        client: AdStageClient,
        first: ApiRequest,
        *,
        can_split: bool,
    ) -> None:
        """Start before the first page.

        Args:
            client: Fetches the pages.
            first: The first page's request.
            can_split: Whether the caller can request less.
        """
        self._client = client
        self._request: ApiRequest | None = first
        self._can_split = can_split
        self._paginator = Paginator()

    @property
    def has_next(self) -> bool:
        """Whether there is a page to fetch."""
        return self._request is not None

    def fetch(self, cancelled: Callable[[], bool]) -> Page:
        """Fetch the next page, and find the request of the one after it.

        Args:
            cancelled: Whether nobody waits for the page any more.

        Raises:
            TapError: As `AdStageClient.page` and `Paginator.get_next` raise it.
        """
        assert self._request  # noqa: S101 - else there is no next page
        sent, page = self._client.page(
            self._request,
            can_split=self._can_split,
            cancelled=cancelled,
        )
        self._request = self._paginator.get_next(sent, page.head)
        return page
