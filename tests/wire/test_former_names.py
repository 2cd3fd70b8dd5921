"""The stream `users`, which was called `current_user`, and what still calls it so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy.dialects.postgresql.base import RESERVED_WORDS

from tap_adstage.config.spotify_ads import AUDIENCES
from tap_adstage.exceptions import ConfigError
from tap_adstage.sources import source_type
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from harness.singer import Sync

FORMER, CURRENT = "current_user", "users"


def selecting(catalog: dict[str, Any], *names: str) -> dict[str, Any]:
    """Select streams of a catalog, and no others."""
    for entry in catalog["streams"]:
        (own,) = (m for m in entry["metadata"] if not m["breadcrumb"])
        own["metadata"]["selected"] = entry["tap_stream_id"] in names
    return catalog


def old_catalog(settings: dict[str, Any]) -> dict[str, Any]:
    """Write a catalog as an earlier version did; it deselects the user's e-mail."""
    text = json.dumps(TapAdStage(config=settings).catalog_dict)
    catalog = json.loads(text.replace(f'"{CURRENT}"', f'"{FORMER}"'))
    (entry,) = (e for e in catalog["streams"] if e["tap_stream_id"] == FORMER)
    for column in entry["metadata"]:
        if column["breadcrumb"] == ["properties", "email"]:
            column["metadata"]["selected"] = False
    return dict(catalog)


def test_an_old_catalog_selects_the_stream_and_its_columns(
    sync: Sync, settings: dict[str, Any]
) -> None:
    catalog = selecting(old_catalog(settings), FORMER)
    messages = sync(settings, catalog=catalog)
    (user,) = messages.records(CURRENT)
    assert "email" not in user
    assert {message["stream"] for message in messages.of("SCHEMA")} == {CURRENT}


def test_an_old_catalog_deselects_the_stream(
    sync: Sync, settings: dict[str, Any]
) -> None:
    messages = sync(settings, catalog=selecting(old_catalog(settings), "folders"))
    assert {message["stream"] for message in messages.of("SCHEMA")} == {"folders"}


def test_an_old_state_is_read_without_a_warning(
    sync: Sync, settings: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    messages = sync(settings, state={"bookmarks": {FORMER: {}}}, streams=[CURRENT])
    assert messages.records(CURRENT)
    assert "bookmarks of unknown streams" not in caplog.text
    assert list(messages.of("STATE")[-1]["value"]["bookmarks"]) == [CURRENT]


@pytest.mark.parametrize(
    ("stream_maps", "place"),
    [
        ({FORMER: {"email": None}}, FORMER),
        ({"person": {"__source__": FORMER, "email": None}}, "person.__source__"),
    ],
)
def test_a_stream_map_of_the_old_name_is_an_error(
    settings: dict[str, Any], stream_maps: dict[str, Any], place: str
) -> None:
    with pytest.raises(
        ConfigError,
        match=rf"stream_maps\.{place}: the stream current_user is called users now; "
        "write users",
    ):
        TapAdStage(config={**settings, "stream_maps": stream_maps})


PATTERN = "current_*"


@pytest.mark.parametrize(
    ("stream_maps", "place"),
    [
        ({PATTERN: {"email": None}}, r"current_\*"),
        (
            {"person": {"__source__": PATTERN, "email": None}},
            r"person\.__source__",
        ),
    ],
)
def test_a_stream_map_of_a_pattern_for_the_old_name_is_an_error(
    settings: dict[str, Any], stream_maps: dict[str, Any], place: str
) -> None:
    with pytest.raises(
        ConfigError,
        match=rf"stream_maps\.{place}: the stream current_user, which this matched, is "
        "called users now; add a map for users",
    ):
        TapAdStage(config={**settings, "stream_maps": stream_maps})


@pytest.mark.parametrize(
    "stream_maps",
    [
        {"*user*": {"email": None}},
        {PATTERN: {"email": None}, CURRENT: {"email": None}},
    ],
)
def test_a_pattern_is_right_if_the_stream_has_a_map_by_its_new_name(
    sync: Sync, settings: dict[str, Any], stream_maps: dict[str, Any]
) -> None:
    config = {**settings, "stream_maps": stream_maps}
    (user,) = sync(config, streams=[CURRENT]).records(CURRENT)
    assert "email" not in user


def test_a_report_of_the_old_name_keeps_its_state(
    sync: Sync, settings: dict[str, Any]
) -> None:
    report = {
        "name": FORMER,
        "entity_level": "accounts",
        "fields": ["clicks"],
        "date_range": "yesterday",
    }
    config = {**settings, "reports": [report]}
    first = sync(config, streams=[FORMER])
    state = first.of("STATE")[-1]["value"]
    second = sync(config, streams=[FORMER], state=state)
    assert second.of("STATE")[-1]["value"] == state


@pytest.mark.parametrize("source", ["adstage", "spotify_ads"])
def test_the_tap_s_own_names_need_no_quotes(source: str) -> None:
    kind = source_type({"source": source})
    names = {*kind.tables}
    for table in kind.tables.values():
        names |= table.schema["properties"].keys()
    names |= {audience.lower() for audience in AUDIENCES}
    assert not names & RESERVED_WORDS
