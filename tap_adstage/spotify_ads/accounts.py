"""The ad accounts of all of the user's businesses, and those that a run reads."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from tap_adstage.exceptions import TapError, error_context
from tap_adstage.http.json_values import conform
from tap_adstage.listing import ChosenAccounts, Listing

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_adstage.config.shards import Shard
    from tap_adstage.config.spotify_ads_settings import SpotifyAdsConfig
    from tap_adstage.source import Resource
    from tap_adstage.spotify_ads.client import SpotifyAdsClient

_TEXT = {"type": ["string"]}


@dataclass
class AdAccounts:
    """The ad accounts that the user may see; each is read once a run.

    Attributes:
        client: Reads them.
        config: Has the chosen accounts.
    """

    client: SpotifyAdsClient
    config: SpotifyAdsConfig
    _unlisted: dict[str, Resource | TapError] = field(
        default_factory=dict, init=False, repr=False
    )

    @cached_property
    def businesses(self) -> Listing:
        """The user's businesses."""
        return self._collect(self.client.items("/businesses", "businesses"))

    @cached_property
    def linked(self) -> Listing:
        """The ad accounts of all businesses, each once.

        A business whose accounts can't be read is a fault.

        Raises:
            TapError: If the businesses can't be read, or the accounts of none of them.
        """
        accounts: dict[str, Resource] = {}
        faults = [*self.businesses.faults]
        unread: list[TapError] = []
        for business in self.businesses:
            path = f"/businesses/{business['id']}/ad_accounts"
            try:
                with error_context(f"business {business.get('name')!r}"):
                    listing = self._collect(self.client.items(path, "ad_accounts"))
            except TapError as error:
                if error.ends_run:
                    raise
                unread.append(error)
                continue
            faults += listing.faults
            for account in listing:
                accounts.setdefault(account["id"], account)
        if unread and len(unread) == len(self.businesses):
            raise unread[0]
        return Listing(accounts.values(), faults + unread)

    @cached_property
    def chosen(self) -> ChosenAccounts | None:
        """The chosen accounts; `None` if none is chosen."""
        chosen = self.config.accounts
        if chosen is None:
            return None
        return ChosenAccounts(chosen, lambda: self.linked, "id")

    @cached_property
    def listed(self) -> Listing:
        """The linked accounts; those of the chosen ones, if any are chosen."""
        chosen = self.config.accounts
        if chosen is None:
            return self.linked
        return Listing(
            (account for account in self.linked if account["id"] in chosen),
            self.linked.faults,
        )

    def ids_in(self, shard: Shard) -> list[str]:
        """Find the accounts that a report reads.

        Those of a business that refuses are not among them, and get the days that they
        lack once they are back.

        Args:
            shard: The part of the accounts that it reads.

        Raises:
            TapError: If no account can be listed.
        """
        ids = (
            [account["id"] for account in self.linked]
            if self.chosen is None
            else self.chosen.linked
        )
        return [each for each in ids if shard.has(each)]

    def account(self, account_id: str) -> Resource:
        """Return an account's own fields, read alone if no list has it.

        Args:
            account_id: Its id.

        Raises:
            TapError: If it can't be read.
        """
        known = self._by_id.get(account_id) or self._unlisted.get(account_id)
        if known is None:
            known = self._unlisted[account_id] = self._read(account_id)
        if isinstance(known, TapError):
            raise copy.copy(known)  # each reader puts its own place before the text
        return known

    def _read(self, account_id: str) -> Resource | TapError:
        """Read an account; return the error, as messages name the account often."""
        try:
            return self.client.get(f"/ad_accounts/{account_id}")
        except TapError as error:
            if error.ends_run:
                raise
            return error

    @cached_property
    def _by_id(self) -> dict[str, Resource]:
        try:
            return {account["id"]: account for account in self.linked}
        except TapError as error:
            if error.ends_run:
                raise
            return {}

    def _collect(self, resources: Iterable[Resource]) -> Listing:
        return Listing.collect(resources, with_id, self.client.transport.logger)


def with_id(resource: Resource) -> Resource:
    """Check that a resource has an id.

    Raises:
        ResponseError: If it has none.
    """
    with error_context(resource.place):
        return resource.adding(id=conform(resource.get("id"), _TEXT, "id"))
