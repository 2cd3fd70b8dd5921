"""What the settings name and only AdStage knows, looked up before anything is written.

The lists are the directory's, which the streams read as well. If a list can't be read,
that is not the user's mistake: here it is a warning, and the streams that need the list
report the failure.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from tap_adstage.config.adstage import ADSTAGE, CROSS_NETWORKS
from tap_adstage.config.entity_ids import EntityId
from tap_adstage.exceptions import (
    ApiError,
    ConfigError,
    ResponseError,
    TapError,
)
from tap_adstage.runtime.redaction import excerpt
from tap_adstage.runtime.wording import did_you_mean, json_text

if TYPE_CHECKING:
    import logging
    from collections.abc import Callable, Collection, Iterator

    from tap_adstage.adstage.directory import Directory
    from tap_adstage.config.adstage_settings import AdStageReportConfig

_WRONG_REQUEST = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.UNPROCESSABLE_ENTITY,
)


@dataclass
class Lookups:
    """Finds users, organizations and targets that the settings name, and AdStage lacks.

    Attributes:
        directory: The user's resources.
        logger: For a list that can't be read.
    """

    directory: Directory
    logger: logging.Logger
    _known: dict[str, Collection[str] | None] = field(default_factory=dict, init=False)
    """Entity ids by kind; `None` if AdStage doesn't list them, or not today."""

    def check_owner(self) -> None:
        """Look up the settings `user_id` and `organization_id`, if they are given.

        Raises:
            ConfigError: If AdStage has no such user or organization.
        """
        config, directory = self.directory.config, self.directory
        errors = []
        if config.user_id is not None:
            failure = self._not_found("user_id", lambda: directory.linked_accounts)
            if failure:
                errors.append(
                    f"user_id: unknown user {config.user_id} ({failure}); "
                    f"{self._own_user()}"
                )
        if config.organization_id is not None:
            failure = self._not_found("organization_id", lambda: directory.organization)
            if failure:
                errors.append(
                    f"organization_id: unknown organization "
                    f"{config.organization_id} ({failure}); {self._own_organizations()}"
                )
        if errors:
            raise ConfigError(errors)

    def check_targets(self, report: AdStageReportConfig) -> None:
        """Look up a report's targets, as far as AdStage lists their kind.

        Those are folders, account groups, organizations, and accounts of the networks
        that it imports. It lists no users, no profiles, and nothing below an account.

        Raises:
            ConfigError: If AdStage has no such target, with the nearest ones.
        """
        errors = []
        for target in report.targets:
            entity = EntityId.parse(target)
            known = self._ids_like(entity, f"reports.{report.name}.targets")
            if known is None or target in known:
                continue
            there_is = did_you_mean(target, sorted(known)) if known else "there is none"
            errors.append(
                f"reports.{report.name}.targets: unknown {entity.level} {target!r}; "
                f"{there_is}"
            )
        if errors:
            raise ConfigError(errors)

    def _ids_like(self, entity: EntityId, setting: str) -> Collection[str] | None:
        """List the ids of a network and level; `None` if they can't be listed."""
        kind = f"/network/{entity.network}/{entity.level}/"
        if kind not in self._known:
            read = self._reader(entity)
            self._known[kind] = None
            if read is not None:
                try:
                    ids = read()
                except (ApiError, ResponseError) as error:
                    if error.ends_run:
                        raise
                    self.logger.warning("%s: not looked up: %s", setting, error)
                else:
                    self._known[kind] = {known for known in ids if kind in known}
        return self._known[kind]

    def _reader(self, entity: EntityId) -> Callable[[], list[str]] | None:
        """Find what reads the ids of an entity's kind, if AdStage lists them."""
        directory = self.directory
        if entity.network in CROSS_NETWORKS and entity.level == "account":
            return lambda: [
                a["entity_id"] for a in directory.linked_accounts.complete()
            ]
        if entity.network != ADSTAGE:
            return None
        ids: dict[str, Callable[[], list[object]]] = {
            "folder": lambda: [f["fetch_id"] for f in directory.folders.complete()],
            "account_group": lambda: [
                g["id"] for g in directory.account_groups.complete()
            ],
            "organization": lambda: [
                directory.organization_id,
                *(each.get("fetch_id") for each in directory.organizations),
            ],
        }
        read = ids.get(entity.level)
        return read and (
            lambda: [str(EntityId(ADSTAGE, entity.level, str(id_))) for id_ in read()]
        )

    def _not_found(self, setting: str, read: Callable[[], object]) -> str:
        """Read what a setting names; return AdStage's answer if there is none such."""
        try:
            read()
        except (ApiError, ResponseError) as error:
            if error.ends_run:
                raise
            if isinstance(error, ApiError) and error.status == HTTPStatus.NOT_FOUND:
                return str(error)
            self.logger.warning("%s: not looked up: %s", setting, error)
        return ""

    def _own_user(self) -> str:
        own = "omit it to use the token's own"
        try:
            return f"{own}, {self.directory.light_user.get('fetch_id')}"
        except TapError:
            return own

    def _own_organizations(self) -> str:
        try:
            organizations = self.directory.organizations
        except TapError:
            return "omit it to use the user's own"
        names = (
            f"{each.get('fetch_id')} ({excerpt(str(each.get('company_name')))})"
            for each in organizations
        )
        return f"the user has {', '.join(names) or 'none'}"


@contextmanager
def naming_settings(report: AdStageReportConfig) -> Iterator[None]:
    """Name the settings of a report that AdStage refuses, and can't list beforehand.

    Args:
        report: The report that is requested inside.
    """
    try:
        yield
    except ApiError as error:
        settings = {"targets": report.targets, "dimensions": report.dimensions}
        named = ", ".join(
            f"reports.{report.name}.{key} is {json_text(value)}"
            for key, value in settings.items()
            if value
        )
        if named and error.status in _WRONG_REQUEST:
            error.args = (f"{error} ({excerpt(named)})",)
        raise
