"""The resource streams: what AdStage has besides reports, each a table."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

from tap_adstage.adstage import hal
from tap_adstage.config.adstage import CROSS_NETWORKS, EXTERNAL_PROVIDERS
from tap_adstage.exceptions import TapError, error_context
from tap_adstage.http.json_values import conform
from tap_adstage.source import Resource, ResourceTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tap_adstage.adstage.directory import Directory
    from tap_adstage.listing import Listing

_StatusByNetwork = th.ObjectType(
    *(th.Property(network, th.StringType) for network in CROSS_NETWORKS),
    additional_properties=th.StringType(nullable=True),
)
_CountByNetwork = th.ObjectType(
    *(th.Property(network, th.IntegerType) for network in (*CROSS_NETWORKS, "totals")),
    additional_properties=th.IntegerType(nullable=True),
)
_Strings = th.ArrayType(th.StringType)

_CAMPAIGN_PATH = re.compile(r"/\S+/campaigns/([^/\s]+)")

_ACCOUNT = (
    th.Property("network", th.StringType, required=True),
    th.Property("remote_id", th.StringType, required=True),
    th.Property("entity_id", th.StringType),
    th.Property("name", th.StringType),
    th.Property("network_name", th.StringType),
    th.Property("is_visible", th.BooleanType),
    th.Property("currency_code", th.StringType),
    th.Property("status", th.StringType),
)


@dataclass(frozen=True)
class Table(ResourceTable):
    """A stream of AdStage's resources.

    Attributes:
        read: Reads the resources, with what the stream adds to them; for each part of
            the table that can't be read, its error.
    """

    read: Callable[[Directory], Iterable[Resource | TapError]]


def _schema(*columns: th.Property[Any]) -> dict[str, Any]:
    return th.PropertiesList(*columns).to_dict()


def _users(directory: Directory) -> Iterable[Resource]:
    """Read the token's user (API: Current User)."""
    return [directory.user]


def _organizations(directory: Directory) -> Iterable[Resource]:
    """Read the organization that is reported on (API: Organization)."""
    return [directory.organization]


def _accounts(directory: Directory) -> Iterable[Resource | TapError]:
    """Read the linked accounts, or the chosen ones (API: Accounts)."""
    return _entries(directory.accounts)


def _account_groups(directory: Directory) -> Iterable[Resource | TapError]:
    """Read the groups of accounts (API: Account Groups)."""
    return _entries(directory.account_groups)


def _account_group_accounts(directory: Directory) -> Iterable[Resource | TapError]:
    """Read which accounts are in which group, by its `adstage:list` link."""

    def members(group: Resource) -> Iterator[Resource | TapError]:
        with error_context(f"account group {group['id']}"):
            accounts = directory.group_accounts(group)
        for account in accounts:
            yield account.adding(account_group_id=group["id"])
        yield from accounts.faults

    directory.prefetch_group_accounts(directory.account_groups)
    for group in directory.account_groups:
        yield from _alone(members(group))
    yield from directory.account_groups.faults


def _folders(directory: Directory) -> Iterable[Resource | TapError]:
    """Read the folders of campaigns (API: Folders)."""
    return _entries(directory.folders)


def _folder_campaigns(directory: Directory) -> Iterable[Resource | TapError]:
    """Read which campaigns are in which folder, from the folders' links."""
    for folder in directory.folders:
        yield from _alone(_campaigns(folder))
    yield from directory.folders.faults


def _campaigns(folder: Resource) -> Iterator[Resource]:
    relation = "adstage:network_campaign"
    with error_context(folder.place):
        campaigns = [link.attributes for link in hal.links(folder, relation)]
    place = f"{folder.place}: _links.{relation}"
    for campaign in hal.resources(campaigns, place):
        fields = {
            "folder_id": folder["fetch_id"],
            "network": campaign.get("data-network"),
            "remote_campaign_id": _remote_id(campaign),
            "id": campaign.get("data-id"),
            "title": campaign.get("title"),
            "network_name": campaign.get("data-network_name"),
            "navgroup": campaign.get("data-navgroup"),
            "network_account_id": campaign.get("network_account_id"),
            "network_account_name": campaign.get("network_account_name"),
        }
        yield Resource(fields, campaign.place)


def _remote_id(campaign: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON value
    """The campaign's id: the path's text, as a number would drop its leading zeros."""
    path = _CAMPAIGN_PATH.fullmatch(str(campaign.get("data-id")))
    return path[1] if path else campaign.get("data-fetch_id")


def _import_status(directory: Directory) -> Iterable[Resource | TapError]:
    """Read how far each account is imported, flattened (API: Import Status)."""
    for account in directory.import_status:
        yield from _alone(_flattened(account))
    yield from directory.import_status.faults


def _flattened(account: Resource) -> Iterator[Resource]:
    field = "import_status"
    with error_context(account.place):
        status = conform(account.get(field), {"type": "object"}, field)
    names = {"network": account["network"], "name": account["name"]}
    yield Resource({**status, **names}, account.place)


def _metric_descriptors(directory: Directory) -> Iterable[Resource | TapError]:
    """Read the metrics of all providers, which mean different things by one id."""

    def of(provider: str, read: Callable[[], Listing]) -> Iterator[Resource | TapError]:
        with error_context(f"provider {provider}"):
            descriptors = read()
        for descriptor in descriptors:
            yield descriptor.adding(provider=provider)
        yield from descriptors.faults

    yield from _alone(of("adstage", lambda: directory.cross_network_descriptors))
    yield from _alone(of("organization", lambda: directory.organization_descriptors))
    for network in EXTERNAL_PROVIDERS:
        read = partial(directory.network_descriptors, network)
        yield from _alone(of(network, read))


def _entries(listing: Listing) -> Iterator[Resource | TapError]:
    yield from listing
    yield from listing.faults


def _alone(
    resources: Iterator[Resource | TapError],
) -> Iterator[Resource | TapError]:
    """Read one part of a table; if that fails, its error takes its place."""
    try:
        yield from resources
    except TapError as error:
        if error.ends_run:
            raise
        yield error


_TABLES = (
    Table(
        name="users",
        key=("id",),
        schema=_schema(
            th.Property("id", th.StringType, required=True),
            th.Property("fetch_id", th.IntegerType),
            th.Property("first_name", th.StringType),
            th.Property("last_name", th.StringType),
            th.Property("email", th.StringType),
            th.Property("created_at", th.IntegerType),
            th.Property("has_linked", th.BooleanType),
            th.Property("account_status", _StatusByNetwork),
            th.Property("visible_account_status", _StatusByNetwork),
            th.Property("avatar_url", th.StringType),
            th.Property("customer_status", th.StringType),
            th.Property("default_organization_role", th.StringType),
        ),
        read=_users,
    ),
    Table(
        name="organizations",
        key=("fetch_id",),
        schema=_schema(
            th.Property("fetch_id", th.IntegerType, required=True),
            th.Property("id", th.StringType),
            th.Property("company_name", th.StringType),
            th.Property("company_url", th.StringType),
            th.Property("active_accounts_count", th.IntegerType),
            th.Property("additional_accounts_purchased", th.IntegerType),
            th.Property("advertiser_type", th.StringType),
            th.Property("advertising_objective", th.StringType),
            th.Property("billable_accounts_count", th.IntegerType),
            th.Property("billing_contact_email", th.StringType),
            th.Property("blurb", th.StringType),
            th.Property("cumulative_monthly_spend", th.NumberType),
            th.Property("customer_status", th.StringType),
            th.Property("is_active_customer", th.BooleanType),
            th.Property("is_billing_error", th.BooleanType),
            th.Property("is_former_customer", th.BooleanType),
            th.Property("user_count", th.IntegerType),
        ),
        read=_organizations,
    ),
    Table(
        name="accounts",
        key=("network", "remote_id"),
        schema=_schema(
            *_ACCOUNT,
        ),
        read=_accounts,
    ),
    Table(
        name="account_groups",
        key=("id",),
        schema=_schema(
            th.Property("id", th.IntegerType, required=True),
            th.Property("name", th.StringType),
            th.Property("is_visible", th.BooleanType),
            th.Property("account_count", th.IntegerType),
        ),
        read=_account_groups,
    ),
    Table(
        name="account_group_accounts",
        key=("account_group_id", "network", "remote_id"),
        schema=_schema(
            th.Property("account_group_id", th.IntegerType, required=True),
            *_ACCOUNT,
        ),
        read=_account_group_accounts,
    ),
    Table(
        name="folders",
        key=("fetch_id",),
        schema=_schema(
            th.Property("fetch_id", th.StringType, required=True),
            th.Property("id", th.StringType),
            th.Property("name", th.StringType),
            th.Property("daily_budget_value", th.NumberType),
            th.Property("lifetime_budget_value", th.NumberType),
            th.Property("monthly_budget_value", th.NumberType),
            th.Property("network_counts", _CountByNetwork),
        ),
        read=_folders,
    ),
    Table(
        name="folder_campaigns",
        key=("folder_id", "network", "remote_campaign_id"),
        schema=_schema(
            th.Property("folder_id", th.StringType, required=True),
            th.Property("network", th.StringType, required=True),
            th.Property("remote_campaign_id", th.StringType, required=True),
            th.Property("id", th.StringType),
            th.Property("title", th.StringType),
            th.Property("network_name", th.StringType),
            th.Property("navgroup", th.StringType),
            th.Property("network_account_id", th.StringType),
            th.Property("network_account_name", th.StringType),
        ),
        read=_folder_campaigns,
    ),
    Table(
        name="import_status",
        key=("network", "name"),
        schema=_schema(
            th.Property("network", th.StringType, required=True),
            th.Property("name", th.StringType, required=True),
            th.Property("code", th.StringType),
            th.Property("is_importing", th.BooleanType),
            th.Property("last_import_started", th.DateTimeType),
            th.Property("last_import_finished", th.DateTimeType),
            th.Property("last_import_failed", th.DateTimeType),
            th.Property("importable", th.BooleanType),
        ),
        read=_import_status,
    ),
    Table(
        name="metric_descriptors",
        key=("provider", "id"),
        schema=_schema(
            th.Property("provider", th.StringType, required=True),
            th.Property("id", th.StringType, required=True),
            th.Property("short_name", th.StringType),
            th.Property("name", th.StringType),
            th.Property("tooltip", th.StringType),
            th.Property("format", th.StringType),
            th.Property("type", th.StringType),
            th.Property("category", th.StringType),
            th.Property("default_sort_order", th.StringType),
            th.Property("show_increase_as", th.StringType),
            th.Property("is_default", th.BooleanType),
            th.Property("is_adwords", th.BooleanType),
            th.Property("is_amazon", th.BooleanType),
            th.Property("is_bing_ads", th.BooleanType),
            th.Property("is_facebook", th.BooleanType),
            th.Property("is_gemini", th.BooleanType),
            th.Property("is_google_analytics", th.BooleanType),
            th.Property("is_linkedin", th.BooleanType),
            th.Property("is_pinterest", th.BooleanType),
            th.Property("is_quora", th.BooleanType),
            th.Property("is_spotify", th.BooleanType),
            th.Property("is_twitter", th.BooleanType),
            th.Property("is_account", th.BooleanType),
            th.Property("is_campaign", th.BooleanType),
            th.Property("is_ad_group", th.BooleanType),
            th.Property("is_ad", th.BooleanType),
            th.Property("is_keyword", th.BooleanType),
            th.Property("is_post", th.BooleanType),
            th.Property("is_company_status_update", th.BooleanType),
            th.Property("display_names", _Strings),
            th.Property("can_filter", th.BooleanType),
            th.Property("supports_filters", _Strings),
            th.Property("supports_zero_impressions", _Strings),
            th.Property("reports", _Strings),
        ),
        read=_metric_descriptors,
    ),
)

TABLES = {table.name: table for table in _TABLES}
"""The resource streams by name, in the order in which they are read."""

FORMER_NAMES = {"current_user": "users"}
"""Streams by the names that they had; Postgres reserves `current_user`."""
