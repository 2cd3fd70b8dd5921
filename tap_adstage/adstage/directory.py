"""What belongs to the user: organization, accounts, groups, folders, descriptors.

Each list is fetched once a run, when it is first needed. So the streams of one list
(folders and their campaigns, groups and their accounts) agree with each other, and with
the accounts that the settings were checked against.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_adstage.adstage import hal, import_status
from tap_adstage.config.entity_ids import EntityId
from tap_adstage.exceptions import (
    ConfigError,
    ResponseError,
    error_context,
)
from tap_adstage.http.json_values import conform
from tap_adstage.listing import ChosenAccounts, Listing
from tap_adstage.reports.fetch_ahead import FetchAhead
from tap_adstage.runtime.redaction import excerpt, redact
from tap_adstage.source import Resource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tap_adstage.adstage.client import AdStageClient
    from tap_adstage.adstage.import_status import AccountImport
    from tap_adstage.config.adstage_settings import AdStageConfig

_TEXT = {"type": ["string"]}
_TEXT_OR_NULL = {"type": ["string", "null"]}
_WHOLE_NUMBER = {"type": ["integer"]}
_OBJECTS = {"type": "array", "items": {"type": "object"}}


@dataclass
class Directory:
    """The resources of one user and one organization.

    Attributes:
        client: Reads them.
        config: Has the user, the organization and the chosen accounts.
    """

    client: AdStageClient
    config: AdStageConfig
    _network_descriptors: dict[str, Listing] = field(
        default_factory=dict,
        init=False,
        repr=False,
    )
    _group_accounts: dict[str, Listing] = field(
        default_factory=dict,
        init=False,
        repr=False,
    )

    @cached_property
    def user_id(self) -> int:
        """The AdStage user: the setting `user_id`, else the token's own.

        Raises:
            ResponseError: If the token's user has no id.
        """
        return self.config.user_id or _fetch_id(self.light_user)

    @cached_property
    def organization_id(self) -> int:
        """The AdStage organization: the setting, else the user's only one.

        Raises:
            ConfigError: If the user has several organizations, with all of them.
            ResponseError: If the user has none.
        """
        if self.config.organization_id:
            return self.config.organization_id
        names = {
            _fetch_id(organization): organization.get("company_name")
            for organization in self.organizations
        }
        if not names:
            raise ResponseError(
                f"{self.user.place} has no _embedded.adstage:organizations; set "
                "organization_id",
            )
        if len(names) > 1:
            several = ", ".join(
                f"{fetch_id} ({excerpt(str(name))})" for fetch_id, name in names.items()
            )
            raise ConfigError(
                [f"organization_id: not given; the user has several: {several}"],
            )
        (organization_id,) = names
        return organization_id

    @cached_property
    def organizations(self) -> list[Resource]:
        """The user's organizations; at times the light form of `/me` omits them."""
        return _organizations(self.light_user) or _organizations(self.user)

    @cached_property
    def light_user(self) -> Resource:
        """The current user in the light form: id and name."""
        return self._object("/me{?type}", type="lightweight")

    @cached_property
    def user(self) -> Resource:
        """The current user in full."""
        return self._object("/me")

    @cached_property
    def organization(self) -> Resource:
        """The organization in full."""
        return self._object("/organizations/{id}", id=self.organization_id)

    @cached_property
    def linked_accounts(self) -> Listing:
        """All linked accounts, each with its `entity_id`."""
        return self._list("/users/{user_id}/list_network_accounts/all", _account)

    @cached_property
    def accounts(self) -> Listing:
        """The linked accounts; those of the chosen ones, if any are chosen."""
        linked, chosen = self.linked_accounts, self.config.accounts
        if chosen is None:
            return linked
        return Listing(
            (account for account in linked if account["entity_id"] in chosen),
            linked.faults,
        )

    @cached_property
    def chosen_accounts(self) -> ChosenAccounts | None:
        """The chosen accounts by entity id; `None` if none is chosen."""
        chosen = self.config.accounts
        if chosen is None:
            return None
        return ChosenAccounts(chosen, lambda: self.linked_accounts, "entity_id")

    @cached_property
    def account_groups(self) -> Listing:
        """The account groups."""
        return self._list(
            "/users/{user_id}/account_groups",
            lambda group: _conformed(group, id=_WHOLE_NUMBER),
        )

    @cached_property
    def folders(self) -> Listing:
        """The folders."""
        return self._list(
            "/users/{user_id}/list_folders",
            lambda folder: _conformed(folder, fetch_id=_TEXT),
        )

    @cached_property
    def import_status(self) -> Listing:
        """The import status of each account; of the chosen ones, if any are.

        The answer has no ids, so chosen accounts are found by network and name.

        Raises:
            ResponseError: If the answer has no list of accounts.
        """
        information = self._object("/users/{id}/sync_information", id=self.user_id)
        items = _conformed(information, accounts=_OBJECTS)["accounts"]
        accounts = self._listing(
            hal.resources(items, f"{information.place}: accounts"),
            lambda account: _conformed(account, network=_TEXT, name=_TEXT_OR_NULL),
        )
        if self.config.accounts is None:
            return accounts
        chosen = {
            (account["network"], account["name"]) for account in self.accounts.whole()
        }
        return Listing(
            (
                status
                for status in accounts
                if (status["network"], status["name"]) in chosen
            ),
            accounts.faults,
        )

    @cached_property
    def account_imports(self) -> list[AccountImport]:
        """How far AdStage has imported each account: `import_status`, typed.

        Raises:
            ResponseError: If a value is not as documented.
        """
        imports = []
        for account in self.import_status.whole():
            with error_context(account.place):
                imports.append(import_status.AccountImport.parse(account))
        return imports

    @cached_property
    def cross_network_descriptors(self) -> Listing:
        """Descriptors of the metrics that all networks have."""
        return self._descriptors("/metric_descriptors")

    @cached_property
    def organization_descriptors(self) -> Listing:
        """Descriptors of custom conversions and calculated metrics."""
        return self._descriptors(
            "/organizations/{id}/metric_descriptors",
            id=self.organization_id,
        )

    def network_descriptors(self, network: str) -> Listing:
        """Read one network's own metrics and text fields.

        Args:
            network: One of `EXTERNAL_PROVIDERS`.

        Returns:
            The descriptors (API: Network Metric Descriptors).
        """
        if network not in self._network_descriptors:
            path = "/metric_descriptors/{network}"
            descriptors = self._descriptors(path, network=network)
            self._network_descriptors[network] = descriptors
        return self._network_descriptors[network]

    def prefetch_group_accounts(self, groups: Iterable[Resource]) -> None:
        """Fetch the accounts of several groups at once, from the first one's on.

        Args:
            groups: Account groups, in the order in which `group_accounts` reads them.
        """
        urls = []
        for group in groups:
            with suppress(ResponseError):  # `group_accounts` raises it
                urls.append(self._group_url(group))
        self._group_lists.schedule(urls)

    def group_accounts(self, group: Resource) -> Listing:
        """Read the accounts of a group, by its own `adstage:list` link.

        Args:
            group: An account group.

        Returns:
            The accounts, each with its `entity_id`.

        Raises:
            ResponseError: If the group has no such link.
        """
        url = self._group_url(group)
        if url not in self._group_accounts:
            self._group_accounts[url] = self._group_lists.read(url)
        return self._group_accounts[url]

    @cached_property
    def _group_lists(self) -> FetchAhead[Listing]:
        return FetchAhead(
            lambda url: self._listing(self.client.items(url), _account),
            self.client.transport.shutdown,
            self.config.max_concurrency,
        )

    def _group_url(self, group: Resource) -> str:
        with error_context(group.place):
            link = hal.link(group, "adstage:list")
            if link is None:
                raise ResponseError("the link adstage:list is missing")
            target = link.target(limit=self.client.page_size)
        page = self.client.url("/users/{user_id}/account_groups", user_id=self.user_id)
        return hal.resolve(target, page)

    def _list(self, template: str, convert: Callable[[Resource], Resource]) -> Listing:
        url = self.client.url(
            template + "{?limit}",
            user_id=self.user_id,
            limit=self.client.page_size,
        )
        return self._listing(self.client.items(url), convert)

    def _listing(
        self,
        resources: Iterable[Resource],
        convert: Callable[[Resource], Resource],
    ) -> Listing:
        return Listing.collect(resources, convert, self.client.transport.logger)

    def _object(self, template: str, **variables: str | int) -> Resource:
        document, place = self._document({"type": "object"}, template, variables)
        return Resource(document, place)

    def _descriptors(self, template: str, **variables: str | int) -> Listing:
        """Read a list of descriptors: in fact a bare array, and not as documented."""
        document, place = self._document(_OBJECTS, template, variables)
        if not document:  # then every custom metric would count as deleted
            raise ResponseError(f"{place}: the answer has no descriptors")
        return self._listing(
            hal.resources(document, f"{place}: the answer"),
            lambda item: _conformed(
                item, id=_TEXT, type=_TEXT_OR_NULL, format=_TEXT_OR_NULL
            ),
        )

    def _document(
        self,
        schema: Mapping[str, Any],
        template: str,
        variables: Mapping[str, str | int],
    ) -> tuple[Any, str]:
        """Read an answer of the expected type, and return it with its place."""
        answer = self.client.get(template, **variables)
        place = f"GET {redact(self.client.url(template, **variables))}"
        with error_context(place):
            return conform(answer, schema, "the answer"), place


def _conformed(resource: Resource, **schemas: Mapping[str, Any]) -> Resource:
    """Convert the fields that the tap itself uses to their types."""
    with error_context(resource.place):
        return resource.adding(
            **{
                field: conform(resource.get(field), schema, field)
                for field, schema in schemas.items()
            },
        )


def _account(resource: Resource) -> Resource:
    """Add an account's entity id, which AdStage's lists of accounts omit."""
    account = _conformed(resource, network=_TEXT, remote_id=_TEXT, name=_TEXT_OR_NULL)
    entity_id = EntityId(account["network"], "account", account["remote_id"])
    return account.adding(entity_id=str(entity_id))


def _organizations(user: Resource) -> list[Resource]:
    """List a user's organizations; a single one has a relation of its own."""
    for relation in ("adstage:organizations", "adstage:organization"):
        with error_context(user.place):
            items = hal.embedded(user, relation)
        if items:
            return hal.resources(items, f"{user.place}: _embedded.{relation}")
    return []


def _fetch_id(resource: Resource) -> int:
    fetch_id: int = _conformed(resource, fetch_id=_WHOLE_NUMBER)["fetch_id"]
    return fetch_id
