"""Settings that a run gets from the sandbox around it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tap_adstage.config.sandbox_shell import sandbox_message, sandbox_settings

OF_SANDBOX = {
    source: {
        "source": source,
        "api_url": f"http://127.0.0.1/{source}",
        "oauth_token_url": f"http://127.0.0.1/{source}/token",
        "access_token": "t",
        "as_of": "2024-03-20",
    }
    for source in ("adstage", "spotify_ads")
}
ENVIRONMENT = {"TAP_ADSTAGE_SANDBOXES": json.dumps(OF_SANDBOX)}


@pytest.mark.parametrize(
    ("given", "source", "names"),
    [
        ({}, "adstage", set(OF_SANDBOX["adstage"])),
        (
            {"source": "spotify_ads", "access_token": "x"},
            "spotify_ads",
            {"api_url", "oauth_token_url", "as_of"},
        ),
        (
            {"client_id": "x", "oauth_token_url": "http://x"},
            "adstage",
            {"source", "api_url", "as_of"},
        ),
        ({"as_of": "2020-01-01", "api_url": "http://x"}, "adstage", set()),
        ({"api_url": "http://x"}, "adstage", {"as_of"}),
        ({"sandbox": True}, "adstage", {"as_of"}),
        ({"source": ["wrong"]}, "adstage", set()),
    ],
)
def test_a_run_gets_what_its_own_settings_leave_open(
    given: dict[str, Any], source: str, names: set[str]
) -> None:
    settings = sandbox_settings(given, ENVIRONMENT)
    assert settings == {name: OF_SANDBOX[source][name] for name in names}


@pytest.mark.parametrize(
    ("given", "chosen", "source"),
    [
        ({}, "spotify_ads", "spotify_ads"),
        ({"source": "adstage"}, "spotify_ads", "adstage"),
        ({}, "unknown", "adstage"),
    ],
)
def test_a_run_reads_the_chosen_source_unless_it_names_one(
    given: dict[str, Any], chosen: str, source: str
) -> None:
    environment = {**ENVIRONMENT, "TAP_ADSTAGE_SOURCE": chosen}
    settings = given | sandbox_settings(given, environment)
    assert settings == OF_SANDBOX[source]


def test_there_is_nothing_to_get_outside_of_a_sandbox() -> None:
    assert sandbox_settings({}, {}) == {}
    assert sandbox_message({}) is None
