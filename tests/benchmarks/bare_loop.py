"""The report without the Singer SDK: what reading it in Python costs at the least.

Pages are decoded into typed structs and written a page at a time, without retries,
checks, state or a catalog.
"""

from __future__ import annotations

import datetime as dt
import sys
from typing import TYPE_CHECKING, Any

import msgspec
import requests
from asked import DAYS, META, METRICS, date_ranges, read_config

if TYPE_CHECKING:
    from collections.abc import Iterator


class Meta(msgspec.Struct):
    entity_id: str
    network: str
    currency_code: str


class Summary(msgspec.Struct):
    meta: Meta


class Series(msgspec.Struct):
    metrics: dict[str, list[int | float | None]]


class Result(msgspec.Struct):
    summary: Summary
    series: Series


class Embedded(msgspec.Struct):
    results: list[Result]


class Time(msgspec.Struct):
    timestamps: list[str]


class PageToken(msgspec.Struct):
    value: str


class Fields(msgspec.Struct):
    page_token: PageToken


class Form(msgspec.Struct):
    fields: Fields


class Forms(msgspec.Struct):
    next_page: Form | None = None


class Page(msgspec.Struct):
    time: Time
    embedded: Embedded = msgspec.field(name="_embedded")
    forms: Forms = msgspec.field(name="_forms")


class Message(msgspec.Struct, tag="RECORD", gc=False):
    stream: str
    record: msgspec.Struct
    time_extracted: str


Record = msgspec.defstruct("Record", ["date", *META, *METRICS], gc=False)


def pages(config: dict[str, Any]) -> Iterator[Page]:
    url = config["api_url"] + DAYS.path.format_map(config)
    start, end = (
        dt.date.fromisoformat(config[f"{name}_date"]) for name in ("start", "end")
    )
    decoder = msgspec.json.Decoder(Page)
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {config['access_token']}"
        for date_range in date_ranges(start, end, config["window_days"]):
            question = DAYS.body(config, date_range)
            while True:
                answer = session.post(url, json=question, timeout=300)
                answer.raise_for_status()
                page = decoder.decode(answer.content)
                yield page
                if page.forms.next_page is None:
                    break
                question["page_token"] = page.forms.next_page.fields.page_token.value


def records(page: Page) -> Iterator[msgspec.Struct]:
    days = [timestamp[:10] for timestamp in page.time.timestamps]
    for result in page.embedded.results:
        meta, metrics = result.summary.meta, result.series.metrics
        key = (meta.entity_id, meta.network, meta.currency_code)
        for day, *values in zip(
            days, *(metrics[name] for name in METRICS), strict=True
        ):
            yield Record(day, *key, *values)


def main(config: dict[str, Any]) -> None:
    encode = msgspec.json.Encoder().encode_lines
    for page in pages(config):
        now = dt.datetime.now(dt.timezone.utc).isoformat()
        lines = [Message(DAYS.name, record, now) for record in records(page)]
        sys.stdout.buffer.write(encode(lines))


if __name__ == "__main__":
    main(read_config(sys.argv[1]))
