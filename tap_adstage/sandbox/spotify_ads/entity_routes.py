"""The routes of businesses, ad accounts, and the lists of what is in an account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request

from tap_adstage.sandbox.service.wsgi import json_answer
from tap_adstage.sandbox.spotify_ads.bodies import (
    ENTITY_BODIES,
    account_body,
    asset_body,
    business_body,
)
from tap_adstage.sandbox.spotify_ads.parameters import (
    MAX_LIMIT,
    Parameters,
    check_uuid,
)
from tap_adstage.sandbox.spotify_ads.refusals import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tap_adstage.sandbox.spotify_ads.backend import Backend
    from tap_adstage.sandbox.spotify_ads.world.entities import Entity

_CHILD_STATUSES = "statuses of children"
"""What campaigns are filtered by and don't show."""

_MEMBERS = {
    "statuses": "status",
    "ad_set_statuses": _CHILD_STATUSES,
    "asset_types": "asset_type",
    "asset_subtypes": "audio_type",
    "aspect_ratios": "aspect_ratio",
}
"""The members that filters by fixed values compare."""

_PAGING = ("limit", "offset", "sort_direction", "sort_field")
_AD_SET_STATUSES = (
    *("ACTIVE", "ACTIVE_RESTRICTED", "APPROVED", "ARCHIVED", "COMPLETED"),
    *("PENDING_APPROVAL", "READY", "REJECTED"),
)
_ACCOUNT_TYPES = (
    *("AD_AGENCY", "BRAND_ADVERTISER", "MUSIC_LABEL", "CONCERT_PROMOTER", "ARTIST"),
    *("MANAGER", "PUBLISHER", "PUBLISHER_PROMOS"),
)


@dataclass(frozen=True)
class EntityList:
    """What a list of entities takes.

    Attributes:
        kind: The entities' kind; "" for assets.
        sort_fields: What it is sorted by, and the member of the answer that it is.
        enums: Filters and their values; those of `statuses` are the kind's.
        repeatable: Filters in which a value may be given twice.
        ids: Filters by ids, and the member that they are compared with.
        texts: Filters by a text that the member of that name contains.
    """

    kind: str
    sort_fields: Mapping[str, str]
    enums: Mapping[str, tuple[str, ...]]
    ids: Mapping[str, str]
    texts: tuple[str, ...] = ("name",)
    repeatable: tuple[str, ...] = ()


_BASIC_SORT = {
    "CREATED_AT": "created_at",
    "ID": "id",
    "NAME": "name",
    "STATUS": "status",
    "UPDATED_AT": "updated_at",
}

LISTS: Mapping[str, EntityList] = {
    "campaigns": EntityList(
        kind="CAMPAIGN",
        sort_fields=_BASIC_SORT,
        enums={
            "ad_set_statuses": _AD_SET_STATUSES,
            "statuses": (
                *("UNSET", "ACTIVE", "PAUSED", "ARCHIVED", "AGENT_CONTROLLED"),
                *("ACTIVE_RESTRICTED", "PENDING_ADVERTISER_REVIEW", "UNRECOGNIZED"),
            ),
            "fields": (
                *("ID", "NAME", "CREATED_AT", "UPDATED_AT", "STATUS"),
                *("PURCHASE_ORDER", "OBJECTIVE", "MEASUREMENT_METADATA", "DELIVERY"),
            ),
        },
        ids={"campaign_ids": "id"},
        texts=("name", "salesforce_sales_order"),
        repeatable=("statuses",),
    ),
    "ad_sets": EntityList(
        kind="AD_SET",
        sort_fields={
            "BUDGET": "budget",
            "CREATED_AT": "created_at",
            "END_DATE_TIME": "end_time",
            "NAME": "name",
            "START_DATE_TIME": "start_time",
            "STATUS": "status",
            "UPDATED_AT": "updated_at",
        },
        enums={"statuses": _AD_SET_STATUSES},
        ids={"campaign_ids": "campaign_id"},
    ),
    "ads": EntityList(
        kind="AD",
        sort_fields=_BASIC_SORT,
        enums={
            "statuses": (
                *("ACTIVE", "APPROVED", "ARCHIVED", "FAILED", "PENDING"),
                *("PENDING_APPROVAL", "REJECTED", "UNRECOGNIZED"),
            ),
            "fields": (
                *("AD_ACCOUNT_ID", "ADVERTISER_NAME", "AD_PREVIEW_URL", "AD_SET_ID"),
                *("ASSETS", "ASSET_FORMAT", "CAMPAIGN_ID", "CALL_TO_ACTION"),
                *("CREATED_AT", "DELIVERY", "END_TIME", "EXTERNAL_ID", "ID", "NAME"),
                *("REJECT_REASON", "REJECT_REASONS", "START_TIME", "STATUS"),
                *("TAGLINE", "THIRD_PARTY_TRACKING", "UPDATED_AT", "DV_CLIENT_CODE"),
                "WEIGHT",
            ),
        },
        ids={"ad_set_ids": "ad_set_id", "asset_ids": "assets"},
    ),
    "assets": EntityList(
        kind="",
        sort_fields={"CREATED_AT": "created_at", "NAME": "name"},
        enums={
            "asset_types": ("AUDIO", "IMAGE", "VIDEO"),
            "asset_subtypes": ("AUDIO_AD", "BACKGROUND_MUSIC"),
            "statuses": ("ERROR", "PROCESSING", "READY", "WAITING_UPLOAD"),
            "aspect_ratios": (
                *("HORIZONTAL_16_9", "HORIZONTAL_1_91_1", "HORIZONTAL_1_2_1"),
                *("SQUARE", "VERTICAL_9_16"),
            ),
        },
        ids={"asset_ids": "id"},
    ),
}
"""The lists of an ad account, by the end of their paths."""


def add_entity_routes(app: Flask, backend: Backend, root: str) -> None:
    """Add the routes to an application."""
    world = backend.world

    @app.get(f"{root}/businesses")
    def businesses() -> Response:
        _parameters()
        bodies = [business_body(business) for business in world.businesses]
        return json_answer({"businesses": bodies})

    @app.get(f"{root}/businesses/<business_id>/ad_accounts")
    def ad_accounts(business_id: str) -> Response:
        _parameters("type").choice("type", _ACCOUNT_TYPES)
        business_id = check_uuid("business_id", business_id)
        if all(business.id != business_id for business in world.businesses):
            raise Refusal(f"business {business_id} not found", status=404)
        hidden = backend.switches.hidden_accounts
        return json_answer(
            {
                "ad_accounts": [
                    account_body(account)
                    for account in world.ad_accounts
                    if account.business.id == business_id and account.id not in hidden
                ]
            }
        )

    @app.get(f"{root}/ad_accounts/<account_id>")
    def ad_account(account_id: str) -> Response:
        account = find_account(backend, account_id)
        _parameters()
        return json_answer(account_body(account))

    @app.get(f"{root}/ad_accounts/<account_id>/<any({','.join(LISTS)}):name>")
    def entities(account_id: str, name: str) -> Response:
        account = find_account(backend, account_id)
        entity_list = LISTS[name]
        parameters = _parameters(
            *_PAGING, *entity_list.enums, *entity_list.ids, *entity_list.texts
        )
        bodies = _filter(_bodies(account, entity_list), entity_list, parameters)
        return json_answer(_page(name, bodies, parameters))


def find_account(backend: Backend, account_id: str) -> Entity:
    """Return an ad account by its id in a path.

    Raises:
        Refusal: The user doesn't have it, or may not read it.
    """
    account_id = check_uuid("ad_account_id", account_id)
    switches = backend.switches
    accounts = {account.id: account for account in backend.world.ad_accounts}
    if account_id not in accounts or account_id in switches.hidden_accounts:
        raise Refusal(f"ad account {account_id} not found", status=404)
    if account_id in switches.refused_accounts:
        raise Refusal(
            "User does not have permission to read this ad account",
            status=403,
            code="PERMISSION_DENIED",
            definition="READ_NOT_ALLOWED",
        )
    return accounts[account_id]


def _parameters(*known: str) -> Parameters:
    return Parameters([*request.args.items(multi=True)], known)


def _bodies(account: Entity, entity_list: EntityList) -> list[dict[str, Any]]:
    if not entity_list.kind:
        return [asset_body(asset) for asset in account.assets]
    body = ENTITY_BODIES[entity_list.kind]
    return [
        {**body(entity), _CHILD_STATUSES: {child.status for child in entity.children}}
        for entity in account.descendants(entity_list.kind)
    ]


def _filter(
    bodies: list[dict[str, Any]], entity_list: EntityList, parameters: Parameters
) -> list[dict[str, Any]]:
    """Return what the filters leave; all are checked, also if nothing is left."""
    for name, member in entity_list.ids.items():
        values = parameters.uuids(name, unique=not entity_list.kind)
        bodies = [body for body in bodies if _matches(body.get(member), values)]
    for name, allowed in entity_list.enums.items():
        unique = name not in entity_list.repeatable
        values = parameters.choices(name, allowed, unique=unique)
        if name in _MEMBERS:
            member = _MEMBERS[name]
            bodies = [body for body in bodies if _matches(_value(body, member), values)]
    for name in entity_list.texts:
        text = (parameters.one(name) or "").lower()
        bodies = [body for body in bodies if text in str(body.get(name, "")).lower()]
    return bodies


def _value(body: dict[str, Any], member: str) -> object:
    """Return what a filter compares; of audio files it is the general type."""
    value = body.get(member)
    return "AUDIO_AD" if value == "USER_UPLOADED_AUDIO" else value


def _matches(value: object, wanted: Iterable[str]) -> bool:
    """Return whether a value, or one of several, is wanted."""
    wanted = set(wanted)
    if isinstance(value, dict):
        value = {*value.values()}
    values = value if isinstance(value, set) else {value}
    return not wanted or bool(wanted & values)


def _select(body: dict[str, Any], fields: list[str]) -> dict[str, Any]:
    members = {field.lower() for field in fields}
    return {
        key: value
        for key, value in body.items()
        if key != _CHILD_STATUSES and (not members or key in members)
    }


def _page(
    name: str, bodies: list[dict[str, Any]], parameters: Parameters
) -> dict[str, Any]:
    fields = parameters.values("fields")
    limit = parameters.integer("limit", MAX_LIMIT, 1, MAX_LIMIT)
    offset = parameters.integer("offset", 0, 0, None)
    sort_fields = LISTS[name].sort_fields
    sort_field = parameters.choice("sort_field", sort_fields, "CREATED_AT")
    direction = parameters.choice("sort_direction", ("ASC", "DESC"), "DESC")
    member = sort_fields[sort_field or ""]
    bodies.sort(
        key=lambda body: (_sort_key(body.get(member)), str(body.get("id"))),
        reverse=direction == "DESC",
    )
    return {
        "paging": {
            "page_size": limit,
            "total_results": len(bodies),
            "offset": offset,
            "current_page": offset // limit + 1,
        },
        name: [_select(body, fields) for body in bodies[offset : offset + limit]],
    }


def _sort_key(value: object) -> tuple[int, str]:
    if isinstance(value, dict):
        return value["micro_amount"], ""
    return 0, str(value or "")
