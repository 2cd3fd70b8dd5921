"""Whatever a report's answer holds: right records, or an error that says where.

AdStage's documented answers, and the sandbox's, are served with parts of them changed.
What may be written then is read from the changed answers here, in a few plain lines.
"""

from __future__ import annotations

import contextlib
import copy
import datetime as dt
import io
import json
import random
import re
import subprocess
import sysconfig
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import psycopg
import pytest
from harness.failures import first_error
from harness.logs import warnings
from harness.paths import TESTS
from harness.taps import directory_of
from jsonschema import Draft7Validator
from pytest_httpserver import HTTPServer
from werkzeug import Response

from tap_adstage.exceptions import InconsistentError, LinkError, TapError
from tap_adstage.reports import report_run
from tap_adstage.sandbox.cli.postgres import Postgres
from tap_adstage.sandbox.server import Sandbox
from tap_adstage.tap import TapAdStage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import requests
    from werkzeug import Request

ADSTAGE = "https://platform.adstage.io"
DOCUMENTED = TESTS / "documented"
MONTHS = {"aggregate_by": "month", "window_days": 70}
TOTAL = {"aggregate_by": "total"}
NETWORKS = {
    "fields": ["clicks", "spend", "calculated_metric:123"],
    "group_by": "network",
}
BASIC = {"fields": ["clicks", "spend", "campaign_name", "remote_campaign_id"]}
WIDE = {
    "fields": [*BASIC["fields"], "bid_float", "objective", "folder_names"],
    "networks": ["facebook"],
}
AGES = {
    "provider": "facebook",
    "targets": ["/network/facebook/account/55546736267200006"],
    "entity_level": "accounts",
    "dimensions": ["age"],
    "fields": ["clicks", "spend", "campaign_name"],
}
DOCUMENTED_REPORTS: dict[str, tuple[str, dict[str, Any]]] = {
    "v1_basic": ("2017-01-21", {"api_version": 1, **BASIC, **TOTAL}),
    "v1_series": ("2017-01-23", {"api_version": 1, **BASIC, **MONTHS}),
    "v2_rows": ("2019-07-01", {**NETWORKS, **TOTAL, "date_range": "last 2 months"}),
    "v2_series": ("2019-07-01", {**NETWORKS, **MONTHS, "date_range": "last 2 months"}),
}
SANDBOX_REPORTS: dict[str, dict[str, Any]] = {
    "v1 totals": {"api_version": 1, **WIDE, **TOTAL},
    "v1 days": {"api_version": 1, **WIDE},
    "v1 ages": AGES,
    "v2 totals": {**WIDE, **TOTAL},
    "v2 days": WIDE,
    "v2 networks": {"fields": ["clicks", "spend"], "group_by": "network"},
}
TODAY = dt.date(2024, 3, 20)


# --- answers, as they are ---


@dataclass
class Answers:
    """What is asked, and what is answered if nothing goes wrong."""

    config: dict[str, Any]
    resources: dict[str, str]
    pages: list[str]

    @property
    def report(self) -> dict[str, Any]:
        (report,) = self.config["reports"]
        return dict(report)


def documented(name: str, url: str) -> Answers:
    """An answer of the documentation, and a last page without rows."""
    as_of, report = DOCUMENTED_REPORTS[name]
    page = (DOCUMENTED / f"{name}.json").read_text().replace(ADSTAGE, url)
    last = json.loads(page) | {"_links": {}, "_forms": {}}
    for relation, rows in last["_embedded"].items():
        if not relation.endswith("totals"):
            rows.clear()
    descriptors = [{"id": field, "type": "METRIC"} for field in NETWORKS["fields"]]
    return Answers(
        {
            "as_of": as_of,
            "reports": [{"date_range": "last 30 days", **report}],
            "organization_id": 40,
        },
        {
            "/api/metric_descriptors": json.dumps(descriptors),
            "/api/organizations/40/metric_descriptors": json.dumps(descriptors),
        },
        [page, json.dumps(last)],
    )


def generated(name: str, url: str, sandbox: Sandbox) -> Answers:
    """An answer of the sandbox, of several pages."""
    answers = Answers(
        {
            "as_of": TODAY.isoformat(),
            "reports": [{"date_range": "last 3 days", **SANDBOX_REPORTS[name]}],
            "organization_id": 40,
            "page_size": 4,
        },
        {},
        [],
    )

    def record(*args: Any, **kwargs: Any) -> requests.Response:  # noqa: ANN401
        response = send(*args, **kwargs)
        path = response.request.path_url.partition("?")[0]
        text = response.text.replace(sandbox.api_url.removesuffix("/api"), url)
        if path.endswith("report"):
            answers.pages.append(text)
        else:
            answers.resources[path] = text
        return response

    tap = tap_for(answers, sandbox.api_url, setup_mapper=False)
    session = directory_of(tap).client.transport.session
    send = session.send
    with mock.patch.object(session, "send", record):
        tap.streams  # noqa: B018 - asks for the descriptors
        assert list(tap.streams["r"].get_records(None))
    session.close()
    return answers


def tap_for(answers: Answers, api_url: str, **arguments: Any) -> TapAdStage:  # noqa: ANN401
    report = {"name": "r", "entity_level": "campaigns", **answers.report}
    return TapAdStage(
        config={
            **answers.config,
            "api_url": api_url,
            "access_token": "t0ken",
            "import_policy": "ignore",
            "max_retry_seconds": 0,
            "max_concurrency": 1,  # over the session that is looked at
            "reports": [report],
        },
        **arguments,
    )


# --- runs ---


@dataclass
class Run:
    """What a run made of the answers that it was given."""

    output: str
    error: TapError | None
    pages: list[str]

    @property
    def messages(self) -> list[dict[str, Any]]:
        assert self.output.endswith("\n")
        lines = self.output.splitlines()
        return [json.loads(line, parse_float=Decimal) for line in lines]

    @property
    def schema(self) -> dict[str, Any]:
        return next(m for m in self.messages if m["type"] == "SCHEMA")

    @property
    def records(self) -> list[dict[str, Any]]:
        return [m["record"] for m in self.messages if m["type"] == "RECORD"]


@dataclass
class Replay:
    """Serves answers over HTTP, a report's pages in their order."""

    server: HTTPServer

    @property
    def url(self) -> str:
        return self.server.url_for("").rstrip("/")

    def run(self, answers: Answers, pages: Sequence[bytes]) -> Run:
        served: list[bytes] = []

        def answer(request: Request) -> Response:
            if request.path in answers.resources:
                body = answers.resources[request.path].encode()
            elif "report" not in request.path:
                body = b'{"fetch_id": 40, "_embedded": {"item": []}}'
            elif len(served) < len(pages):
                body = pages[len(served)]
                served.append(body)
            else:
                return Response("there is no such page", 404)
            return Response(body, mimetype="application/json")

        self.server.clear()
        self.server.expect_request(re.compile("")).respond_with_handler(answer)
        tap = tap_for(answers, f"{self.url}/api")
        for name, stream in tap.streams.items():
            stream.selected = name == "r"
        output, error = io.StringIO(), None
        with contextlib.redirect_stdout(output):
            try:
                tap.sync_all()
            except TapError as raised:
                error = first_error(raised)
        directory_of(tap).client.transport.session.close()
        texts = [body.decode("utf-8-sig", "replace") for body in served]
        return Run(output.getvalue(), error, texts)


@pytest.fixture(scope="module")
def replay() -> Iterator[Replay]:
    with HTTPServer() as server:
        yield Replay(server)


@pytest.fixture(scope="module")
def every_answer(replay: Replay) -> dict[str, Answers]:
    with Sandbox(today=TODAY, token="t0ken") as sandbox:
        return {
            **{name: documented(name, replay.url) for name in DOCUMENTED_REPORTS},
            **{name: generated(name, replay.url, sandbox) for name in SANDBOX_REPORTS},
        }


# --- what may be written ---


class Raw(str):
    """A number as it is written."""

    __slots__ = ()


class Again(str):
    """A name that stands in an object once more."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return self is other


def read(text: str) -> Any:  # noqa: ANN401 - any JSON value
    return json.loads(text, parse_float=Raw, parse_int=Raw)


UNCLEAR = (LookupError, TypeError, AttributeError, ArithmeticError)


@dataclass
class Truth:
    """What the pages of a report say, in the words of its records."""

    report: dict[str, Any]
    keys: list[str]
    slices: list[tuple[str, str | None]]

    def claims(self, page: Any) -> Iterator[list[dict[str, Any]]]:  # noqa: ANN401
        """What each row says: nothing where that is not clear."""
        _, rows = self.rows(page)
        for row in rows:
            claims = []
            with contextlib.suppress(*UNCLEAR):
                claims = [
                    {
                        **self.texts(row),
                        "date": day,
                        **({"date_end": end} if end else {}),
                        **{
                            name: self.number(page, row, field, day)
                            for field, name in self.metrics.items()
                        },
                    }
                    for day, end in self.slices
                ]
            yield claims

    @property
    def metrics(self) -> dict[str, str]:
        fields = ["clicks", "spend", "calculated_metric:123"]
        return {f: f.replace(":", "_") for f in fields if f in self.report["fields"]}

    @property
    def is_series(self) -> bool:
        return self.report.get("aggregate_by") != "total"

    @property
    def is_v1(self) -> bool:
        return "provider" in self.report or self.report.get("api_version") == 1

    def rows(self, page: Any) -> tuple[str, list[Any]]:  # noqa: ANN401
        kind = "time_series" if self.is_series else "metrics"
        name = f"adstage:{kind}" if self.is_v1 else "results"
        found = page["_embedded"][name]
        return name, found if isinstance(found, list) else [found]

    def texts(self, row: Any) -> dict[str, Any]:  # noqa: ANN401
        summed = self.is_series and not self.is_v1
        meta = (row["summary"] if summed else row)["meta"]
        if "provider" in self.report:
            meta = {**row["data"], **{k: v for k, v in meta.items() if v is not None}}
        names = ["entity_id", "network", "currency_code", *self.report["fields"]]
        group = self.report.get("group_by")
        found = {
            name: text(meta.get(name))
            for name in names
            if name in {"entity_id", "network", "currency_code", "campaign_name"}
            if not group
        }
        for name in filter(None, [group, *self.report.get("dimensions", [])]):
            found[name] = text(meta.get(name))
            if found[name] is None:
                found[name] = "(none)"
        if "provider" in self.report:
            found["entity_id"] = found["entity_id"] or self.report["targets"][0]
        return found

    def number(self, page: Any, row: Any, field: str, day: str) -> Decimal | None:  # noqa: ANN401
        if self.is_v1:
            points = row["series"] if self.is_series else []
            on_day = [p for p in points if p["timeframe"]["start"][:10] == day]
            empty: dict[str, Any] = {"data": {}}
            point = next(iter(on_day), empty) if self.is_series else row
            return number(point["data"].get(field))
        holder = row["series"] if self.is_series else row
        parts = [holder.get(part) or {} for part in ("metrics", "calculated")]
        value = next((p[field] for p in parts if p.get(field) is not None), None)
        if self.is_series and value is not None:
            days = [timestamp[:10] for timestamp in page["time"]["timestamps"]]
            value = value[days.index(day)]
        return number(value)


def number(value: Any) -> Decimal | None:  # noqa: ANN401
    if value is None:
        return None
    if isinstance(value, Raw):
        return Decimal(value)
    raise TypeError(value)


class Anything:
    """A text that stands for a value that is none: which one is not told here."""

    def __init__(self, value: Any) -> None:  # noqa: ANN401
        self._value = repr(value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (str, Anything))

    def __hash__(self) -> int:
        return hash(self._value)


def text(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, list) and len(value) <= 1:
        value = value[0] if value else None
    if isinstance(value, Raw):
        return str(int(value)) if value.lstrip("-").isdecimal() else str(Decimal(value))
    if isinstance(value, str):
        return re.sub("[\0\ud800-\udfff]", "\ufffd", value)
    return None if value is None else Anything(value)


def check(run: Run, truth: Truth) -> None:
    """Hold a run against what its pages say."""
    schema, records = run.schema, run.records
    told, unclear = [], 0
    for page in run.pages:
        with contextlib.suppress(ValueError, RecursionError, *UNCLEAR):
            for claims in truth.claims(read(page)):
                told += claims
                unclear += not claims
    validator = Draft7Validator(schema["schema"])
    found = set()
    for record in records:
        assert not list(validator.iter_errors(with_floats(record)))
        assert all(record[key] is not None for key in schema["key_properties"])
        assert (record["date"], record.get("date_end")) in truth.slices
        assert any(said(claim, record) for claim in told)
        found.add(tuple(record[key] for key in schema["key_properties"]))
    assert len(found) == len(records), "a row was written twice"
    if run.error is None:
        assert not unclear, "a row was left out"
        rows = {tuple(claim[key] for key in truth.keys) for claim in told}
        assert len(found) == len(rows) * len(truth.slices)


def said(claim: dict[str, Any], record: dict[str, Any]) -> bool:
    return all(record[name] == value for name, value in claim.items())


def with_floats(record: Any) -> Any:  # noqa: ANN401
    return json.loads(json.dumps(record, default=float))


# --- answers, changed ---

HOSTILE: list[Any] = [
    *(
        None,
        True,
        False,
        "",
        "12.5",
        "(none)",
        "2019-05-02T00:00:00Z",
        "2030-01-01",
    ),
    *map(Raw, ("0", "-1", "7", "-0", "0.10", "1e-7", "1e30", f"{10**30}", "2019")),
    *map(Raw, ("NaN", "-Infinity", "1e400", "9" * 400, "1e-99999999999999999999")),
    *("a\0b", "\ud83d", "\ude00\ud83d", "😀", "x" * 300, "../%2e{+a}", "[", "é"),
    *(
        [],
        {},
        [None],
        ["a"],
        ["a", "b"],
        [Raw("1")],
        [Raw("1"), Raw("2"), Raw("3")],
    ),
    *({"a": {"b": [Raw("1")]}}, {"start": "2019-05-01", "end": 5}, [[]], [{}, {}]),
    *({"href": "/api/me"}, {"href": "http://[", "templated": True}, {"fields": {}}),
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:  # noqa: ANN401
    """Ways to all that a document holds."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in inner:
        yield (*path, key)
        if isinstance(item, (dict, list)):
            yield from places(item, (*path, key))


def at(document: Any, path: Sequence[Any]) -> Any:  # noqa: ANN401
    for key in path:
        document = document[key]
    return document


def shape(path: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple("*" if isinstance(key, int) else key for key in path)


def change(document: Any, other: Any, chance: random.Random) -> set[str]:  # noqa: ANN401
    """Change a document in one place, maybe to what another has; the place's names."""
    shapes = [*dict.fromkeys(map(shape, places(document)))]
    wanted = chance.choice(shapes)
    alike = [path for path in places(document) if shape(path) == wanted]
    path = chance.choice(alike)
    *above, key = path
    holder, found = at(document, above), at(document, path)
    ways = ["set", "set", "set", "leave out", "take from its like"]
    if isinstance(holder, list):
        ways += ["repeat", "turn round"]
    else:
        ways += ["give twice", "name otherwise", "add"]
    way = chance.choice(ways)
    value = copy.deepcopy(chance.choice(HOSTILE))
    if way == "set":
        holder[key] = value
    elif way == "leave out":
        del holder[key]
    elif way == "take from its like":
        like = [path for path in places(other) if shape(path) == wanted] or [()]
        value = copy.deepcopy(at(other, chance.choice(like)))
        holder[key] = value
    elif way == "repeat":
        holder.insert(chance.randint(0, len(holder)), copy.deepcopy(found))
    elif way == "turn round":
        holder.reverse()
    elif way == "give twice":
        holder[Again(key)] = chance.choice([found, value])
    elif way == "name otherwise":
        holder[f"{key}s"] = holder.pop(key)
    else:
        holder["unheard of"] = value
    inner = [each for each in (found, value) if isinstance(each, (dict, list))]
    below = {name for each in inner for way in places(each) for name in way}
    below |= {"unheard of"} if way == "add" else set()
    return {name for name in {*path, *below} if isinstance(name, str)}


def changed(
    pages: Sequence[str], chance: random.Random
) -> tuple[list[bytes], set[str]]:
    """The pages, of which one is changed in a few places, and the places' names."""
    bodies = [page.encode() for page in pages]
    number = chance.randint(0, len(pages) - 1)
    if chance.randint(0, 11) == 11:
        body = bodies[number]
        cut = chance.randint(0, len(body))
        otherwise = [
            b"\xef\xbb\xbf" + body,
            body[:cut],
            body.replace(b"a", b"\xff"),
            b"5",
        ]
        otherwise += [b"", b"null", b"[]", b"{}", b"<html>", b"[" * 9999, body + body]
        bodies[number] = chance.choice(otherwise)
        return bodies, set()
    document, other = read(pages[number]), read(chance.choice(pages))
    names: set[str] = set()
    for _ in range(chance.randint(1, 3)):
        names |= change(document, other, chance)
    bodies[number] = written(document).encode()
    return bodies, names


def written(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        members = (f"{json.dumps(str(key))}: {written(value[key])}" for key in value)
        return f"{{{', '.join(members)}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    return json.dumps(value)


@pytest.fixture(scope="module")
def truths(replay: Replay, every_answer: dict[str, Answers]) -> dict[str, Truth]:
    """The truth of the answers as they are."""
    found = {}
    for name, answers in every_answer.items():
        run = replay.run(answers, [page.encode() for page in answers.pages])
        assert run.error is None
        dates = run.schema["schema"]["properties"].keys() & {"date", "date_end"}
        keys = [key for key in run.schema["key_properties"] if key not in dates]
        slices = {(r["date"], r.get("date_end")) for r in run.records}
        found[name] = Truth(answers.report, keys, sorted(slices))
        check(run, found[name])
    return found


@pytest.mark.parametrize("name", [*DOCUMENTED_REPORTS, *SANDBOX_REPORTS])
@pytest.mark.parametrize("seed", range(40))
def test_an_answer_gives_right_records_or_an_error_that_says_where(
    replay: Replay,
    every_answer: dict[str, Answers],
    truths: dict[str, Truth],
    name: str,
    seed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(report_run, "_MOST_REREADS", 0)  # each page is served once
    answers = every_answer[name]
    pages, names = changed(answers.pages, random.Random(f"{name} {seed}"))  # noqa: S311 - the same in each run
    run = replay.run(answers, pages)
    check(run, truths[name])
    if run.error:
        said = str(run.error)
        assert re.match(r"r, (\S+)\.\.(\S+), page \d: ", said)
        assert re.search(r"http://\S+/(build_)?report", said)
        where = isinstance(run.error, (LinkError, InconsistentError)) or any(
            name in said for name in names
        )
        assert where or not names


# --- duplicate rows ---


def rows_twice(page: str, last: str, **changes: Any) -> list[bytes]:  # noqa: ANN401
    """A series' page, and a last one with the same row, changed."""
    again = read(last)
    (row,) = again["_embedded"]["results"] = read(page)["_embedded"]["results"]
    row["series"]["metrics"] |= changes
    return [page.encode(), written(again).encode()]


def test_a_row_on_two_pages_is_written_once_and_told(
    replay: Replay,
    every_answer: dict[str, Answers],
    caplog: pytest.LogCaptureFixture,
) -> None:
    answers = every_answer["v2_series"]
    page, last = (
        text.replace('"count": 3', '"count": 1').replace("50973.39", "3711.92")
        for text in answers.pages
    )
    run = replay.run(answers, rows_twice(page, last))
    assert run.error is None
    assert [record["clicks"] for record in run.records] == [178, 88]
    told = warnings(caplog)
    assert told == [
        (
            "r: duplicate row of network linkedin with the same values; such rows are "
            "written once"
        ),
        "r: skipped 2 duplicate records",
    ]


def test_a_row_on_two_pages_with_two_values_is_an_error_that_names_it(
    replay: Replay,
    every_answer: dict[str, Answers],
) -> None:
    answers = every_answer["v2_series"]
    pages = rows_twice(*answers.pages, clicks=[Raw("1"), Raw("2")])
    run = replay.run(answers, pages * 4)
    assert run.pages == [page.decode() for page in pages * 4]
    assert str(run.error) == (
        "r, 2019-05-01..2019-06-30, page 2: "
        f"POST {replay.url}/api/v2/organizations/40/report: "
        "duplicate row of network linkedin with different values, also in 3 more "
        "readings of the window; run again later"
    )
    states = [m["value"] for m in run.messages if m["type"] == "STATE"]
    assert "replication_key_value" not in json.dumps(states)


# --- the far end ---


def load(output: str, postgres: Postgres, config: Path) -> None:
    """Let the real target-postgres load what a run wrote."""
    settings = {
        "host": postgres.host,
        "port": postgres.port,
        "user": postgres.user,
        "password": postgres.password,
        "database": postgres.database,
        "default_target_schema": "adstage",
    }
    config.write_text(json.dumps(settings))
    target = Path(sysconfig.get_path("scripts")) / "target-postgres"
    subprocess.run(  # noqa: S603 - target-postgres itself
        [str(target), "--config", str(config)],
        input=output,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )


def test_numbers_and_texts_arrive_in_postgres_as_they_were_written(
    replay: Replay,
    every_answer: dict[str, Answers],
    tmp_path: Path,
) -> None:
    answers = every_answer["v2_series"]
    page, last = answers.pages
    document = read(page)
    (row,) = document["_embedded"]["results"]
    row["summary"]["meta"]["network"] = "a\0b \ud83d 😀"
    row["series"] = {
        "metrics": {
            "clicks": [Raw("1000000000000000000000000000000"), Raw("1e30")],
            "spend": [Raw("0.1"), Raw("1e-7")],
        },
        "calculated": {
            "calculated_metric:123": [
                Raw("123456789012345678901234567890.12"),
                Raw("-1E-300"),
            ]
        },
    }
    run = replay.run(answers, [written(document).encode(), last.encode()])
    assert run.error is None
    with Postgres() as postgres:
        load(run.output, postgres, tmp_path / "target.json")
        with psycopg.connect(postgres.dsn) as connection:
            rows = connection.execute(
                "select network, clicks, spend, calculated_metric_123 from adstage.r "
                "order by date"
            ).fetchall()
    assert rows == [
        (
            "a\ufffdb \ufffd 😀",
            10**30,
            Decimal("0.1"),
            Decimal(f"{'1234567890' * 3}.12"),
        ),
        ("a\ufffdb \ufffd 😀", 10**30, Decimal("1e-7"), Decimal("-1e-300")),
    ]
