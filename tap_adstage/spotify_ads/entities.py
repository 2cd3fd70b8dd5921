"""What is in an ad account: its campaigns, ad sets, ads and assets."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from tap_adstage.exceptions import TapError, error_context
from tap_adstage.listing import Listing
from tap_adstage.reports.fetch_ahead import FetchAhead
from tap_adstage.runtime.redaction import excerpt
from tap_adstage.spotify_ads.accounts import with_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tap_adstage.source import Resource
    from tap_adstage.spotify_ads.accounts import AdAccounts

_MOST_IDS = 50
"""Entities in one request of a report."""


@dataclass
class Entities:
    """The entities of ad accounts, archived ones too; ids are listed once a run.

    Attributes:
        accounts: The ad accounts.
    """

    accounts: AdAccounts
    _ids: dict[str, list[str]] = field(default_factory=dict, init=False, repr=False)

    def read(self, level: str) -> Iterator[Resource | TapError]:
        """Read the entities of all accounts of the run.

        Args:
            level: `campaigns`, `ad_sets`, `ads` or `assets`.

        Yields:
            Each entity, with its `ad_account_id`; for each account that can't be read,
            the error.
        """
        accounts = self.accounts.listed
        paths = {_path(account["id"], level): account for account in accounts}
        self._pages.schedule(map(self.accounts.client.list_page, paths))
        for path, account in paths.items():
            try:
                with error_context(name_of(account)):
                    entities = self._list(path)
            except TapError as error:
                if error.ends_run:
                    raise
                yield error
                continue
            for entity in entities:
                yield entity.adding(ad_account_id=account["id"])
            yield from entities.faults
        yield from accounts.faults

    def ids(self, level: str, account_id: str) -> list[str]:
        """List the ids of an account's entities, in the order of their creation.

        Args:
            level: `campaigns`, `ad_sets` or `ads`.
            account_id: The account's id.

        Raises:
            TapError: If the list can't be read as a whole.
        """
        path = _path(account_id, level)
        if path not in self._ids:
            # Not by a `Listing`: of 100,000 ads, the ids alone have to fit in memory.
            entities = self.accounts.client.paged_items(path, level, self._pages.read)
            ids = (with_id(entity)["id"] for entity in entities)
            self._ids[path] = [*dict.fromkeys(ids)]
        return self._ids[path]

    def batches(self, level: str, account_id: str) -> list[Sequence[str]]:
        """List the ids of an account's entities in batches for a report's requests.

        Args:
            level: `campaigns`, `ad_sets` or `ads`.
            account_id: The account's id.

        Raises:
            TapError: If the list can't be read as a whole.
        """
        ids = self.ids(level, account_id)
        return [ids[at : at + _MOST_IDS] for at in range(0, len(ids), _MOST_IDS)]

    @cached_property
    def _pages(self) -> FetchAhead[Resource]:
        """The pages of lists, by path and query."""
        client = self.accounts.client
        return FetchAhead(
            client.get,
            client.transport.shutdown,
            self.accounts.config.max_concurrency,
            later=self._later_pages,
        )

    def _later_pages(self, page: str, document: Resource) -> list[str]:
        path = page.partition("?")[0]
        client = self.accounts.client
        if page != client.list_page(path):
            return []
        return client.later_pages(path, _member(path), document)

    def _list(self, path: str) -> Listing:
        """Read a list, and remember its ids if it is complete."""
        client = self.accounts.client
        listing = Listing.collect(
            client.paged_items(path, _member(path), self._pages.read),
            with_id,
            client.transport.logger,
        )
        if not listing.faults:
            self._ids[path] = [*dict.fromkeys(each["id"] for each in listing)]
        return listing


def name_of(account: Resource) -> str:
    """Name an account for a message."""
    return f"ad account {excerpt(str(account.get('name')))} ({account['id']})"


def _path(account_id: str, level: str) -> str:
    return f"/ad_accounts/{account_id}/{level}"


def _member(path: str) -> str:
    return path.rpartition("/")[2]
