"""The accounts that a report reads: chosen, in a shard, or of its targets."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from tap_adstage.adstage import import_policy
from tap_adstage.config.entity_ids import EntityId

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from tap_adstage.adstage.directory import Directory
    from tap_adstage.adstage.import_policy import AccountScope
    from tap_adstage.adstage.import_status import AccountKey
    from tap_adstage.config.shards import Shard
    from tap_adstage.source import Resource


@dataclass
class AccountFinder:
    """Finds the accounts that reports read.

    Attributes:
        directory: The user's resources.
    """

    directory: Directory

    def accounts_in(self, shard: Shard, networks: Collection[str]) -> list[str] | None:
        """Find the accounts that a report is to be limited to.

        Args:
            shard: Part of the accounts that the report is about.
            networks: The report's networks.

        Returns:
            Their entity ids; `None` if the report needs no limit.

        Raises:
            TapError: If a shard's accounts can't be looked up.
        """
        accounts = self.directory.chosen_accounts
        if accounts is None:
            if shard.is_whole:
                return None
            accounts = [account["entity_id"] for account in self.directory.accounts]
        return [
            account
            for account in accounts
            if EntityId.parse(account).network in networks and shard.has(account)
        ]

    def scope(self, networks: Iterable[str], targets: Iterable[str]) -> AccountScope:
        """Find the accounts that a report reads, by the names of the import status.

        Args:
            networks: The report's networks.
            targets: Entity ids that it is limited to; without any, it is not limited.

        Returns:
            The accounts; all of a network's if single ones can't be found.
        """
        entities = [EntityId.parse(target) for target in targets]
        return import_policy.account_scope(networks, entities, self._keys_of)

    def _keys_of(self, target: EntityId) -> set[AccountKey] | None:
        """Find the accounts of an account or an account group.

        `None` if AdStage doesn't know the target, or if the import status lacks the
        name of one of its accounts.
        """
        accounts = self._accounts_of(target)
        keys = {(account["network"], account["name"]) for account in accounts}
        return keys if keys and keys <= self._imported_keys else None

    def _accounts_of(self, target: EntityId) -> list[Resource]:
        if target.level == "account":
            account = self._accounts_by_id.get(str(target))
            return [] if account is None else [account]
        chosen = self.directory.config.accounts
        return [
            account
            for group in self.directory.account_groups
            if str(group.get("id")) == target.remote_id
            for account in self.directory.group_accounts(group)
            if chosen is None or account["entity_id"] in chosen
        ]

    @cached_property
    def _accounts_by_id(self) -> dict[str, Resource]:
        return {account["entity_id"]: account for account in self.directory.accounts}

    @cached_property
    def _imported_keys(self) -> set[AccountKey]:
        return {account.key for account in self.directory.account_imports}
