"""The report as a tap made from the SDK's cookiecutter template reads it."""

from __future__ import annotations

import datetime as dt
import decimal
from typing import TYPE_CHECKING, Any, ClassVar

from asked import METRICS, STREAM, body, date_ranges
from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.helpers.jsonpath import extract_jsonpath

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests
    from singer_sdk.helpers.types import Context
    from singer_sdk.streams.rest import HTTPRequest, PageContext


class AdStageStream(RESTStream[str]):
    """What streams of the API share."""

    next_page_token_jsonpath = "$._forms.next_page.fields.page_token.value"

    @property
    def url_base(self) -> str:
        return str(self.config["api_url"])

    @property
    def authenticator(self) -> BearerTokenAuthenticator:
        return BearerTokenAuthenticator(token=self.config["access_token"])


class CampaignDays(AdStageStream):
    """One record for each campaign and day."""

    name = STREAM
    path = "/v2/organizations/{organization_id}/report"
    primary_keys = ("date", "entity_id")
    replication_key = "date"
    records_jsonpath = "$._embedded.results[*]"
    schema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("date", th.DateType, required=True),
        th.Property("entity_id", th.StringType, required=True),
        th.Property("network", th.StringType),
        th.Property("currency_code", th.StringType),
        *(th.Property(name, th.NumberType) for name in METRICS),
    ).to_dict()

    def get_records(self, context: Context | None) -> Iterator[dict[str, Any]]:
        """Read one window after the other."""
        bookmark = self.get_starting_replication_key_value(context)
        start = dt.date.fromisoformat(bookmark or self.config["start_date"])
        end = dt.date.fromisoformat(self.config["end_date"])
        for date_range in date_ranges(start, end, self.config["window_days"]):
            yield from self.request_records({"date_range": date_range})

    def get_http_request(self, *, page: PageContext[str]) -> HTTPRequest:
        """Ask for a page of a window."""
        request = super().get_http_request(page=page)
        context = page.stream_context or {}
        question = body(dict(self.config), context["date_range"])
        if page.next_page_token:
            question["page_token"] = page.next_page_token
        request.method = "POST"
        request.data = question
        return request

    def parse_response(self, response: requests.Response) -> Iterator[dict[str, Any]]:
        """Make a record of each day of each series."""
        page = response.json(parse_float=decimal.Decimal)
        days = [timestamp[:10] for timestamp in page["time"]["timestamps"]]
        for result in extract_jsonpath(self.records_jsonpath, input=page):
            meta = result["summary"]["meta"]
            metrics = result["series"]["metrics"]
            for position, day in enumerate(days):
                yield {
                    "date": day,
                    "entity_id": meta["entity_id"],
                    "network": meta["network"],
                    "currency_code": meta["currency_code"],
                    **{name: metrics[name][position] for name in METRICS},
                }


class TapPlain(Tap):
    """A tap for one report."""

    name = "tap-plain"
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("api_url", th.StringType, required=True),
        th.Property("access_token", th.StringType, required=True, secret=True),
        th.Property("organization_id", th.IntegerType, required=True),
        th.Property("networks", th.ArrayType(th.StringType), required=True),
        th.Property("start_date", th.DateType, required=True),
        th.Property("end_date", th.DateType, required=True),
        th.Property("window_days", th.IntegerType, default=30),
        th.Property("page_size", th.IntegerType, default=1000),
    ).to_dict()

    def discover_streams(self) -> list[AdStageStream]:
        return [CampaignDays(self)]


if __name__ == "__main__":
    TapPlain.cli()
