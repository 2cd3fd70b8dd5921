"""The reports as a tap made from the SDK's cookiecutter template reads them."""

from __future__ import annotations

import abc
import datetime as dt
import decimal
from typing import TYPE_CHECKING, Any, ClassVar

from asked import DAYS, DAYS_V1, METRICS, TOTALS, TOTALS_V1, Report, date_ranges
from singer_sdk import RESTStream, Tap
from singer_sdk import typing as th
from singer_sdk.authenticators import BearerTokenAuthenticator
from singer_sdk.helpers.jsonpath import extract_jsonpath

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests
    from singer_sdk.helpers.types import Context
    from singer_sdk.streams.rest import HTTPRequest, PageContext


class ReportStream(RESTStream[str], abc.ABC):
    """What the streams share.

    Attributes:
        report: What a stream reads.
    """

    report: ClassVar[Report]
    replication_key = "date"

    @property
    def url_base(self) -> str:
        return str(self.config["api_url"])

    @property
    def authenticator(self) -> BearerTokenAuthenticator:
        return BearerTokenAuthenticator(token=self.config["access_token"])

    def get_records(self, context: Context | None) -> Iterator[dict[str, Any]]:
        """Read one window after the other."""
        bookmark = self.get_starting_replication_key_value(context)
        start = dt.date.fromisoformat(bookmark or self.config["start_date"])
        end = dt.date.fromisoformat(self.config["end_date"])
        for date_range in date_ranges(start, end, self.config["window_days"]):
            yield from self.request_records({"date_range": date_range})

    def parse_response(self, response: requests.Response) -> Iterator[dict[str, Any]]:
        """Make the records of each row."""
        page = response.json(parse_float=decimal.Decimal)
        for row in extract_jsonpath(self.records_jsonpath, input=page):
            yield from self.parse_row(row, page)

    @abc.abstractmethod
    def parse_row(
        self, row: dict[str, Any], page: dict[str, Any]
    ) -> Iterator[dict[str, Any]]:
        """Make the records of a row."""

    def first_body(self, page: PageContext[str]) -> dict[str, Any]:
        """The body that asks for a window's first page."""
        context = page.stream_context or {}
        return self.report.body(dict(self.config), context["date_range"])


class V2Stream(ReportStream):
    """A report of API V2: a next page's token goes into the body."""

    next_page_token_jsonpath = "$._forms.next_page.fields.page_token.value"
    records_jsonpath = "$._embedded.results[*]"

    def get_http_request(self, *, page: PageContext[str]) -> HTTPRequest:
        """Ask for a page of a window."""
        request = super().get_http_request(page=page)
        request.method = "POST"
        request.data = self.first_body(page)
        if page.next_page_token:
            request.data["page_token"] = page.next_page_token
        return request


class V1Stream(ReportStream):
    """A report of API V1: a next page is a link."""

    next_page_token_jsonpath = "$._links.next.href"

    def get_http_request(self, *, page: PageContext[str]) -> HTTPRequest:
        """Ask for a page of a window."""
        request = super().get_http_request(page=page)
        if page.next_page_token:
            request.url = page.next_page_token
        else:
            request.method = "POST"
            request.data = self.first_body(page)
        return request


def properties(*dates: str) -> dict[str, Any]:
    return th.PropertiesList(
        *(th.Property(name, th.DateType, required=True) for name in dates),
        th.Property("entity_id", th.StringType, required=True),
        th.Property("network", th.StringType),
        th.Property("currency_code", th.StringType),
        *(th.Property(name, th.NumberType) for name in METRICS),
    ).to_dict()


def dimensions(meta: dict[str, Any]) -> dict[str, Any]:
    return {
        "entity_id": meta["entity_id"],
        "network": meta["network"],
        "currency_code": meta["currency_code"],
    }


class CampaignDays(V2Stream):
    """One record for each campaign and day."""

    report = DAYS
    name = DAYS.name
    path = DAYS.path
    primary_keys = ("date", "entity_id")
    schema: ClassVar[dict[str, Any]] = properties("date")

    def parse_row(
        self, row: dict[str, Any], page: dict[str, Any]
    ) -> Iterator[dict[str, Any]]:
        """Make a record of each day."""
        metrics = row["series"]["metrics"]
        for position, timestamp in enumerate(page["time"]["timestamps"]):
            yield {
                "date": timestamp[:10],
                **dimensions(row["summary"]["meta"]),
                **{name: metrics[name][position] for name in METRICS},
            }


class CampaignTotals(V2Stream):
    """One record for each campaign."""

    report = TOTALS
    name = TOTALS.name
    path = TOTALS.path
    primary_keys = ("date", "date_end", "entity_id")
    schema: ClassVar[dict[str, Any]] = properties("date", "date_end")

    def parse_row(
        self, row: dict[str, Any], page: dict[str, Any]
    ) -> Iterator[dict[str, Any]]:
        """Make a record."""
        yield {
            "date": page["time"]["start"][:10],
            "date_end": page["time"]["end"][:10],
            **dimensions(row["meta"]),
            **{name: row["metrics"][name] for name in METRICS},
        }


class CampaignDaysV1(V1Stream):
    """One record for each campaign and day."""

    report = DAYS_V1
    name = DAYS_V1.name
    path = DAYS_V1.path
    primary_keys = ("date", "entity_id")
    records_jsonpath = "$._embedded['adstage:time_series'][*]"
    schema: ClassVar[dict[str, Any]] = properties("date")

    def parse_row(
        self,
        row: dict[str, Any],
        page: dict[str, Any],  # noqa: ARG002
    ) -> Iterator[dict[str, Any]]:
        """Make a record of each day."""
        for point in row["series"]:
            yield {
                "date": point["timeframe"]["start"][:10],
                **dimensions(row["meta"]),
                **{name: point["data"][name] for name in METRICS},
            }


class CampaignTotalsV1(V1Stream):
    """One record for each campaign."""

    report = TOTALS_V1
    name = TOTALS_V1.name
    path = TOTALS_V1.path
    primary_keys = ("date", "date_end", "entity_id")
    records_jsonpath = "$._embedded['adstage:metrics'][*]"
    schema: ClassVar[dict[str, Any]] = properties("date", "date_end")

    def parse_row(
        self,
        row: dict[str, Any],
        page: dict[str, Any],  # noqa: ARG002
    ) -> Iterator[dict[str, Any]]:
        """Make a record."""
        yield {
            "date": row["timeframe"]["start"][:10],
            "date_end": row["timeframe"]["end"][:10],
            **dimensions(row["meta"]),
            **{name: row["data"][name] for name in METRICS},
        }


STREAMS = (CampaignDays, CampaignTotals, CampaignDaysV1, CampaignTotalsV1)


class TapPlain(Tap):
    """A tap for one of the reports."""

    name = "tap-plain"
    config_jsonschema: ClassVar[dict[str, Any]] = th.PropertiesList(
        th.Property("api_url", th.StringType, required=True),
        th.Property("access_token", th.StringType, required=True, secret=True),
        th.Property("organization_id", th.IntegerType, required=True),
        th.Property("networks", th.ArrayType(th.StringType), required=True),
        th.Property("report", th.StringType, required=True),
        th.Property("start_date", th.DateType, required=True),
        th.Property("end_date", th.DateType, required=True),
        th.Property("window_days", th.IntegerType, default=30),
        th.Property("page_size", th.IntegerType, default=1000),
    ).to_dict()

    def discover_streams(self) -> list[ReportStream]:
        return [each(self) for each in STREAMS if each.name == self.config["report"]]


if __name__ == "__main__":
    TapPlain.cli()
