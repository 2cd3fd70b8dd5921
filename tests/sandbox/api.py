"""Requests to a sandbox, shared by its tests."""

# ruff: noqa: ANN401 (JSON is anything)

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

    from typing_extensions import Self

    from tap_adstage.sandbox.server import Sandbox
    from tap_adstage.sandbox.world.entities import Entity

TODAY = dt.date(2019, 7, 15)
NETWORKS = [
    "adwords",
    "amazon",
    "bing_ads",
    "facebook",
    "linkedin",
    "pinterest",
    "quora",
    "spotify",
    "twitter",
]
COMMON = ("clicks", "impressions", "spend", "conversions")


def body(level: str = "accounts", **changes: Any) -> dict[str, Any]:
    """Return a report request for all data, with some keys changed.

    A key that is changed to None is omitted; `targets` and `networks` become part of
    `sources`.
    """
    source = {"networks": NETWORKS, "entity_level": level}
    for key in ("targets", "networks"):
        if key in changes:
            source[key] = changes.pop(key)
    request = {
        "version": "2",
        "date_range": "2019-07-01..2019-07-03",
        "output_format": "row",
        "sources": {"metrics": source},
        "fields": list(COMMON),
        "sort_by": "entity_id",
        "order": "asc",
        "statuses": "all_with_deleted",
        **changes,
    }
    return {key: value for key, value in request.items() if value is not None}


def v1_body(level: str = "accounts", **changes: Any) -> dict[str, Any]:
    """Return a V1 report request for all data, with some keys changed.

    A key that is changed to None is omitted.
    """
    request = {
        "date_range": "2019-07-01..2019-07-03",
        "entity_level": level,
        "fields": list(COMMON),
        "sort_by": "entity_id",
        "order": "asc",
        "statuses": "all_with_deleted",
        "limit": 1000,
        **changes,
    }
    return {key: value for key, value in request.items() if value is not None}


def v1_rows(report: Any) -> list[dict[str, Any]]:
    """Return the rows or series of a V1 report."""
    embedded = report["_embedded"]
    rows: list[dict[str, Any]] = embedded.get("adstage:metrics") or embedded.get(
        "adstage:time_series", []
    )
    return rows


def v1_totals(report: Any) -> Any:
    """Return the totals row of a V1 report."""
    embedded = report["_embedded"]
    kind = "time_series" if "adstage:time_series" in embedded else "metrics"
    return embedded[f"adstage:{kind}/totals"]


class Api:
    """A client of a sandbox that checks nothing."""

    def __init__(self, sandbox: Sandbox, token: str | None = None) -> None:
        self.sandbox = sandbox
        self.session = requests.Session()
        self.session.headers["Authorization"] = f"Bearer {token or sandbox.token}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.session.close()

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        url = path if path.startswith("http") else f"{self.sandbox.api_url}/{path}"
        return self.session.request(method, url, timeout=20, **options)

    def get(self, path: str) -> Any:
        response = self.send("GET", path)
        assert response.status_code == 200, response.text
        return response.json()

    def post_report(self, request: object, organization: int = 40) -> requests.Response:
        path = f"v2/organizations/{organization}/report"
        return self.send("POST", path, json=request)

    def report(self, level: str = "accounts", **changes: Any) -> Any:
        response = self.post_report(body(level, **changes))
        assert response.status_code == 200, response.text
        return response.json()

    def results(self, level: str = "accounts", **changes: Any) -> list[dict[str, Any]]:
        """Return the rows of a report that fits on one page."""
        report = self.report(level, **changes)
        assert "next_page" not in report["_forms"]
        results: list[dict[str, Any]] = report["_embedded"]["results"]
        return results

    def post_v1(self, request: object, organization: int = 40) -> requests.Response:
        path = f"organizations/{organization}/build_report"
        return self.send("POST", path, json=request)

    def v1_report(self, level: str = "accounts", **changes: Any) -> Any:
        response = self.post_v1(v1_body(level, **changes))
        assert response.status_code == 200, response.text
        return response.json()

    def v1_results(
        self, level: str = "accounts", **changes: Any
    ) -> list[dict[str, Any]]:
        """Return the rows of a V1 report that fits on one page."""
        report = self.v1_report(level, **changes)
        assert not report["_links"].keys() & {"next", "next_page"}
        return v1_rows(report)

    def ids(self, level: str = "accounts", **changes: Any) -> set[str]:
        """Return the entity ids of a report that fits on one page."""
        return {row["meta"]["entity_id"] for row in self.results(level, **changes)}


def ids_of(entities: Iterable[Entity]) -> set[str]:
    return {entity.entity_id for entity in entities}


def is_in(entity: Entity, owner: Entity) -> bool:
    """Return whether an entity is the owner or in it."""
    ancestor: Entity | None = entity
    while ancestor is not None and ancestor is not owner:
        ancestor = ancestor.parent
    return ancestor is owner
