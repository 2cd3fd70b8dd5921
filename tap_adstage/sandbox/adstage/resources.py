"""The V1 resources as JSON: user, organizations, accounts, groups, folders, imports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from tap_adstage.sandbox.world.entities import VISIBLE
from tap_adstage.sandbox.world.names import NAVIGATION_GROUPS, NETWORK_NAMES, NETWORKS

if TYPE_CHECKING:
    import datetime as dt

    from tap_adstage.sandbox.world.entities import AccountGroup, Entity, Folder
    from tap_adstage.sandbox.world.import_status import Imports
    from tap_adstage.sandbox.world.organizations import Organization
    from tap_adstage.sandbox.world.world import World

Json: TypeAlias = "dict[str, Any]"


def current_user(world: World, imports: Imports, *, lightweight: bool) -> Json:
    """Return the user; the lightweight form has no organizations."""
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
                each for each in accounts if each.network == network
            )
            for network in NETWORKS
        },
        "visible_account_status": {
            network: imports.worst_code(
                each
                for each in accounts
                if each.network == network and each.status in VISIBLE
            )
            for network in NETWORKS
        },
    }
    if not lightweight:
        resource["_embedded"] = {
            "adstage:organizations": [
                {
                    "id": f"/api/organizations/{each.number}",
                    **_organization(each, world),
                    "is_former_customer": False,
                }
                for each in user.organizations
            ]
        }
    return resource


def organization(it: Organization, world: World) -> Json:
    """Return an organization, which here has no `id`."""
    return {
        **_organization(it, world),
        "company_url": "https://lighthouse.example",
        "cumulative_monthly_spend": 12_654,
    }


def account(it: Entity, api_url: str) -> Json:
    """Return an account as lists show it, whose only ids are network and remote_id."""
    return {
        "remote_id": it.remote_id,
        "network": it.network,
        "network_name": NETWORK_NAMES[it.network],
        "name": it.name,
        "is_visible": it.status in VISIBLE,
        "currency_code": it.currency[0],
        "status": it.status,
        "_embedded": {},
        "_forms": {
            "adstage:unlink": {
                "href": f"{api_url}/organizations/{it.organization_id}"
                "/unlink_network_account",
                "method": "PUT",
                "fields": {
                    "network": {"type": "hidden", "value": it.network},
                    "network_account_id": {"type": "hidden", "value": it.remote_id},
                },
            }
        },
        "_links": {
            "self": {
                "href": f"{api_url}/network/{it.network}/accounts/{it.remote_id}",
                "title": it.name,
            }
        },
    }


def account_group(it: AccountGroup, user_id: int, api_url: str) -> Json:
    """Return an account group, whose own link is relative."""
    path = f"users/{user_id}/account_groups/{it.id}"
    add = {
        "href": f"{api_url}/{path}/add",
        "method": "POST",
        "name": "account_group",
    }
    return {
        "account_count": len(it.accounts),
        "id": it.id,
        "is_visible": all(each.status in VISIBLE for each in it.accounts),
        "name": it.name,
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


def folder(it: Folder, api_url: str) -> Json:
    """Return a folder with links to its campaigns; its `fetch_id` is a string."""
    fetch_id = str(it.fetch_id)
    counts: dict[str, int] = {}
    for campaign in it.campaigns:
        counts[campaign.network] = counts.get(campaign.network, 0) + 1
    return {
        "daily_budget_value": 0.0,
        "fetch_id": fetch_id,
        "id": f"/api/folders/{fetch_id}",
        "lifetime_budget_value": 0.0,
        "monthly_budget_value": 0.0,
        "name": it.name,
        "network_counts": {**counts, "totals": len(it.campaigns)},
        "_forms": {"adstage:link": _link_form(fetch_id, api_url)},
        "_links": {
            "adstage:network_campaign": [
                _campaign_link(campaign, api_url) for campaign in it.campaigns
            ],
            "self": {
                "data-fetch_id": fetch_id,
                "href": f"{api_url}/folders/{fetch_id}",
                "name": fetch_id,
                "title": it.name,
            },
        },
    }


def sync_information(world: World, today: dt.date, imports: Imports) -> Json:
    """Return how the import of each account is getting on."""
    return {
        "accounts": [
            {
                "name": each.name,
                "network": each.network,
                "import_status": imports.status(each, today),
            }
            for each in world.entities("accounts")
        ]
    }


def _organization(it: Organization, world: World) -> Json:
    accounts = [
        each
        for each in world.entities("accounts")
        if each.organization_id == it.fetch_id
    ]
    return {
        "active_accounts_count": sum(each.status == "ACTIVE" for each in accounts),
        "is_active_customer": True,
        "additional_accounts_purchased": 5,
        "advertiser_type": "Agency / Consultant",
        "advertising_objective": "Unknown",
        "billable_accounts_count": len(accounts),
        "billing_contact_email": world.user.email,
        "is_billing_error": False,
        "blurb": f"{it.company_name} runs campaigns for shops and hotels.",
        "company_name": it.company_name,
        "customer_status": "paying",
        "fetch_id": it.fetch_id,
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
    """Return a folder's link to a campaign, whose number has lost leading zeros."""
    network, remote_id, parent = campaign.network, campaign.remote_id, campaign.account
    path = f"/api/network/{network}/campaigns/{remote_id}"
    account_path = f"/network/{network}/accounts/{parent.remote_id}"
    return {
        "data-fetch_id": int(remote_id),
        "data-id": path,
        "data-navgroup": NAVIGATION_GROUPS.get(network, "social"),
        "data-network": network,
        "data-network_name": NETWORK_NAMES[network],
        "href": f"{api_url}{account_path}/campaigns/{remote_id}",
        "name": path,
        "network_account_id": f"/api{account_path}",
        "network_account_name": parent.name,
        "title": campaign.name,
    }
