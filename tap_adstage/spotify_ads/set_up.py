"""What a sync needs from Spotify: a token, a business, ad accounts."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tap_adstage.exceptions import TapError
from tap_adstage.runtime.redaction import excerpt
from tap_adstage.runtime.wording import shorten
from tap_adstage.source import SetUpStep

if TYPE_CHECKING:
    from tap_adstage.source import Resource
    from tap_adstage.spotify_ads.accounts import AdAccounts


def steps(accounts: AdAccounts) -> list[SetUpStep]:
    """List the steps before a sync's reports, each after those that it needs.

    Args:
        accounts: The user's ad accounts.
    """
    token_endpoint = " or oauth_token_url" if accounts.config.oauth else ""
    return [
        SetUpStep(
            name="token",
            attempt=partial(_token, accounts),
            settings=f"api_url, {accounts.client.credentials.settings}",
            address=f"api_url{token_endpoint}",
            lack="the token is not known to work",
        ),
        SetUpStep(
            name="businesses",
            attempt=partial(_businesses, accounts),
            settings=accounts.client.credentials.settings,
            lack="the businesses are not known",
            needs=("token",),
        ),
        SetUpStep(
            name="accounts",
            attempt=partial(_accounts, accounts),
            settings="accounts",
            lack="the accounts are not known",
            needs=("token", "businesses"),
        ),
    ]


def _token(accounts: AdAccounts) -> str:
    """Read the businesses, which takes a token; with OAuth, the request gets one."""
    _ = accounts.businesses
    return "the sandbox needs none" if accounts.config.sandbox else "Spotify accepts it"


def _businesses(accounts: AdAccounts) -> str:
    businesses = accounts.businesses.complete()
    if not businesses:
        raise TapError(
            "this user is in no business; have it invited to one in Spotify Ads "
            f"Manager, or check whose {accounts.client.credentials.settings} this is"
        )
    return shorten([_named(business) for business in businesses])


def _accounts(accounts: AdAccounts) -> str:
    config, chosen = accounts.config, accounts.chosen
    if chosen is None:
        listed = accounts.listed.complete()
        if not listed:
            raise TapError(
                "no business of this user has an ad account; create one in Spotify Ads "
                "Manager, or have this user invited to the business that has it"
            )
        text = f"{len(listed)} in all businesses"
    elif error := chosen.unlinked:
        raise error
    else:
        listed = accounts.listed
        names = shorten([_named(account) for account in listed])
        text = f"{len(listed)} chosen: {names}"
    if config.shard.is_whole:
        return text
    in_shard = sum(config.shard.has(account["id"]) for account in listed)
    return f"{text}; {in_shard or 'none'} in shard {config.shard}"


def _named(resource: Resource) -> str:
    name = str(resource.get("name") or "")
    return f"{excerpt(name)} ({resource['id']})" if name.strip() else resource["id"]
