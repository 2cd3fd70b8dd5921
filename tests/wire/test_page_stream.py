"""Pages that are written at once, beside the SDK's own way of record by record."""

from __future__ import annotations

import contextlib
import copy
import gzip
import io
import json
import re
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from harness.failures import first_error
from hypothesis import HealthCheck, given, strategies
from hypothesis import settings as hypothesis_settings
from pytest_httpserver import HTTPServer
from werkzeug import Response

from tap_adstage.exceptions import TapError
from tap_adstage.streams.page_stream import PageStream
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug import Request

    from tap_adstage.sandbox.server import Sandbox

TIME = re.compile(r',"time_extracted":"[^"]*"')
NUMBER = re.compile(r"(?<=[:,\[])-?[0-9]+(?:[.][0-9]+)?(?:[eE][+-]?[0-9]+)?(?=[,\]}])")
METRICS = ["clicks", "impressions", "spend", "ctr"]
METAS = ["account_name", "objective", "tracking_params", "folder_names", "budget_float"]
REPORT = {
    "name": "r",
    "entity_level": "campaigns",
    "fields": [*METRICS, *METAS],
    "date_range": "2024-02-15..2024-03-19",
}
CONFIG = {"as_of": "2024-03-20", "reports": [REPORT]}


def lines(config: dict[str, Any], catalog: dict[str, Any] | None = None) -> list[str]:
    """What a run of the report writes, but for times and spellings of numbers."""
    tap = TapAdStage(config=copy.deepcopy(config), catalog=copy.deepcopy(catalog))
    for name, stream in tap.streams.items():
        stream.selected = name == "r"
    stdout = io.StringIO()
    with contextlib.redirect_stdout(stdout):
        tap.sync_all()
    text = TIME.sub("", stdout.getvalue())
    return NUMBER.sub(lambda number: spelled(number[0]), text).splitlines()


def spelled(number: str) -> str:
    """A number in the one spelling that all of its spellings have here."""
    digits = format(Decimal(number), "f")
    return digits.rstrip("0").rstrip(".") if "." in digits else digits


def one_by_one(
    monkeypatch: pytest.MonkeyPatch,
    config: dict[str, Any],
    catalog: dict[str, Any] | None = None,
) -> list[str]:
    """What the SDK writes of it."""
    with monkeypatch.context() as patched:
        patched.setattr(PageStream, "_writes_pages", False)
        return lines(config, catalog)


# --- the sandbox's reports ---


@pytest.fixture
def config(sandbox: Sandbox) -> dict[str, Any]:
    return CONFIG | {"api_url": sandbox.api_url, "access_token": sandbox.token}


CALCULATED = {
    "fields": ["clicks", "calculated_metric:1", "custom_conversions:14:spend"]
}


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"entity_level": "ads", "date_range": "last 5 days"},
        {"aggregate_by": "week"},
        {"aggregate_by": "month"},
        {"group_by": "network"},
        {"aggregate_by": "total"},
        {"api_version": 1},
        {"api_version": 1, "aggregate_by": "total"},
        {"ignore_precision": True},
    ],
)
def test_pages_and_records_are_the_same_lines(
    monkeypatch: pytest.MonkeyPatch,
    config: dict[str, Any],
    keys: dict[str, Any],
) -> None:
    given = config | {"page_size": 40, "reports": [{**REPORT, **keys}]}
    found = lines(given)
    assert found == one_by_one(monkeypatch, given)
    assert sum('"type":"RECORD"' in line for line in found) > 10


def test_states_come_between_as_the_sdk_writes_them(
    monkeypatch: pytest.MonkeyPatch,
    config: dict[str, Any],
) -> None:
    def states(found: list[str]) -> int:
        return sum('"type":"STATE"' in line for line in found)

    seldom = lines(config)
    monkeypatch.setattr(PageStream, "STATE_MSG_FREQUENCY", 100)
    found = lines(config)
    assert found == one_by_one(monkeypatch, config)
    assert states(found) > states(seldom)


def test_what_is_not_selected_is_left_out_either_way(
    monkeypatch: pytest.MonkeyPatch,
    config: dict[str, Any],
) -> None:
    given = config | {"reports": [{**REPORT, "aggregate_by": "week"}]}
    catalog = TapAdStage(config=copy.deepcopy(given)).catalog_dict
    (entry,) = [e for e in catalog["streams"] if e["tap_stream_id"] == "r"]
    dropped = [
        ["properties", "spend"],
        ["properties", "date_end"],
        ["properties", "account_name"],
        ["properties", "objective", "properties", "title"],
    ]
    for metadata in entry["metadata"]:
        if metadata["breadcrumb"] in dropped:
            metadata["metadata"] |= {"inclusion": "available", "selected": False}
    found = lines(given, catalog)
    assert found == one_by_one(monkeypatch, given, catalog)
    record = next(json.loads(line)["record"] for line in found if "RECORD" in line)
    assert not {"spend", "date_end", "account_name"} & {*record}
    assert "clicks" in record


@pytest.mark.parametrize(
    "feature",
    [
        {"stream_maps": {"r": {"clicks": "clicks * 2", "__filter__": "clicks > 3"}}},
        {"stream_maps": {"r": {"__alias__": "renamed"}}},
        {"stream_maps": {"copy": {"__source__": "r", "spend": "spend"}}},
        {"flattening_enabled": True, "flattening_max_depth": 1},
    ],
)
def test_where_the_sdk_has_to_see_each_record_it_does(
    monkeypatch: pytest.MonkeyPatch,
    config: dict[str, Any],
    feature: dict[str, Any],
) -> None:
    given = config | feature
    found = lines(given)
    assert found == one_by_one(monkeypatch, given)
    assert found != lines(config)


def test_maps_of_other_streams_change_nothing(config: dict[str, Any]) -> None:
    mapped = config | {"stream_maps": {"accounts": {"name": "name"}}}
    assert lines(mapped) == lines(config)


# --- pages that are out of the ordinary ---

RESULT = {
    "summary": {
        "meta": {"entity_id": "/network/adwords/campaign/1", "network": "adwords"},
        "metrics": {"clicks": 3},
    },
    "series": {"metrics": {"clicks": [1, 2], "spend": [1.5, None]}, "calculated": {}},
}
PAGE = {
    "type": "timeseries",
    "time": {"timestamps": ["2024-03-18T00:00:00Z", "2024-03-19T00:00:00Z"]},
    "summary": {"filtered": {"count": 1, "metrics": {"clicks": 3, "spend": 1.5}}},
    "_embedded": {"results": [RESULT]},
}


@dataclass
class Answers:
    """A server that answers with the pages that it is given."""

    server: HTTPServer
    pages: list[str] = field(default_factory=list)

    def respond(self, request: Request) -> Response:
        number = int(json.loads(request.data).get("page_token", 0))
        text = self.pages[number]
        if number + 1 < len(self.pages):
            token = f'{{"page_token":{{"value":"{number + 1}"}}}}'
            form = f'"_forms":{{"next_page":{{"href":"/x","fields":{token}}}}},'
            text = text.replace("{", "{" + form, 1)
        return Response(text, mimetype="application/json")


@pytest.fixture(scope="module")
def answers() -> Iterator[Answers]:
    with HTTPServer(threaded=True) as server:
        descriptors = [{"id": name, "type": "METRIC"} for name in METRICS]
        server.expect_request("/api/metric_descriptors").respond_with_json(descriptors)
        path = "/api/organizations/40/metric_descriptors"
        server.expect_request(path).respond_with_json(descriptors)
        answers = Answers(server)
        path = "/api/v2/organizations/40/report"
        server.expect_request(path).respond_with_handler(answers.respond)
        yield answers


def run(answers: Answers, pages: list[str]) -> str:
    """What a run writes that is answered with these pages, or its error."""

    answers.pages = pages
    config = {
        "api_url": answers.server.url_for("/api"),
        "access_token": "s3cret-token",
        "organization_id": 40,
        "as_of": "2024-03-20",
        "import_policy": "ignore",
        "reconcile": "fail",
        "max_retry_seconds": 0,
        "reports": [
            {
                "name": "r",
                "entity_level": "campaigns",
                "fields": [*METRICS, "account_name", "tracking_params"],
                "date_range": "2024-03-18..2024-03-19",
            },
        ],
    }
    try:
        return "\n".join(lines(config))
    except TapError as raised:
        error = first_error(raised)
        return f"{type(error).__name__}: {error}"


def compact(page: object) -> str:
    return json.dumps(page, separators=(",", ":"))


TEXT = compact(PAGE)
ODD = {
    "spaces": json.dumps(PAGE, indent=1),
    "an exponent": TEXT.replace("1.5,null", "1.5e0,null"),
    "a capital exponent": TEXT.replace("1.5,null", "15E-1,null"),
    "nearly nothing": TEXT.replace("1.5,null", "0.0000001,null").replace(
        '"spend":1.5', '"spend":0'
    ),
    "minus nothing": TEXT.replace("[1,2]", "[3,-0]"),
    "minus": TEXT.replace("[1,2]", "[5,-2]"),
    "many digits": TEXT.replace("1.5,null", f"1.5{'0' * 290},null"),
    "too many digits": TEXT.replace("1.5,null", f"{'1' * 310},null"),
    "too large": TEXT.replace("1.5,null", "1e400,null"),
    "a text": TEXT.replace("[1,2]", '["1",2]'),
    "true": TEXT.replace("[1,2]", "[true,2]"),
    "a list": TEXT.replace("[1,2]", "[[1],2]"),
    "an object": TEXT.replace("[1,2]", '{"1":2}'),
    "a number": TEXT.replace("[1,2]", "12"),
    "no numbers": TEXT.replace("[1,2]", "[]"),
    "one number": TEXT.replace("[1,2]", "[3]"),
    "three numbers": TEXT.replace("[1,2]", "[1,2,0]"),
    "null": TEXT.replace('"clicks":[1,2]', '"clicks":null').replace(
        '"clicks":3,"spend":1.5', '"spend":1.5'
    ),
    "a metric twice": TEXT.replace("[1,2]", '[1,2],"clicks":[3,0]'),
    "a metric twice, the same": TEXT.replace("[1,2]", '[1,2],"clicks":[1,2]'),
    "a metric among the calculated": TEXT.replace(
        '"calculated":{}', '"calculated":{"ctr":[0.25,0.50]}'
    ),
    "series twice": TEXT.replace('"series":', '"series":{"metrics":{}},"series":'),
    "summary twice": TEXT.replace('{"summary":', '{"summary":{"meta":{}},"summary":'),
    "rows twice": TEXT.replace('"results":', '"results":[],"results":'),
    "type twice": TEXT.replace('"type":', '"type":"rows","type":'),
    "no series": TEXT.replace('"series"', '"serien"'),
    "no meta": TEXT.replace('"meta"', '"mete"'),
    "no metrics": TEXT.replace(
        '"metrics":{"clicks":[1,2],"spend":[1.5,null]},', ""
    ).replace('"calculated":{}', '"calculated":null'),
    "metrics are a list": TEXT.replace('{"clicks":[1,2],"spend":[1.5,null]}', "[]"),
    "no entity": TEXT.replace("entity_id", "entity"),
    "another field of a row": TEXT.replace('{"summary"', '{"_links":{},"summary"'),
    "other days": TEXT.replace("03-18", "03-17"),
    "days in another order": TEXT.replace("03-18", "03-xx")
    .replace("03-19", "03-18")
    .replace("03-xx", "03-19"),
    "a name with a quote": TEXT.replace(
        '"network":', r'"account_name":"She said \"a\":1 and 100%b","network":'
    ),
    "a name that was cut": TEXT.replace(
        '"network":', r'"account_name":"x\ud83d","network":'
    ),
    "a name with NUL": TEXT.replace(
        '"network":', r'"account_name":"x\u0000","network":'
    ),
    "a name beyond": TEXT.replace('"network":', '"account_name":"é😀","network":'),
    "a name with the token": TEXT.replace(
        '"network":', '"account_name":"s3cret-token","network":'
    ),
    "an object as text": TEXT.replace(
        '"network":', r'"tracking_params":"{\"utm_medium\":\"x\"}","network":'
    ),
    "a meta number": TEXT.replace('"network":', '"account_name":1.50,"network":'),
    "no page": "[]",
    "half a page": TEXT[:200],
    "another type": TEXT.replace("timeseries", "rows"),
    "nothing embedded": TEXT.replace("_embedded", "embedded"),
    "no rows": compact(
        {
            **PAGE,
            "summary": {"filtered": {"count": 0}},
            "_embedded": {"results": []},
        }
    ),
}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_page_is_read_as_the_sdk_s_way_reads_it(
    monkeypatch: pytest.MonkeyPatch,
    answers: Answers,
    name: str,
) -> None:
    assert ODD[name] != TEXT
    found = run(answers, [ODD[name]])
    with monkeypatch.context() as patched:
        patched.setattr(PageStream, "_writes_pages", False)
        assert run(answers, [ODD[name]]) == found
    assert ("RECORD" in found) != ("Error: " in found) or name == "no rows"


@pytest.mark.parametrize("other", ["as it was", "odd", "with other values"])
def test_a_row_that_comes_again_is_found_however_its_page_is_read(
    monkeypatch: pytest.MonkeyPatch,
    answers: Answers,
    other: str,
) -> None:
    second = {
        "as it was": TEXT,
        "odd": json.dumps(PAGE),
        "with other values": TEXT.replace("[1,2]", "[2,1]"),
    }[other]
    found = run(answers, [TEXT, second])
    with monkeypatch.context() as patched:
        patched.setattr(PageStream, "_writes_pages", False)
        expected = run(answers, [TEXT, second])
    assert found == expected
    assert ("duplicate row" in found) == (other == "with other values")
    assert found.count("RECORD") == (0 if other == "with other values" else 2)


@given(
    numbers=strategies.lists(
        strategies.one_of(
            strategies.integers(-(10**20), 10**20).map(str),
            strategies.decimals(allow_nan=False, allow_infinity=False).map(str),
            strategies.floats(allow_nan=False, allow_infinity=False).map(repr),
            strategies.just("null"),
        ),
        min_size=2,
        max_size=2,
    ),
)
@hypothesis_settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_number_is_written_as_the_sdk_s_way_writes_it(
    monkeypatch: pytest.MonkeyPatch,
    answers: Answers,
    numbers: list[str],
) -> None:
    page = TEXT.replace("1.5,null", ",".join(numbers)).replace(
        ',"metrics":{"clicks":3,"spend":1.5}', ""
    )
    found = run(answers, [page])
    with monkeypatch.context() as patched:
        patched.setattr(PageStream, "_writes_pages", False)
        assert run(answers, [page]) == found
    if "RECORD" in found:
        texts = [line for line in found.splitlines() if "RECORD" in line]
        records = [json.loads(text, parse_float=Decimal)["record"] for text in texts]
        exact = [None if text == "null" else Decimal(text) for text in numbers]
        assert [record["spend"] for record in records] == exact


# --- BATCH messages ---


@pytest.fixture
def batches(config: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    return config | {
        "batch_config": {
            "encoding": {"format": "jsonl", "compression": "gzip"},
            "storage": {"root": tmp_path.as_uri(), "prefix": "night-"},
            "batch_size": 1000,
        },
    }


def batched(found: list[str]) -> list[list[str]]:
    """The lines of each file that BATCH messages name."""
    messages = [json.loads(line) for line in found]
    uris = [uri for m in messages if m["type"] == "BATCH" for uri in m["manifest"]]
    files = [Path(uri.removeprefix("file://")).read_bytes() for uri in uris]
    texts = [gzip.decompress(file).decode() for file in files]
    return [
        NUMBER.sub(lambda number: spelled(number[0]), text).splitlines()
        for text in texts
    ]


def test_the_files_of_batches_hold_what_records_would(
    config: dict[str, Any],
    batches: dict[str, Any],
) -> None:
    files = batched(lines(batches))
    assert files
    assert {len(file) for file in files[:-1]} == {1000}
    records = [line for line in lines(config) if '"type":"RECORD"' in line]
    expected = [
        line.removeprefix('{"type":"RECORD","stream":"r","record":').removesuffix("}")
        for line in records
    ]
    assert [line for file in files for line in file] == expected


def test_the_messages_of_batches_are_the_sdk_s(
    monkeypatch: pytest.MonkeyPatch,
    batches: dict[str, Any],
) -> None:
    def named_alike(found: list[str]) -> list[str]:
        return [re.sub(r"-r-[0-9a-f-]{36}-", "-r-", line) for line in found]

    found, expected = lines(batches), one_by_one(monkeypatch, batches)
    assert named_alike(found) == named_alike(expected)
    assert batched(found) == batched(expected)
    assert "night-tap-adstage--r-" in "".join(found)
