"""The resources of one list, what is wrong with the others, and the chosen accounts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from tap_adstage.exceptions import (
    ConfigError,
    ResponseError,
    ShortListError,
    TapError,
)
from tap_adstage.source import Resource

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Iterable, Sequence


class Listing(list[Resource]):
    """The resources of one list.

    Attributes:
        faults: Errors of those that are not as documented, which it lacks, and of the
            list itself if it is too short.
    """

    def __init__(
        self,
        resources: Iterable[Resource] = (),
        faults: Iterable[TapError] = (),
    ) -> None:
        """Collect resources and faults."""
        super().__init__(resources)
        self.faults = [*faults]

    @classmethod
    def collect(
        cls,
        resources: Iterable[Resource],
        convert: Callable[[Resource], Resource],
        logger: logging.Logger,
    ) -> Listing:
        """Collect resources that can be converted, and the errors of the others.

        Args:
            resources: The resources as they are read.
            convert: Converts a resource, or raises a `ResponseError`.
            logger: Warns once if the list is too short, however many streams read it.
        """
        listing = cls()
        try:
            for resource in resources:
                try:
                    listing.append(convert(resource))
                except ResponseError as error:  # noqa: PERF203 - each fails alone
                    listing.faults.append(error)
        except ShortListError as error:
            logger.warning("%s", error)
            listing.faults.append(error)
        return listing

    def whole(self) -> Listing:
        """Return the list itself, for those who can't do with a part of it.

        Raises:
            ResponseError: If it lacks a resource.
        """
        for fault in self.faults:
            if not isinstance(fault, ShortListError):
                raise fault
        return self

    def complete(self) -> Listing:
        """Return the list itself, for those who conclude from what it lacks.

        Raises:
            ResponseError: If it lacks a resource, or is too short.
        """
        for fault in self.faults:
            raise fault
        return self


@dataclass
class ChosenAccounts:
    """The accounts that the settings choose, as far as they are linked.

    Attributes:
        chosen: Ids of the setting `accounts`.
        read_linked: Reads all linked accounts; called more than once.
        id_name: The member of an account that has its id.
    """

    chosen: Sequence[str]
    read_linked: Callable[[], Listing]
    id_name: str

    @cached_property
    def linked(self) -> list[str]:
        """Ids of the chosen accounts that are linked.

        If the linked accounts can't be read, all chosen ones count as linked.
        """
        try:
            missing = self._missing
        except TapError as error:
            if error.ends_run:
                raise
            return [*self.chosen]
        return [account for account in self.chosen if account not in missing]

    @cached_property
    def unlinked(self) -> ConfigError | None:
        """The error of chosen accounts that are not linked, with the linked ones.

        Raises:
            ConfigError: If none of the chosen accounts is linked.
            TapError: If the linked accounts can't be read.
        """
        missing = self._missing
        if not missing:
            return None
        linked = [account[self.id_name] for account in self.read_linked()]
        text = (
            f"accounts: {', '.join(missing)} not linked; the linked ones are "
            f"{', '.join(sorted(linked)) or 'none'}"
        )
        error = ConfigError([text])
        if len(missing) == len(self.chosen):
            raise error
        return error

    def check(self) -> Sequence[TapError]:
        """Look the chosen accounts up.

        Returns:
            Why not all of them can be read, if that is so.

        Raises:
            ConfigError: If none of them is linked, with those that are.
        """
        try:
            error = self.unlinked
        except TapError as failure:
            if failure.ends_run or isinstance(failure, ConfigError):
                raise
            return [failure]
        return [error] if error else []

    @cached_property
    def _missing(self) -> list[str]:
        """Ids of the chosen accounts that are not linked.

        Raises:
            TapError: If the linked accounts can't be read; also if their list is too
                short, as the missing ones may be among those that it lacks.
        """
        accounts = self.read_linked()
        linked = {account[self.id_name] for account in accounts.whole()}
        missing = [account for account in self.chosen if account not in linked]
        if missing:
            accounts.complete()
        return missing
