"""What Spotify warns of, in answers that are not errors."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from harness.failures import Front

if TYPE_CHECKING:
    from harness.singer import Sync
    from pytest_httpserver import HTTPServer

    from tap_adstage.sandbox.spotify_ads.server import SpotifyAdsSandbox

REPORT = {
    "name": "r",
    "entity_level": "ad_accounts",
    "fields": ["CLICKS"],
    "date_range": "2024-03-18..2024-03-19",
}
ID = "9a7b6c5d-4e3f-4b21-8c99-bf1c2a3d4e5f"


@pytest.fixture
def lines(
    httpserver: HTTPServer,
    spotify_sandbox: SpotifyAdsSandbox,
    sync: Sync,
    caplog: pytest.LogCaptureFixture,
    request: pytest.FixtureRequest,
) -> list[tuple[int, str]]:
    """Levels and texts of the report's lines, if each answer has warnings."""
    caplog.set_level(logging.INFO)
    front = Front(httpserver, spotify_sandbox)
    for number, account in enumerate(spotify_sandbox.world.ad_accounts):
        warnings: Any = request.param
        if isinstance(warnings, list):
            warnings = [
                text.format(number) if isinstance(text, str) else text
                for text in warnings
            ]
        answer = {"rows": [], "continuation_token": None, "warnings": warnings}
        front.answers[f"{account.id}/aggregate_reports"] = answer
    settings = front.settings | {"reports": [REPORT], "reconcile": "off"}
    messages = sync(settings, streams=["r"])
    assert messages.bookmark("r") == "2024-03-19"
    found = [(r.levelno, r.getMessage()) for r in caplog.records]
    return [(level, line) for level, line in found if "Spotify's answers" in line] + [
        (level, line) for level, line in found if "Spotify warns" in line
    ]


@pytest.mark.parametrize(
    "lines", [["Ad set {} is not final.", "CLICKS is deprecated."]], indirect=True
)
def test_each_kind_is_a_warning_once_and_all_are_counted_at_the_end(
    lines: list[tuple[int, str]],
    spotify_sandbox: SpotifyAdsSandbox,
) -> None:
    accounts = len(spotify_sandbox.world.ad_accounts)
    assert lines == [
        (
            logging.INFO,
            f"r: Spotify's answers had {2 * accounts} warnings of 2 kinds",
        ),
        (logging.WARNING, "r: Spotify warns: Ad set 0 is not final."),
        (logging.WARNING, "r: Spotify warns: CLICKS is deprecated."),
    ]


@pytest.mark.parametrize("lines", [[{"entity_id": ID}]], indirect=True)
def test_objects_as_in_the_specification_s_example_are_shown_as_json(
    lines: list[tuple[int, str]],
    spotify_sandbox: SpotifyAdsSandbox,
) -> None:
    number = len(spotify_sandbox.world.ad_accounts)
    assert lines == [
        (logging.INFO, f"r: Spotify's answers had {number} warnings of 1 kind"),
        (logging.WARNING, f'r: Spotify warns: {{"entity_id":"{ID}"}}'),
    ]


@pytest.mark.parametrize("lines", [None, []], indirect=True)
def test_without_warnings_nothing_is_logged(lines: list[tuple[int, str]]) -> None:
    assert lines == []
