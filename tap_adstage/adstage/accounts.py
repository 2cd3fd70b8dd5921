"""The accounts that a report reads: chosen, in a shard, or of its targets."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import TYPE_CHECKING

from tap_adstage.adstage import import_policy
from tap_adstage.config.entity_ids import EntityId
from tap_adstage.exceptions import ApiError, ResponseError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from tap_adstage.adstage.directory import Directory
    from tap_adstage.adstage.import_policy import AccountScope
    from tap_adstage.adstage.import_status import AccountImport, AccountKey
    from tap_adstage.config.shards import Shard
    from tap_adstage.source import Resource

_WITH_MEMBERS = {"account", "account_group"}
_ALL_ACCOUNTS = {"user", "organization"}


@dataclass
class AccountFinder:
    """Finds the accounts that reports read.

    What can't be read is not requested again for the next report.

    Attributes:
        directory: The user's resources.
    """

    directory: Directory
    _unreadable: set[str] = field(default_factory=set, init=False, repr=False)
    _import_failure: ApiError | ResponseError | None = field(
        default=None, init=False, repr=False
    )

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
        chosen = self.directory.chosen_accounts
        if chosen is None and shard.is_whole:
            return None
        accounts = (
            [account["entity_id"] for account in self.directory.accounts]
            if chosen is None
            else chosen.linked
        )
        return [
            account
            for account in accounts
            if EntityId.parse(account).network in networks and shard.has(account)
        ]

    def read_by(
        self, shard: Shard, networks: Collection[str], targets: Sequence[str]
    ) -> list[Resource] | None:
        """Find the accounts that a report reads.

        Args:
            shard: Part of the accounts that the report is about.
            networks: The report's networks.
            targets: Entity ids that it is limited to; without any, it is not limited.
                The accounts of campaigns and folders are not known.

        Returns:
            The accounts; `None` if a list can't be read, which is one warning a run.

        Raises:
            AuthenticationError: If AdStage does not accept the credentials.
        """
        accounts = self._under(shard, [EntityId.parse(target) for target in targets])
        if accounts is None:
            return None
        return [
            account
            for account in accounts
            if account["network"] in networks and shard.has(account["entity_id"])
        ]

    def check_unknown(self, shard: Shard) -> None:
        """Check that a report may go on if it is not known who joined.

        Args:
            shard: Part of the accounts that the report is about.

        Raises:
            TapError: If it would not read all accounts: one that joined before would
                lack days, and nobody would know.
        """
        if self._are_listed(shard):
            self.directory.accounts.complete()

    def account_imports(self) -> list[AccountImport]:
        """Read how far AdStage has imported each account.

        Raises:
            ApiError: If AdStage refuses that, or refused it before.
            ResponseError: If a value is not as documented.
        """
        if self._import_failure:
            raise self._import_failure
        try:
            return self.directory.account_imports
        except (ApiError, ResponseError) as error:
            self._import_failure = error
            raise

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

    def _under(
        self, shard: Shard, targets: Sequence[EntityId]
    ) -> list[Resource] | None:
        read_by_list = self._are_listed(shard)
        if read_by_list:  # what the list lacks is not read: it has not joined
            linked = self._known("list of accounts", lambda: self.directory.accounts)
        else:
            linked = self._known("accounts", self._all_linked)
        is_limited = targets and not any(t.level in _ALL_ACCOUNTS for t in targets)
        if linked is None or not is_limited:
            return linked
        accounts: dict[str, Resource] = {}
        for target in targets:
            if target.level in _WITH_MEMBERS:
                members = self._members(target)
                if members is None:
                    return None
                accounts |= {account["entity_id"]: account for account in members}
        if read_by_list:
            listed = {account["entity_id"] for account in linked}
            return [accounts[each] for each in accounts if each in listed]
        return [*accounts.values()]

    def _members(self, target: EntityId) -> list[Resource] | None:
        """Read the accounts of an account or a group; `None` if they can't be read."""
        read = partial(self._accounts_of, target)
        return self._known(f"accounts of {target}", read)

    def _are_listed(self, shard: Shard) -> bool:
        """Whether a shard's reports read those accounts alone that the list has."""
        return self.directory.config.accounts is None and not shard.is_whole

    def _all_linked(self) -> list[Resource]:
        """Read all accounts: one that is missing would seem to have left."""
        return self.directory.accounts.complete()

    def _known(
        self, what: str, read: Callable[[], list[Resource]]
    ) -> list[Resource] | None:
        """Read a list, unless it could not be read before."""
        if what in self._unreadable:
            return None
        try:
            return read()
        except (ApiError, ResponseError) as error:
            if error.ends_run:
                raise
            self._unreadable.add(what)
            self.directory.client.transport.logger.warning(
                "could not read the %s: %s. Reports go on; accounts that joined get "
                "their earlier days in a later run",
                what,
                error,
            )
            return None

    def _keys_of(self, target: EntityId) -> set[AccountKey] | None:
        """Find the accounts of an account or an account group.

        `None` if they can't be read, if AdStage doesn't know the target, or if the
        import status lacks the name of one of its accounts.
        """
        if self._known("accounts", self._all_linked) is None:
            return None
        accounts = self._members(target) or ()
        keys = {(account["network"], account["name"]) for account in accounts}
        return keys if keys and keys <= self._imported_keys else None

    def _accounts_of(self, target: EntityId) -> list[Resource]:
        if target.level == "account":
            account = self._accounts_by_id.get(str(target))
            return [] if account is None else [account]
        chosen = self.directory.config.accounts
        return [
            account
            for group in self.directory.account_groups.complete()
            if str(group.get("id")) == target.remote_id
            for account in self.directory.group_accounts(group).complete()
            if chosen is None or account["entity_id"] in chosen
        ]

    @cached_property
    def _accounts_by_id(self) -> dict[str, Resource]:
        return {account["entity_id"]: account for account in self.directory.accounts}

    @cached_property
    def _imported_keys(self) -> set[AccountKey]:
        return {account.key for account in self.account_imports()}
