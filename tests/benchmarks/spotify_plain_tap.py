"""Spotify's report as a tap made from the SDK's cookiecutter template reads it."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import TYPE_CHECKING, Any, ClassVar

import requests
from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.helpers.jsonpath import extract_jsonpath
from spotify_asked import BATCH, FIELDS, NAME, WINDOW_DAYS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from singer_sdk.helpers.types import Context
    from singer_sdk.streams.rest import HTTPRequest, PageContext

_DAY = dt.timedelta(days=1)


class AdDays(RESTStream[str]):
    """One record for each ad and day: a batch of ads after the other."""

    name = NAME
    path = "/ad_accounts/{ad_account_id}/aggregate_reports"
    primary_keys = ("date", "ad_account_id", "entity_id")
    replication_key = "date"
    records_jsonpath = "$.rows[*]"
    next_page_token_jsonpath = "$.continuation_token"
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("date", th.DateType, required=True),
        th.Property("ad_account_id", th.StringType, required=True),
        th.Property("entity_id", th.StringType, required=True),
        th.Property("entity_name", th.StringType),
        th.Property("entity_status", th.StringType),
        th.Property("parent_id", th.StringType),
        th.Property("parent_name", th.StringType),
        th.Property("currency_code", th.StringType),
        th.Property("below_threshold", th.ArrayType(th.StringType)),
        *(th.Property(field.lower(), th.NumberType) for field in FIELDS),
    ).to_dict()

    @property
    def url_base(self) -> str:
        return str(self.config["api_url"])

    @property
    def authenticator(self) -> BearerTokenAuthenticator:
        return BearerTokenAuthenticator(token=self.config["access_token"])

    def get_records(self, context: Context | None) -> Iterator[dict[str, Any]]:
        """Read one window, account and batch after the other."""
        bookmark = self.get_starting_replication_key_value(context)
        start = dt.date.fromisoformat(bookmark or self.config["start_date"])
        end = dt.date.fromisoformat(self.config["end_date"])
        accounts = [*self._accounts()]
        while start <= end:
            last = min(start + WINDOW_DAYS * _DAY - _DAY, end)
            for account in accounts:
                ids = account["ads"]
                for at in range(0, len(ids), BATCH):
                    batch = {
                        "ad_account_id": account["id"],
                        "currency_code": account["currency_code"],
                        "entity_ids": ids[at : at + BATCH],
                        "report_start": f"{start}T00:00:00Z",
                        "report_end": f"{last}T00:00:00Z",
                    }
                    for record in self.request_records(batch):
                        yield {**record, "currency_code": batch["currency_code"]}
            start = last + _DAY

    def get_http_request(self, *, page: PageContext[str]) -> HTTPRequest:
        """Ask for a page of a batch."""
        request = super().get_http_request(page=page)
        context = page.stream_context or {}
        request.params = (
            {"continuation_token": page.next_page_token}
            if page.next_page_token
            else {
                "entity_type": "AD",
                "granularity": "DAY",
                "fields": [*FIELDS],
                "report_start": context["report_start"],
                "report_end": context["report_end"],
                "entity_ids": context["entity_ids"],
                "entity_ids_type": "AD",
                "include_parent_entity": "true",
                "limit": 50,
            }
        )
        return request

    def parse_response(self, response: requests.Response) -> Iterator[dict[str, Any]]:
        """Make a record of each row."""
        page = response.json(parse_float=decimal.Decimal)
        account = response.url.partition("/ad_accounts/")[2].partition("/")[0]
        for row in extract_jsonpath(self.records_jsonpath, input=page):
            stats = {stat["field_type"]: stat["field_value"] for stat in row["stats"]}
            yield {
                "date": row["start_time"][:10],
                "ad_account_id": account,
                "entity_id": row["entity_id"],
                "entity_name": row["entity_name"],
                "entity_status": row["entity_status"],
                "parent_id": row["parent_entity"]["id"],
                "parent_name": row["parent_entity"]["name"],
                "below_threshold": [],
                **{field.lower(): stats[field] for field in FIELDS},
            }

    def _accounts(self) -> Iterator[dict[str, Any]]:
        """List the ad accounts with the ids of their ads, oldest first."""
        for business in self._get("/businesses")["businesses"]:
            path = f"/businesses/{business['id']}/ad_accounts"
            for account in self._get(path)["ad_accounts"]:
                yield {**account, "ads": [*self._ads(account["id"])]}

    def _ads(self, account: str) -> Iterator[str]:
        offset, total = 0, 1
        while offset < total:
            page = self._get(
                f"/ad_accounts/{account}/ads",
                limit=50,
                offset=offset,
                sort_field="CREATED_AT",
                sort_direction="ASC",
            )
            yield from (ad["id"] for ad in page["ads"])
            offset, total = offset + 50, page["paging"]["total_results"]

    def _get(self, path: str, **query: str | int) -> Any:  # noqa: ANN401 - JSON
        headers = {"Authorization": f"Bearer {self.config['access_token']}"}
        url = self.url_base + path
        return requests.get(url, query, headers=headers, timeout=300).json()


class TapPlain(Tap):
    """A tap for the report."""

    name = "tap-plain"
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("api_url", th.StringType, required=True),
        th.Property("access_token", th.StringType, required=True, secret=True),
        th.Property("start_date", th.DateType, required=True),
        th.Property("end_date", th.DateType, required=True),
    ).to_dict()

    def discover_streams(self) -> list[AdDays]:
        """The one stream."""
        return [AdDays(self)]


if __name__ == "__main__":
    TapPlain.cli()
