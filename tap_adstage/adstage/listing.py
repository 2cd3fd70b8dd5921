"""The resources of one list, and what is wrong with the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_adstage.exceptions import ShortListError
from tap_adstage.source import Resource

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tap_adstage.exceptions import TapError


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
