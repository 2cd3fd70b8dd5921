"""Forms of text that settings take: each with its check, and words for an error."""

import datetime as dt
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta

from tap_adstage import date_ranges
from tap_adstage.config.declarations import text
from tap_adstage.config.shards import Shard

LONGEST_NAME = 63
"""Bytes of the longest name of a table or column that Postgres takes."""

_END = r"$(?!\n)"  # in Python a mere $ also matches before a last line break


def _check_date_range(value: str) -> None:
    date_ranges.parse_date_range(value, today=dt.date(2024, 1, 31))


def _check_time_zone(name: str) -> None:
    date_ranges.today(None, name, now=dt.datetime.now(dt.timezone.utc))


def _check_http_url(value: str) -> None:
    url = urlsplit(value)
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise ValueError("it starts with https:// and a host")
    if any(map(str.isspace, url.netloc)):
        raise ValueError("its host has a space")
    if url.username is not None or url.query or url.fragment:
        raise ValueError("it has a user, a query or a fragment")
    _ = url.port


def _without_slash(value: str) -> str:
    return value.rstrip("/")


def _path(value: str) -> Path:
    return Path(value).expanduser().resolve()


_DATE = "a date such as 2024-01-31, or a date-time such as 2024-01-31T08:00:00Z"

Text = Annotated[str, Meta(min_length=1)]
Name = Annotated[
    str,
    Meta(pattern=rf"^[a-z][a-z0-9_]*{_END}"),
    text("lower-case letters, digits and _, a letter first"),
]
ColumnName = Annotated[
    str,
    Meta(pattern=rf"^[a-z0-9_]{{1,{LONGEST_NAME}}}{_END}"),
    text(f"lower-case letters, digits and _, at most {LONGEST_NAME} of them"),
]
Token = Annotated[
    str,
    Meta(pattern=rf"^[!-~]+{_END}"),
    text("the token alone, in visible ASCII characters without spaces"),
]
HeaderValue = Annotated[
    str,
    Meta(pattern=rf"^[!-~]([ -~]*[!-~])?{_END}"),
    text("printable ASCII characters"),
]
Day = Annotated[
    dt.date,
    text(_DATE, form="date", check=date_ranges.parse_day, read=date_ranges.parse_day),
]
Moment = Annotated[str, text(_DATE, form="date", check=date_ranges.parse_day)]
DateRange = Annotated[
    str,
    text(
        "an AdStage date range such as `last 30 days`, `month to date` or "
        "2024-01-01..2024-01-31",
        form="date-range",
        check=_check_date_range,
    ),
]
TimeZone = Annotated[
    str,
    text(
        "an IANA time zone such as America/Los_Angeles",
        form="time-zone",
        check=_check_time_zone,
    ),
]
HttpUrl = Annotated[
    str,
    text(
        "an http or https URL without user, query and fragment",
        form="http-url",
        check=_check_http_url,
    ),
]
ApiUrl = Annotated[HttpUrl, Meta(extra={"read": _without_slash})]
FilePath = Annotated[Path, text("a path that is not empty", read=_path)]
ShardText = Annotated[
    Shard,
    text(
        "a number and how many there are, such as 3/8",
        form="shard",
        check=Shard.parse,
        read=Shard.parse,
    ),
]
