"""What Fivetran documents, and the pages about converting from it."""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING

from tap_adstage.fivetran.counterparts import CREDENTIALS, REPORT_KEYS, Counterpart

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NOW = dt.datetime(2024, 3, 20, 12, tzinfo=dt.timezone.utc)
"""When connections are converted."""

CLIENT_SECRET = "spotify-client-secret"
REFRESH_TOKEN = "spotify-refresh-token"
AUTH = {
    "client_access": {"client_id": "spotify-app", "client_secret": CLIENT_SECRET},
    "refresh_token": REFRESH_TOKEN,
}

DOCUMENTED_FIELDS = [
    "CLICKS",
    "COMPLETES",
    "CONVERSION_RATE",
    "CTR",
    "E_CPCL",
    "E_CPM",
    "FIRST_QUARTILES",
    "FREQUENCY",
    "IMPRESSIONS",
    "INTENT_RATE",
    "LISTENERS",
    "MIDPOINTS",
    "NEW_LISTENERS",
    "NEW_LISTENER_CONVERSION_RATE",
    "NEW_LISTENER_STREAMS",
    "OFF_SPOTIFY_IMPRESSIONS",
    "PAID_LISTENS",
    "PAID_LISTENS_FREQUENCY",
    "PAID_LISTENS_REACH",
    "REACH",
    "SKIPS",
    "SPEND",
    "STARTS",
    "STREAMED_IMPRESSIONS",
    "STREAMS",
    "STREAMS_PER_NEW_LISTENER",
    "STREAMS_PER_USER",
    "THIRD_QUARTILES",
    "VIDEO_EXPANDS",
    "VIDEO_EXPAND_RATE",
    "VIDEO_VIEWS",
]


def key_table(
    keys: Mapping[str, Counterpart], credential_remark: str
) -> dict[str, Counterpart]:
    """All keys of a connection, those without a counterpart last."""
    return {
        **{key: each for key, each in keys.items() if each.value},
        **{f"report_list[].{key}": each for key, each in REPORT_KEYS.items()},
        **{
            path: Counterpart(name, credential_remark)
            for path, name in CREDENTIALS.items()
        },
        **{key: each for key, each in keys.items() if not each.value},
    }


def check_table(
    page: Path, test: str, section: str, expected: str, *, update: bool
) -> None:
    """Compare a section of a page with a table, or replace it by the table.

    Args:
        page: The page.
        test: Path of the test file that keeps it, as the page names it.
        section: Name of the section.
        expected: The table.
        update: Whether to replace it.
    """
    start = f"<!-- {section}: kept by {test} -->\n"
    end = f"<!-- end of {section} -->"
    before, _, rest = page.read_text().partition(start)
    held, _, after = rest.partition(end)
    if update:
        page.write_text(f"{before}{start}{expected}{end}{after}")
        held = expected
    assert held == expected


def blocks(page: Path, language: str) -> list[str]:
    """The page's blocks of code in a language."""
    block = re.compile(rf"^```{language}\n(.+?)^```", re.MULTILINE | re.DOTALL)
    return [match[1] for match in block.finditer(page.read_text())]


def table(column: str, rows: Mapping[str, Counterpart]) -> str:
    """A Markdown table; names that follow each other and mean the same share a row."""
    groups: list[tuple[list[str], Counterpart]] = []
    for name, counterpart in rows.items():
        if groups and groups[-1][1] == counterpart:
            groups[-1][0].append(name)
        else:
            groups.append(([name], counterpart))
    lines = [
        f"| {', '.join(f'`{name}`' for name in names)} | "
        f"{', '.join(f'`{v}`' for v in each.values) or 'none'} | {each.remark} |"
        for names, each in groups
    ]
    header = [f"| Fivetran | {column} | note |", "| --- | --- | --- |"]
    return "\n".join([*header, *lines, ""])
