"""Requests to a sandbox of Spotify's API, shared by its tests."""

# ruff: noqa: ANN401 (JSON is anything)

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import requests

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from tap_adstage.sandbox.spotify_ads.server import SpotifyAdsSandbox
    from tap_adstage.sandbox.spotify_ads.world.entities import Entity

TODAY = dt.date(2024, 3, 20)
UTC = dt.timezone.utc
FIELDS = ("IMPRESSIONS", "CLICKS", "SPEND", "REACH", "PURCHASES")
MARCH = {"report_start": "2024-03-01T00:00:00Z", "report_end": "2024-03-20T00:00:00Z"}


class SpotifyApi:
    """A client of a sandbox that checks nothing."""

    def __init__(self, sandbox: SpotifyAdsSandbox, token: str | None = None) -> None:
        self.sandbox = sandbox
        self.account = sandbox.world.ad_accounts[0]
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

    def send(self, path: str, **parameters: Any) -> requests.Response:
        """Send a request; parameters that are None are left out."""
        url = f"{self.sandbox.api_url}/{path}"
        return self.session.get(url, params=parameters, timeout=20)

    def get(self, path: str, **parameters: Any) -> Any:
        response = self.send(path, **parameters)
        assert response.status_code == 200, response.text
        return response.json()

    def in_account(
        self, name: str, account: Entity | None = None, **parameters: Any
    ) -> requests.Response:
        account_id = (account or self.account).id
        return self.send(f"ad_accounts/{account_id}/{name}", **parameters)

    def report_parameters(self, kind: str = "AD_SET", **changes: Any) -> dict[str, Any]:
        """The parameters of a report by day, with some changed."""
        ids: dict[str, Any] = {}
        if kind != "AD_ACCOUNT":
            ids = {"entity_ids": self.ids(kind)[:50], "entity_ids_type": kind}
        report = {"entity_type": kind, "granularity": "DAY", "fields": FIELDS}
        return {**report, **MARCH, **ids, **changes}

    def report(self, kind: str = "AD_SET", **changes: Any) -> list[dict[str, Any]]:
        """Return the answers with all pages of a report."""
        path = f"ad_accounts/{self.account.id}/aggregate_reports"
        answers = [self.get(path, **self.report_parameters(kind, **changes))]
        while token := answers[-1].get("continuation_token"):
            answers.append(self.get(path, continuation_token=token))
        return answers

    def rows(self, kind: str = "AD_SET", **changes: Any) -> list[dict[str, Any]]:
        return [r for answer in self.report(kind, **changes) for r in answer["rows"]]

    def ids(self, kind: str) -> list[str]:
        return [entity.id for entity in self.account.descendants(kind)]


def stats(row: dict[str, Any]) -> dict[str, float]:
    """The metrics of a row; one that it has twice counts once."""
    return {stat["field_type"]: stat["field_value"] for stat in row["stats"]}
