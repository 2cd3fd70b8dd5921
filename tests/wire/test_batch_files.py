"""BATCH messages: files are what the messages name, or an error comes before them."""

from __future__ import annotations

import gzip
import json
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow.parquet  # type: ignore[import-untyped]
import pytest
from harness.commands import run_tap
from singer_sdk.helpers._batch import BatchConfig
from singer_sdk.helpers.capabilities import BATCH_CONFIG

from tap_adstage.config.batches import COMPRESSIONS, FORMATS
from tap_adstage.exceptions import ConfigError
from tap_adstage.streams.batch_files import BatchFiles
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    import subprocess

    from harness.singer import Messages, Sync

REPORT = {
    "name": "daily",
    "entity_level": "campaigns",
    "fields": ["clicks", "spend", "campaign_name", "objective", "folder_names"],
    "date_range": "last 4 days",
}
SUFFIXES = {
    ("jsonl", "gzip"): ".json.gz",
    ("jsonl", "none"): ".json",
    ("jsonl", None): ".json",
}


@pytest.fixture
def settings(settings: dict[str, Any]) -> dict[str, Any]:
    return settings | {"reports": [REPORT], "import_policy": "ignore"}


def batch_config(
    root: Path, file_format: str = "jsonl", compression: str | None = None
) -> dict[str, Any]:
    return {
        "encoding": {"format": file_format, "compression": compression},
        "storage": {"root": root.as_uri()},
        "batch_size": 150,
    }


def decoded(path: Path, encoding: dict[str, Any]) -> list[dict[str, Any]]:
    """Read a file as its message describes it."""
    if encoding["format"] == "parquet":
        rows: list[dict[str, Any]] = pyarrow.parquet.read_table(path).to_pylist()
        return rows
    content = path.read_bytes()
    if encoding.get("compression") == "gzip":
        content = gzip.decompress(content)
    return [json.loads(line) for line in content.splitlines()]


def read_batches(messages: Messages, stream: str) -> list[dict[str, Any]]:
    """Read all records that the BATCH messages of a stream name."""
    return [
        record
        for message in messages.of("BATCH", stream)
        for url in message["manifest"]
        for record in decoded(Path(url.removeprefix("file://")), message["encoding"])
    ]


def plain(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Write numbers alike, and omit nulls, as Parquet's rows all have all columns."""

    def value(item: Any) -> Any:  # noqa: ANN401 - JSON
        if isinstance(item, dict):
            members = {k: v for k, v in item.items() if v is not None}
            return members or None
        return item if item is None or isinstance(item, (str, list)) else float(item)

    return [
        {key: found for key, item in each.items() if (found := value(item)) is not None}
        for each in records
    ]


def test_the_tap_knows_all_that_the_sdk_names() -> None:
    encoding = BATCH_CONFIG["properties"]["batch_config"]["properties"]["encoding"]
    named = {name: each["enum"] for name, each in encoding["properties"].items()}
    assert {*named["format"]} <= {*FORMATS, None}
    assert {*named["compression"]} <= {*COMPRESSIONS, None}


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("compression", [None, *COMPRESSIONS])
def test_files_hold_the_records_in_the_encoding_of_their_message(
    sync: Sync,
    settings: dict[str, Any],
    tmp_path: Path,
    file_format: str,
    compression: str | None,
) -> None:
    streams = ["daily", "accounts", "users", "metric_descriptors"]
    expected = sync(settings, streams=streams)
    config = batch_config(tmp_path, file_format, compression)
    found = sync({**settings, "batch_config": config}, streams=streams)
    assert not found.of("RECORD")
    assert len(found.of("BATCH", "daily")) > 1
    for stream in streams:
        assert plain(read_batches(found, stream)) == plain(expected.records(stream))
    suffix = SUFFIXES.get((file_format, compression), f".{file_format}")
    assert {"".join(path.suffixes) for path in tmp_path.iterdir()} == {suffix}


@pytest.mark.parametrize(
    ("compression", "codec"), [("none", "UNCOMPRESSED"), ("gzip", "GZIP")]
)
def test_parquet_is_compressed_as_its_message_says(
    sync: Sync,
    settings: dict[str, Any],
    tmp_path: Path,
    compression: str,
    codec: str,
) -> None:
    config = batch_config(tmp_path, "parquet", compression)
    sync({**settings, "batch_config": config}, streams=["accounts"])
    (path,) = tmp_path.iterdir()
    group = pyarrow.parquet.ParquetFile(path).metadata.row_group(0)
    codecs = {group.column(index).compression for index in range(group.num_columns)}
    assert codecs == {codec}


def test_numbers_and_objects_survive_parquet(tmp_path: Path) -> None:
    records: list[dict[str, Any]] = [
        {"id": 1, "spend": 3, "counts": {}},
        {"id": 2, "spend": Decimal("12345678901234567.25"), "counts": {}},
        {"id": 3, "spend": 0.1, "late": {"a": 1}},
        {"id": 4, "spend": None, "late": None},
    ]
    config = BatchConfig.from_dict(batch_config(tmp_path, "parquet"))
    BatchFiles(config, "tap").write_records("mixed", records)
    (path,) = tmp_path.iterdir()
    rows = pyarrow.parquet.read_table(path).to_pylist()
    assert [row["spend"] for row in rows] == [
        Decimal(3),
        Decimal("12345678901234567.25"),
        Decimal("0.1"),
        None,
    ]
    assert [row["late"] for row in rows] == [None, None, {"a": 1}, None]


@pytest.mark.parametrize("long", [12345678901234567, 10**30, -(10**15)])
@pytest.mark.parametrize("other", [2.5, 3, None])
def test_long_whole_numbers_share_a_parquet_column_with_any_other(
    tmp_path: Path, long: int, other: float | None
) -> None:
    config = BatchConfig.from_dict(batch_config(tmp_path, "parquet"))
    rows: list[dict[str, Any]] = [{"clicks": other}, {"clicks": long}]
    url = BatchFiles(config, "tap").write_records("daily", rows)
    read = pyarrow.parquet.read_table(url.removeprefix("file://")).to_pylist()
    assert read == rows
    assert type(read[1]["clicks"]) is Decimal


# --- what the SDK does to records, it does to files ---


def test_files_lack_columns_that_are_not_selected(
    sync: Sync, settings: dict[str, Any], tmp_path: Path
) -> None:
    catalog = TapAdStage(config=settings).catalog_dict
    for entry in catalog["streams"]:
        for each in entry["metadata"]:
            if each["breadcrumb"] == ["properties", "name"]:
                each["metadata"]["selected"] = False
    config = {**settings, "batch_config": batch_config(tmp_path)}
    found = sync(config, catalog=catalog)
    (schema,) = found.of("SCHEMA", "accounts")
    records = read_batches(found, "accounts")
    assert records
    assert "name" not in {name for record in records for name in record}
    assert {*records[0]} <= {*schema["schema"]["properties"]}


@pytest.mark.parametrize(
    "change",
    [
        {"flattening_enabled": True, "flattening_max_depth": 1},
        {"stream_maps": {"daily": {"spend": "float(spend or 0) * 2"}}},
        {"stream_maps": {"daily": {"__alias__": "renamed"}}},
        {"stream_maps": {"daily": {"__filter__": "clicks and clicks > 100"}}},
        {"stream_maps": {"copied": {"__source__": "daily", "clicks": "1.0"}}},
        {"stream_maps": {"daily": None}},
    ],
    ids=["flattening", "column", "alias", "filter", "copy", "none"],
)
def test_files_hold_what_stream_maps_make(
    sync: Sync,
    settings: dict[str, Any],
    tmp_path: Path,
    change: dict[str, Any],
) -> None:
    settings |= change
    expected = sync(settings, streams=["daily"])
    config = {**settings, "batch_config": batch_config(tmp_path)}
    found = sync(config, streams=["daily"])
    streams = {line["stream"] for line in expected.of("SCHEMA")}
    assert {line["stream"] for line in found.of("SCHEMA")} == streams
    assert {line["stream"] for line in found.of("BATCH")} == streams
    for stream in streams:
        assert plain(read_batches(found, stream)) == plain(expected.records(stream))


# --- what can't be written ---


def ended(
    settings: dict[str, Any], tmp_path: Path, *options: str
) -> subprocess.CompletedProcess[str]:
    """Run the tap's command, which must fail before its first message."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps(settings))
    process = run_tap("--config", path, *options)
    assert process.returncode == 1, process.stderr
    assert process.stdout == ""
    assert "Traceback" not in process.stderr
    return process


GOOD: dict[str, Any] = batch_config(Path("/srv/batches"))
WRONG: dict[str, tuple[Any, str]] = {
    "a text": ("gzip", 'batch_config: "gzip" is not allowed; it takes an object'),
    "without storage": (
        {"encoding": GOOD["encoding"]},
        "batch_config: storage missing",
    ),
    "without encoding": (
        {"storage": GOOD["storage"]},
        "batch_config: encoding missing",
    ),
    "without format": (
        {**GOOD, "encoding": {"compression": "gzip"}},
        "batch_config.encoding: format missing",
    ),
    "without root": (
        {**GOOD, "storage": {"prefix": "a"}},
        "batch_config.storage: root missing",
    ),
    "null root": (
        {**GOOD, "storage": {"root": None}},
        "batch_config.storage: root missing",
    ),
    "empty root": (
        {**GOOD, "storage": {"root": ""}},
        'batch_config.storage.root: "" is not allowed; it takes the URL of a folder',
    ),
    "unknown key": (
        {**GOOD, "bath_size": 4},
        "batch_config.bath_size: unknown key; did you mean batch_size?",
    ),
    "unknown key of storage": (
        {**GOOD, "storage": {"rot": "a", "root": "b"}},
        "batch_config.storage.rot: unknown key; did you mean root?",
    ),
    "unknown format": (
        {**GOOD, "encoding": {"format": "csv"}},
        'batch_config.encoding.format: "csv" is not allowed; it takes one of ',
    ),
    "unknown compression": (
        {**GOOD, "encoding": {"format": "jsonl", "compression": "zstd"}},
        'batch_config.encoding.compression: "zstd" is not allowed; it takes one of ',
    ),
    "no records a file": (
        {**GOOD, "batch_size": 0},
        "batch_config.batch_size: 0 is not allowed; it takes an integer, 1 or more",
    ),
    "half a record": (
        {**GOOD, "batch_size": 0.5},
        "batch_config.batch_size: 0.5 is not allowed; it takes an integer, 1 or more",
    ),
    "a text for a number": (
        {**GOOD, "batch_size": "9"},
        'batch_config.batch_size: "9" is not allowed; it takes an integer, 1 or more',
    ),
}


@pytest.mark.parametrize(("value", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_setting_is_one_line(value: Any, message: str) -> None:  # noqa: ANN401
    with pytest.raises(ConfigError) as raised:
        TapAdStage(config={"sandbox": True, "reports": [], "batch_config": value})
    (line,) = raised.value.errors
    assert line.startswith(message)


def test_parquet_needs_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    config = batch_config(Path("/srv/batches"), "parquet")
    with pytest.raises(ConfigError, match=r"pyarrow; install tap-adstage\[parquet\]"):
        TapAdStage(config={"sandbox": True, "reports": [], "batch_config": config})


def test_secrets_of_a_storage_are_not_shown(tmp_path: Path) -> None:
    storage = {"root": "s3://b/ucket", "params": "k3y-of-the-bucket"}
    config = {"sandbox": True, "batch_config": {**GOOD, "storage": storage}}
    stderr = ended(config, tmp_path).stderr
    assert "batch_config.storage.params: (hidden) is not allowed" in stderr
    assert "k3y-of-the-bucket" not in stderr


@pytest.mark.parametrize("options", [[], ["--discover"], ["--test"]])
def test_a_wrong_setting_ends_every_command(tmp_path: Path, options: list[str]) -> None:
    config = {"sandbox": True, "batch_config": {**GOOD, "batch_size": 0}}
    process = ended(config, tmp_path, *options)
    assert "batch_config.batch_size: 0 is not allowed" in process.stderr


@pytest.mark.parametrize(
    ("root", "prefix", "reason"),
    [
        ("file://{folder}/config.json", "", "config.json"),
        ("file://{folder}/config.json/below", "", "Not a directory"),
        ("file://{folder}", "no-such-folder/", "No such file"),
        ("{folder}/config.json/below", "", "Not a directory"),
        ("nosuch://bucket/folder", "", "nosuch"),
    ],
)
@pytest.mark.parametrize("options", [[], ["--test"]])
def test_a_storage_that_cannot_be_written_ends_the_run_before_its_first_message(
    tmp_path: Path, root: str, prefix: str, reason: str, options: list[str]
) -> None:
    storage = {"root": root.format(folder=tmp_path), "prefix": prefix}
    config = {
        "sandbox": True,
        "reports": [],
        "batch_config": {**GOOD, "storage": storage},
    }
    stderr = ended(config, tmp_path, *options).stderr
    lines = [line for line in stderr.splitlines() if "ERROR" in line]
    (line,) = [line for line in lines if "batch_config" in line]
    assert f"batch_config.storage: {storage['root']} could not be written: " in line
    assert reason in line


def test_the_check_of_a_storage_leaves_nothing_behind(
    sync: Sync, settings: dict[str, Any], tmp_path: Path
) -> None:
    config = {**settings, "batch_config": batch_config(tmp_path / "new")}
    found = sync(config, streams=["users"])
    (message,) = found.of("BATCH")
    (path,) = (tmp_path / "new").iterdir()
    assert message["manifest"] == [path.as_uri()]
