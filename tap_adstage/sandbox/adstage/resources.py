"""The resources as JSON: user, organization, account, group, folder, import status."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from tap_adstage.sandbox.world.entities import VISIBLE
from tap_adstage.sandbox.world.names import NETWORK_NAMES, NETWORKS

if TYPE_CHECKING:
    import datetime as dt

    from tap_adstage.sandbox.world.entities import AccountGroup, Entity, Folder
    from tap_adstage.sandbox.world.import_status import ImportStatuses
    from tap_adstage.sandbox.world.organizations import Organization
    from tap_adstage.sandbox.world.world import World

Json: TypeAlias = "dict[str, Any]"

_NAVIGATION_GROUPS = {
    "adwords": "search",
    "amazon": "marketplace",
    "bing_ads": "search",
}
"""AdStage's grouping of networks in its navigation, `social` by default."""


def current_user(world: World, imports: ImportStatuses, *, lightweight: bool) -> Json:
    """Return the user, without organizations if it is to be lightweight."""
    user = world.user
    accounts = world.entities("accounts")
    resource: Json = {
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email,
        "created_at": 1_351_707_901,
        "id": f"/api/users/{user.number}",
        "fetch_id": user.fetch_id,
        "has_linked": bool(accounts),
        "account_status": {
            network: imports.worst_code(
                account for account in accounts if account.network == network
            )
            for network in NETWORKS
        },
        "visible_account_status": {
            network: imports.worst_code(
                account
                for account in accounts
                if account.network == network and account.status in VISIBLE
            )
            for network in NETWORKS
        },
    }
    if not lightweight:
        resource["_embedded"] = {
            "adstage:organizations": [
                {
                    "id": f"/api/organizations/{organization.number}",
                    **_organization_fields(organization, world),
                    "is_former_customer": False,
                }
                for organization in user.organizations
            ]
        }
    return resource


def organization_resource(organization: Organization, world: World) -> Json:
    """Return an organization, which has no `id` of its own."""
    return {
        **_organization_fields(organization, world),
        "company_url": "https://lighthouse.example",
        "cumulative_monthly_spend": 12_654,
    }


def account_resource(account: Entity, api_url: str) -> Json:
    """Return an account in a list, identified by network and remote_id alone."""
    path = f"network/{account.network}/accounts/{account.remote_id}"
    return {
        "remote_id": account.remote_id,
        "network": account.network,
        "network_name": NETWORK_NAMES[account.network],
        "name": account.name,
        "is_visible": account.status in VISIBLE,
        "currency_code": account.currency[0],
        "status": account.status,
        "_embedded": {},
        "_forms": {
            "adstage:unlink": {
                "href": f"{api_url}/organizations/{account.organization_id}"
                "/unlink_network_account",
                "method": "PUT",
                "fields": {
                    "network": {"type": "hidden", "value": account.network},
                    "network_account_id": {
                        "type": "hidden",
                        "value": account.remote_id,
                    },
                },
            }
        },
        "_links": {
            "self": {
                "href": f"{api_url}/{path}",
                "title": account.name,
            }
        },
    }


def account_group_resource(group: AccountGroup, user_id: int, api_url: str) -> Json:
    """Return an account group, whose link to itself is relative."""
    path = f"users/{user_id}/account_groups/{group.id}"
    add = {
        "href": f"{api_url}/{path}/add",
        "method": "POST",
        "name": "account_group",
    }
    return {
        "account_count": len(group.accounts),
        "id": group.id,
        "is_visible": all(account.status in VISIBLE for account in group.accounts),
        "name": group.name,
        "_embedded": {},
        "_forms": {
            "adstage:add": {
                "fields": {"network": "string", "network_account_id": "integer"},
                **add,
            }
        },
        "_links": {
            "adstage:add": {"form": True, **add},
            "adstage:list": [
                {
                    "href": f"{api_url}/{path}/list_accounts{{?limit,offset}}",
                    "name": "network_accounts",
                    "templated": True,
                }
            ],
            "self": {"href": f"/api/{path}"},
        },
    }


def folder_resource(folder: Folder, api_url: str) -> Json:
    """Return a folder with links to its campaigns; its `fetch_id` is a string."""
    fetch_id = str(folder.fetch_id)
    counts: dict[str, int] = {}
    for campaign in folder.campaigns:
        counts[campaign.network] = counts.get(campaign.network, 0) + 1
    return {
        "daily_budget_value": 0.0,
        "fetch_id": fetch_id,
        "id": f"/api/folders/{fetch_id}",
        "lifetime_budget_value": 0.0,
        "monthly_budget_value": 0.0,
        "name": folder.name,
        "network_counts": {**counts, "totals": len(folder.campaigns)},
        "_forms": {"adstage:link": _link_form(fetch_id, api_url)},
        "_links": {
            "adstage:network_campaign": [
                _campaign_link(campaign, api_url) for campaign in folder.campaigns
            ],
            "self": {
                "data-fetch_id": fetch_id,
                "href": f"{api_url}/folders/{fetch_id}",
                "name": fetch_id,
                "title": folder.name,
            },
        },
    }


def sync_information(world: World, today: dt.date, imports: ImportStatuses) -> Json:
    """Return the import status of each account."""
    return {
        "accounts": [
            {
                "name": account.name,
                "network": account.network,
                "import_status": imports.status(account, today),
            }
            for account in world.entities("accounts")
        ]
    }


def _organization_fields(organization: Organization, world: World) -> Json:
    accounts = [
        account
        for account in world.entities("accounts")
        if account.organization_id == organization.fetch_id
    ]
    return {
        "active_accounts_count": sum(
            account.status == "ACTIVE" for account in accounts
        ),
        "is_active_customer": True,
        "additional_accounts_purchased": 5,
        "advertiser_type": "Agency / Consultant",
        "advertising_objective": "Unknown",
        "billable_accounts_count": len(accounts),
        "billing_contact_email": world.user.email,
        "is_billing_error": False,
        "blurb": f"{organization.company_name} runs campaigns for shops and hotels.",
        "company_name": organization.company_name,
        "customer_status": "paying",
        "fetch_id": organization.fetch_id,
    }


def _link_form(fetch_id: str, api_url: str) -> Json:
    return {
        "fields": {
            "folder_id": {
                "title": "Choose a folder",
                "type": "adstage:folder",
                "validators": ["required"],
                "value": f"/api/folders/{fetch_id}",
            },
            "network_campaign_ids": {
                "title": "Choose one or more campaigns",
                "type": "adstage:folder",
                "validators": ["required"],
                "value": [],
            },
        },
        "href": f"{api_url}/folders/{fetch_id}/add",
        "method": "POST",
        "title": "Link Campaigns to Folder",
    }


def _campaign_link(campaign: Entity, api_url: str) -> Json:
    """Return a folder's link to a campaign; its number has no leading zeros."""
    network, remote_id, owner = campaign.network, campaign.remote_id, campaign.account
    path = f"/api/network/{network}/campaigns/{remote_id}"
    account_path = f"/network/{network}/accounts/{owner.remote_id}"
    return {
        "data-fetch_id": int(remote_id),
        "data-id": path,
        "data-navgroup": _NAVIGATION_GROUPS.get(network, "social"),
        "data-network": network,
        "data-network_name": NETWORK_NAMES[network],
        "href": f"{api_url}{account_path}/campaigns/{remote_id}",
        "name": path,
        "network_account_id": f"/api{account_path}",
        "network_account_name": owner.name,
        "title": campaign.name,
    }
