"""Any tracking parameter is a meta field; entities may lack it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from .api import body, v1_body

if TYPE_CHECKING:
    from .api import Api

OWN, DOCUMENTED = "tracking_params.hsa_cam", "tracking_params.utm_source"


def test_a_parameter_that_no_entity_has_is_null(api: Api) -> None:
    fields = ["clicks", OWN, DOCUMENTED]
    rows = api.results("ads", fields=fields, networks=["quora"])
    rows += api.v1_results("ads", fields=fields, networks=["quora"])
    metas = [row["meta"] for row in rows]
    assert {meta[OWN] for meta in metas} == {None}
    assert {meta[DOCUMENTED] for meta in metas} == {None, "quora"}


@pytest.mark.parametrize(
    "changes",
    [
        {"sort_by": OWN},
        {"group_by": OWN, "sort_by": OWN},
        {"filters": [{"path": f"meta/{OWN}", "op": "nomatch", "value": "x"}]},
    ],
)
def test_it_can_be_used_like_any_field(api: Api, changes: dict[str, Any]) -> None:
    api.report("accounts", fields=["clicks", OWN], **changes)


@pytest.mark.parametrize(
    "name", ["tracking_params.", "tracking_params.a b", "objective.other", "x.y"]
)
def test_members_of_other_fields_stay_unknown(api: Api, name: str) -> None:
    for answer in (
        api.post_report(body(fields=[name])),
        api.post_v1(v1_body(fields=[name])),
    ):
        assert answer.status_code == 400
        assert name in answer.text


def test_external_providers_have_none(api: Api) -> None:
    request = v1_body(
        provider="facebook",
        targets=["/network/facebook/account/40923052301200007"],
        fields=["clicks", OWN],
    )
    answer = api.post_v1(request)
    assert answer.status_code == 400
    assert OWN in answer.text
