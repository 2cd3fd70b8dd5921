"""Businesses, ad accounts and entity lists of the sandbox of Spotify's API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .spotify_api import SpotifyApi

KINDS = {"campaigns": "CAMPAIGN", "ad_sets": "AD_SET", "ads": "AD"}


def listed(
    spotify: SpotifyApi, of: str, /, **parameters: object
) -> list[dict[str, Any]]:
    """The entities of a page."""
    path = f"ad_accounts/{spotify.account.id}/{of}"
    response = spotify.send(path, **parameters)
    assert response.status_code == 200, response.text
    page: list[dict[str, Any]] = response.json()[of]
    return page


def test_businesses_have_their_ad_accounts(spotify: SpotifyApi) -> None:
    world = spotify.sandbox.world
    businesses = spotify.get("businesses")["businesses"]
    accounts = [
        account
        for business in businesses
        for account in spotify.get(f"businesses/{business['id']}/ad_accounts")[
            "ad_accounts"
        ]
    ]

    assert [business["id"] for business in businesses] == [
        business.id for business in world.businesses
    ]
    assert {a["id"]: a["business_id"] for a in accounts} == {
        account.id: account.business.id for account in world.ad_accounts
    }
    assert accounts[0] == spotify.get(f"ad_accounts/{accounts[0]['id']}")
    assert len({account["currency_code"] for account in accounts}) > 1


@pytest.mark.parametrize("name", KINDS)
def test_a_list_has_everything_also_what_is_archived(
    spotify: SpotifyApi, name: str
) -> None:
    entities = spotify.sandbox.world.entities(KINDS[name], spotify.account)
    pages = [listed(spotify, name, offset=offset) for offset in (0, 50)]

    assert {e["id"]: (e["name"], e["status"]) for page in pages for e in page} == {
        entity.id: (entity.name, entity.status) for entity in entities
    }
    assert name == "campaigns" or "ARCHIVED" in {entity.status for entity in entities}


def test_pages_say_where_they_are(spotify: SpotifyApi) -> None:
    path = f"ad_accounts/{spotify.account.id}/ads"

    first = spotify.get(path)
    later = spotify.get(path, limit=10, offset=70)

    assert first["paging"] == {
        "page_size": 50,
        "total_results": 72,
        "offset": 0,
        "current_page": 1,
    }
    assert len(first["ads"]) == 50
    assert later["paging"]["current_page"] == 8
    assert len(later["ads"]) == 2
    assert spotify.get(path, offset=72)["ads"] == []


@pytest.mark.parametrize("name", [*KINDS, "assets"])
def test_lists_are_sorted_newest_first_or_as_asked(
    spotify: SpotifyApi, name: str
) -> None:
    newest = [entity["created_at"] for entity in listed(spotify, name)]
    names = listed(spotify, name, sort_field="NAME", sort_direction="ASC")

    assert newest == sorted(newest, reverse=True)
    assert [n["name"] for n in names] == sorted(n["name"] for n in names)


def test_lists_can_be_filtered(spotify: SpotifyApi) -> None:
    campaigns = spotify.account.children
    ads = [*campaigns[0].children[0].children]

    by_ids = listed(spotify, "campaigns", campaign_ids=[c.id for c in campaigns[:2]])
    of_campaign = listed(spotify, "ad_sets", campaign_ids=campaigns[0].id)
    of_ad_set = listed(spotify, "ads", ad_set_ids=campaigns[0].children[0].id)
    archived = listed(spotify, "ads", statuses=["ARCHIVED", "PENDING"])
    pictures = listed(spotify, "assets", asset_types="IMAGE")
    named = listed(spotify, "ads", name=ads[0].name.upper())

    assert {entity["id"] for entity in by_ids} == {c.id for c in campaigns[:2]}
    assert {e["id"] for e in of_campaign} == {e.id for e in campaigns[0].children}
    assert {entity["id"] for entity in of_ad_set} == {ad.id for ad in ads}
    assert {entity["status"] for entity in archived} == {"ARCHIVED", "PENDING"}
    assert {asset["asset_type"] for asset in pictures} == {"IMAGE"}
    assert ads[0].id in {entity["id"] for entity in named}


def test_campaigns_can_be_filtered_by_what_is_in_them(spotify: SpotifyApi) -> None:
    paused = listed(spotify, "campaigns", ad_set_statuses=["READY"])

    assert {campaign["id"] for campaign in paused} == {
        campaign.id
        for campaign in spotify.account.children
        if any(ad_set.status == "READY" for ad_set in campaign.children)
    }
    assert 0 < len(paused) < len(spotify.account.children)
    assert not listed(spotify, "campaigns", salesforce_sales_order="0061")


def test_assets_can_be_filtered_by_what_only_some_have(spotify: SpotifyApi) -> None:
    audio = listed(spotify, "assets", asset_subtypes="AUDIO_AD")
    square = listed(spotify, "assets", aspect_ratios=["SQUARE", "VERTICAL_9_16"])

    assert {asset["asset_type"] for asset in audio} == {"AUDIO"}
    assert {asset["asset_type"] for asset in square} == {"IMAGE", "VIDEO"}
    assert not listed(spotify, "assets", asset_subtypes="BACKGROUND_MUSIC")


def test_lists_can_be_cut_to_fields(spotify: SpotifyApi) -> None:
    entities = listed(spotify, "ads", fields=["ID", "NAME"])

    assert {tuple(entity) for entity in entities} == {("id", "name")}
    assert [e["id"] for e in entities] == [e["id"] for e in listed(spotify, "ads")]


def test_money_of_entities_is_in_millionths(spotify: SpotifyApi) -> None:
    budget = listed(spotify, "ad_sets")[0]["budget"]

    assert budget["micro_amount"] >= 5_000_000
    assert budget["currency"] == spotify.account.currency


def test_some_entities_have_what_the_openapi_file_does_not_know(
    spotify: SpotifyApi,
) -> None:
    ads = [e for offset in (0, 50) for e in listed(spotify, "ads", offset=offset)]

    assert "UNDER_REVIEW" in {ad["status"] for ad in ads}
    assert any("planning_notes" in c for c in listed(spotify, "campaigns"))
    assert "SOUND_ON_COMPLETES" in {
        ad_set["delivery_goal"] for ad_set in listed(spotify, "ad_sets")
    }


def test_assets_have_what_their_type_has(spotify: SpotifyApi) -> None:
    assets = {asset["asset_type"]: asset for asset in listed(spotify, "assets")}

    assert "audio_type" in assets["AUDIO"]
    assert "duration_ms" not in assets["IMAGE"]
    assert assets["VIDEO"]["has_audio"] is True
