"""The command `tap-adstage-sandbox`, as a shell or a script uses it."""

from __future__ import annotations

import datetime as dt
import json
import os
import pty
import re
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests
from click.testing import CliRunner
from harness.listener import refuses_connections

from tap_adstage.sandbox.cli import demo, demo_results
from tap_adstage.sandbox.cli.command import main
from tap_adstage.sandbox.cli.demo_reports import ReportRequests
from tap_adstage.sandbox.server import Sandbox
from tap_adstage.sandbox.service.request_log import ReceivedRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

COMMAND = [sys.executable, "-m", "tap_adstage.sandbox"]
SHOW_SETTINGS = """
import json, os
names = ("TAP_ADSTAGE_", "TARGET_POSTGRES_")
print(json.dumps({k: v for k, v in os.environ.items() if k.startswith(names)}))
"""
ASK_SANDBOX = """
import os, urllib.request
token = os.environ["TAP_ADSTAGE_ACCESS_TOKEN"]
request = urllib.request.Request(
    os.environ["TAP_ADSTAGE_API_URL"] + "/me",
    headers={"Authorization": f"Bearer {token}"},
)
print(urllib.request.urlopen(request).status)
"""
ASK_POSTGRES = """
import os, psycopg
keys = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD"}
target = {key: os.environ["TARGET_POSTGRES_" + name] for key, name in keys.items()}
target["dbname"] = os.environ["TARGET_POSTGRES_DATABASE"]
with psycopg.connect(**target) as connection:
    print(connection.execute("SHOW port").fetchone()[0])
"""
# Exits with 50 + N on signal N, once it has printed that it is ready.
TRAP = """
import os, signal
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, lambda number, frame: os._exit(50 + number))
print("ready", flush=True)
while True:
    signal.pause()
"""
SLEEP = "import signal; print('ready', flush=True); signal.pause()"


def environment(**settings: str) -> dict[str, str]:
    """This process's environment without a developer's own settings."""
    names = [name for name in os.environ if name.startswith(("TAP_", "TARGET_"))]
    return {k: v for k, v in os.environ.items() if k not in names} | settings


def sandbox(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603
        [*COMMAND, *arguments],
        env=environment(**settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@contextmanager
def started(*arguments: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """A running sandbox command, without a terminal, like a service."""
    with subprocess.Popen(  # noqa: S603
        [*COMMAND, *arguments],
        env=environment(**settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def settings_of(result: subprocess.CompletedProcess[str]) -> dict[str, str]:
    assert result.returncode == 0, result.stderr
    return dict(json.loads(result.stdout))


# Serving


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serves_until_it_is_stopped(number: signal.Signals) -> None:
    with started("--port", "0", "--token", "a secret") as process:
        url = line_of(process).removeprefix("AdStage sandbox listening on ")
        headers = {"Authorization": "Bearer a secret"}
        assert requests.get(f"{url}/me", headers=headers, timeout=10).ok
        assert requests.get(f"{url}/me", timeout=10).status_code == 401
        process.send_signal(number)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (0, "AdStage sandbox stopped\n")
    assert refuses_connections(urlsplit(url).port)


def test_prints_settings_for_a_shell() -> None:
    options = ("--port", "0", "--token", "it's", "--as-of", "2024-06-15")
    with started(*options) as process:
        url = line_of(process).removeprefix("AdStage sandbox listening on ")
        lines = [shlex.split(line_of(process)) for _ in range(3)]
        live = [line_of(process) for _ in range(2)]
    assert re.match(
        r"# a live account of gemini: /network/gemini/account/\d+$", live[0]
    )
    assert "google_analytics: /network/google_analytics/account/" in live[1]
    assert lines == [
        ["export", f"TAP_ADSTAGE_API_URL={url}"],
        ["export", "TAP_ADSTAGE_ACCESS_TOKEN=it's"],
        ["export", "TAP_ADSTAGE_AS_OF=2024-06-15"],
    ]


def test_serves_spotify_s_api() -> None:
    options = ("--source", "spotify_ads", "--port", "0", "--as-of", "2024-06-15")
    with started(*options) as process:
        url = line_of(process).removeprefix("Spotify Ads sandbox listening on ")
        lines = [shlex.split(line_of(process)) for _ in range(5)]
        hints = [line_of(process) for _ in range(4)]
        headers = {"Authorization": "Bearer sandbox-token"}
        assert requests.get(f"{url}/businesses", headers=headers, timeout=10).ok
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    origin = url.removesuffix("/ads/v3")
    assert errors == "Spotify Ads sandbox stopped\n"
    assert lines == [
        ["export", f"TAP_ADSTAGE_API_URL={url}"],
        ["export", "TAP_ADSTAGE_ACCESS_TOKEN=sandbox-token"],
        ["export", "TAP_ADSTAGE_SOURCE=spotify_ads"],
        ["export", f"TAP_ADSTAGE_OAUTH_TOKEN_URL={origin}/api/token"],
        ["export", "TAP_ADSTAGE_AS_OF=2024-06-15"],
    ]
    assert hints[:3] == [
        f"# oauth_token_url {origin}/api/token",
        "# client_id sandbox-client, client_secret sandbox-secret",
        "# refresh_token sandbox-refresh",
    ]
    assert hints[3].startswith("# ad account ")


@pytest.mark.parametrize(
    ("arguments", "source"),
    [
        (("run", "--source", "spotify_ads"), "spotify_ads"),
        (("--source", "spotify_ads", "run"), "spotify_ads"),
        (("run",), None),
    ],
)
def test_a_command_runs_on_the_source_s_sandbox(
    arguments: tuple[str, ...], source: str | None
) -> None:
    result = sandbox(
        *arguments,
        *(sys.executable, "-c", SHOW_SETTINGS),
        TAP_ADSTAGE_SOURCE="the user's own",
    )
    settings = settings_of(result)
    assert settings.get("TAP_ADSTAGE_SOURCE") == source
    path = "/api" if source is None else "/ads/v3"
    assert urlsplit(settings["TAP_ADSTAGE_API_URL"]).path == path


def test_real_credentials_for_spotify_stay_in_the_sandbox(tmp_path: Path) -> None:
    config = {
        "source": "spotify_ads",
        "client_id": "a real one",
        "client_secret": "a real secret",
        "refresh_token": "a real token",
        "oauth_token_file": str(tmp_path / "token.json"),
        "reports": [],
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    tap = (sys.executable, "-m", "tap_adstage", "--config=ENV")
    result = sandbox(
        *("--as-of", "2024-06-15", "run", "--source", "spotify_ads", *tap),
        *("--config", str(tmp_path / "config.json"), "--test"),
    )
    assert result.returncode == 0, result.stderr
    assert not (tmp_path / "token.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--v1-links", "token", "run", "--source", "spotify_ads", "true"),
            "--v1-links is not for --source spotify_ads",
        ),
        (
            ("--rate-limited", "run", "true"),
            "--rate-limited is not for --source adstage",
        ),
        (("--source", "spotify", "run", "true"), "Invalid value for '--source'"),
    ],
)
def test_an_option_of_another_source_is_refused(
    arguments: tuple[str, ...], message: str
) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert message in result.output


def test_options_change_the_reports() -> None:
    options = ("--v1-links", "token", "--v1-follow", "post", "--drop-rows", "2")
    with started("--port", "0", "--token", "t", *options) as process:
        url = line_of(process).removeprefix("AdStage sandbox listening on ")
        headers = {"Authorization": "Bearer t"}
        report = requests.post(
            f"{url}/organizations/40/build_report",
            json={"entity_level": "campaigns", "date_range": "yesterday"},
            headers=headers,
            timeout=10,
        ).json()
        link = report["_links"]["next_page"]["href"]
        assert requests.get(link, headers=headers, timeout=10).status_code == 405
    assert report["counts"]["page"] - 2 == len(report["_embedded"]["adstage:metrics"])


def test_a_taken_port_is_one_clear_line() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        result = sandbox("--port", port)
    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert f"Port {port} is not free" in line
    assert "--port" in line.partition(":")[2]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--as-of", "yesterday"], "'yesterday' does not match"),
        (["--fault-rate", "2"], "2.0 is not in the range 0<=x<=1"),
        (["--rate-limit", "0"], "is not in the range x>0"),
        (["--port", "70000"], "70000 is not in the range 0<=x<=65535"),
        (["--v1-links", "cursor"], "'cursor' is not one of 'offset', 'token'"),
        (["--v1-follow", "put"], "'put' is not one of 'get', 'post'"),
        (["--drop-rows", "-1"], "-1 is not in the range x>=0"),
        (["--fault", "418"], "'418' is not one of '500', '502'"),
        (["--fault", "slow", "--fault-rate", "1"], "slow failures need slow seconds"),
        (["--slow", "-1"], "-1.0 is not in the range x>=0"),
        (["--max-report-days", "0"], "0 is not in the range x>=1"),
        (["--size-fault", "500"], "'500' is not one of '413', '504', 'timeout'"),
        (["serve"], "No such command 'serve'"),
        (["run"], "Missing argument 'COMMAND...'"),
        (["run", "--postgres"], "Missing argument 'COMMAND...'"),
    ],
)
def test_a_wrong_command_line_is_an_error_that_names_it(
    arguments: list[str], complaint: str
) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 2
    assert complaint in result.output
    assert "Usage:" in result.output


# Running a command


def test_a_command_gets_the_settings_of_a_running_sandbox() -> None:
    result = sandbox("--token", "t", "run", sys.executable, "-c", SHOW_SETTINGS)
    settings = settings_of(result)
    assert settings["TAP_ADSTAGE_ACCESS_TOKEN"] == "t"
    assert settings.keys() == {"TAP_ADSTAGE_ACCESS_TOKEN", "TAP_ADSTAGE_API_URL"}
    assert refuses_connections(urlsplit(settings["TAP_ADSTAGE_API_URL"]).port)
    assert sandbox("run", sys.executable, "-c", ASK_SANDBOX).stdout == "200\n"


def test_a_command_gets_the_sandboxs_day() -> None:
    arguments = ("--as-of", "2024-06-15", "run", sys.executable, "-c", SHOW_SETTINGS)
    assert settings_of(sandbox(*arguments))["TAP_ADSTAGE_AS_OF"] == "2024-06-15"


def test_a_command_gets_the_chosen_port() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    arguments = ("--port", port, "run", sys.executable, "-c", SHOW_SETTINGS)
    settings = settings_of(sandbox(*arguments))
    assert settings["TAP_ADSTAGE_API_URL"] == f"http://127.0.0.1:{port}/api"


def test_other_variables_reach_the_command() -> None:
    arguments = ("run", sys.executable, "-c", SHOW_SETTINGS)
    settings = settings_of(sandbox(*arguments, TAP_ADSTAGE_LOOKBACK_DAYS="7"))
    assert settings["TAP_ADSTAGE_LOOKBACK_DAYS"] == "7"


def test_a_real_account_s_credentials_do_not_reach_the_command() -> None:
    arguments = ("run", sys.executable, "-c", SHOW_SETTINGS)
    settings = settings_of(sandbox(*arguments, TAP_ADSTAGE_CLIENT_SECRET="s3cret"))
    assert "TAP_ADSTAGE_CLIENT_SECRET" not in settings


def test_meltano_keeps_its_state_for_as_long_as_the_command_runs() -> None:
    show = (
        "import os; print(os.environ['MELTANO_STATE_BACKEND_URI']);"
        "print(os.path.dirname(os.environ['MELTANO_DATABASE_URI'][len('sqlite:///'):]))"
    )
    own = {"MELTANO_STATE_BACKEND_URI": "s3://bucket/state"}
    backend, folder = sandbox("run", sys.executable, "-c", show, **own).stdout.split()
    assert backend == "systemdb"
    assert folder.startswith(tempfile.gettempdir())
    assert not Path(folder).exists()


def test_the_commands_own_options_stay_its_own() -> None:
    own = ["--postgres", "--port", "1", "-x", "--", "--help"]
    show = "import sys; print(sys.argv[1:])"
    for run in (["run"], ["run", "--"]):
        result = sandbox(*run, sys.executable, "-c", show, *own)
        assert (result.returncode, result.stdout) == (0, f"{own}\n")


def test_a_command_can_load_into_postgres() -> None:
    result = sandbox("run", "--postgres", sys.executable, "-c", ASK_POSTGRES)
    assert result.returncode == 0, result.stderr
    assert refuses_connections(int(result.stdout))


def test_a_command_does_not_load_into_another_database() -> None:
    arguments = ("run", "--postgres", sys.executable, "-c", SHOW_SETTINGS)
    settings = settings_of(
        sandbox(
            *arguments,
            TARGET_POSTGRES_HOST="warehouse.example",
            TARGET_POSTGRES_SQLALCHEMY_URL="postgresql://warehouse.example/db",
            TARGET_POSTGRES_SSL_ENABLE="true",
            TARGET_POSTGRES_USE_COPY="true",
        )
    )
    assert settings["TARGET_POSTGRES_HOST"] == "127.0.0.1"
    assert settings["TARGET_POSTGRES_USE_COPY"] == "true"
    assert "TARGET_POSTGRES_SQLALCHEMY_URL" not in settings
    assert "TARGET_POSTGRES_SSL_ENABLE" not in settings


@pytest.mark.parametrize(
    ("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -KILL $$", 137)]
)
def test_exits_as_the_command_does(script: str, code: int) -> None:
    assert sandbox("run", "sh", "-c", script).returncode == code


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_forwards_signals_to_the_command(number: signal.Signals) -> None:
    with started("run", sys.executable, "-c", TRAP) as process:
        assert line_of(process) == "ready"
        process.send_signal(number)
        assert process.wait(30) == 50 + number


def test_leaves_nothing_behind_when_it_is_stopped(open_directory: Path) -> None:
    arguments = ("run", "--postgres", sys.executable, "-c", SLEEP)
    with started(*arguments, TMPDIR=str(open_directory)) as process:
        assert line_of(process) == "ready"
        assert list(open_directory.iterdir())
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 128 + signal.SIGTERM
    assert list(open_directory.iterdir()) == []


def test_a_command_that_is_not_there_is_one_clear_line() -> None:
    result = sandbox("run", "no-such-command", "--force")
    assert result.returncode == 127
    assert result.stderr == "Error: command not found: no-such-command\n"


def test_a_command_that_cannot_run_is_one_clear_line(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("exit 0")
    result = sandbox("run", str(script))
    assert result.returncode == 126
    assert result.stderr == f"Error: cannot run {script}: Permission denied\n"


def test_ctrl_c_at_a_terminal_is_not_sent_twice() -> None:
    ask = (
        "import signal; from tap_adstage.sandbox.cli.signals import is_from_terminal;"
        "print([is_from_terminal(n) for n in (signal.SIGINT, signal.SIGTERM)])"
    )
    ours, theirs = pty.openpty()
    try:
        # The first terminal that the leader of a session opens controls it.
        shell = 'exec "$@" <"$0"'
        answers = [
            subprocess.run(  # noqa: S603
                [*prefix, sys.executable, "-c", ask],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=True,
                start_new_session=True,
                timeout=60,
            ).stdout
            for prefix in ([], ["/bin/sh", "-c", shell, os.ttyname(theirs)])
        ]
    finally:
        os.close(ours)
        os.close(theirs)
    assert answers == ["[False, False]\n", "[True, False]\n"]


# The demo


class Meltano:
    """Records its calls instead of running."""

    def __init__(self, code: int = 0) -> None:
        self.code = code
        self.calls: list[tuple[Sequence[str], Mapping[str, str]]] = []

    def __call__(
        self, command: Sequence[str], environment: Mapping[str, str], _stdout: int
    ) -> int:
        self.calls.append((command, environment))
        return self.code


def demo_with(meltano: Meltano, home: Path) -> demo.Demo:
    settings = {"TAP_ADSTAGE_API_URL": "http://127.0.0.1:1/api"}
    sandbox = Sandbox(today=dt.date(2024, 6, 15))
    reports = demo.REPORTS["adstage"]
    stage = demo.Stage(sandbox, reports, "postgresql://", settings)
    return demo.Demo(stage, meltano, home)


def test_the_demo_keeps_out_of_the_users_own_runs(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TAP_ADSTAGE_REFRESH_TOKEN", "the user's own")
    monkeypatch.setenv("TARGET_POSTGRES_SQLALCHEMY_URL", "postgresql://warehouse")
    monkeypatch.setenv("MELTANO_DATABASE_URI", "sqlite:////the/users/own.db")
    meltano = Meltano()
    demo_with(meltano, tmp_path).install()
    ((command, settings),) = meltano.calls
    assert command[-3:] == ["install", "tap-adstage", "target-postgres"]
    assert (tmp_path / "empty.env").read_text() == ""
    assert f"--env-file={tmp_path / 'empty.env'}" in command
    assert settings["MELTANO_DATABASE_URI"] == f"sqlite:///{tmp_path}/meltano.db"
    assert settings["TAP_ADSTAGE_API_URL"] == "http://127.0.0.1:1/api"
    assert settings["TAP_ADSTAGE_AS_OF"] == "2024-06-15"
    assert "TAP_ADSTAGE_REFRESH_TOKEN" not in settings
    assert "TARGET_POSTGRES_SQLALCHEMY_URL" not in settings
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("capfd")
def test_the_demo_stops_if_meltano_fails(tmp_path: Path) -> None:
    failing = demo_with(Meltano(code=3), tmp_path)
    with pytest.raises(demo.DemoError, match=r"`meltano install .*` ended with 3"):
        failing.install()


def test_the_demo_reports_that_meltano_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(demo.DemoError, match="pip install meltano"):
        demo.find_meltano()


def test_the_demo_reports_that_it_needs_a_clone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo, "__file__", str(tmp_path / "a/b/c/d/demo.py"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(demo.DemoError, match="run it in a clone"):
        demo.find_project()


def test_a_missing_library_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("tap_adstage.sandbox.cli.demo")
    monkeypatch.delitem(sys.modules, "tap_adstage.sandbox.cli.demo")
    monkeypatch.setitem(sys.modules, "psycopg", None)
    result = CliRunner().invoke(main, ["demo"])
    assert result.exit_code == 1
    assert result.output == "Error: This needs psycopg; install tap-adstage[demo]\n"


def test_the_demo_loads_days_that_a_lookback_fetches_again() -> None:
    settings = demo.REPORTS["adstage"].tap_settings(dt.date(2024, 6, 15))
    assert settings["TAP_ADSTAGE_START_DATE"] == "2024-04-16"
    assert settings["TAP_ADSTAGE_LOOKBACK_DAYS"] == "14"
    levels = [
        report["entity_level"] for report in json.loads(settings["TAP_ADSTAGE_REPORTS"])
    ]
    assert levels == ["accounts", "campaigns", "ad_groups"]


def report_request(level: str, date_range: str) -> ReceivedRequest:
    body = {"date_range": date_range, "sources": {"metrics": {"entity_level": level}}}
    path = "/api/v2/organizations/40/report"
    return ReceivedRequest("POST", path, {}, body, 200)


def test_report_requests_are_counted_by_report() -> None:
    counted = demo.REPORTS["adstage"].count(
        [
            ReceivedRequest("GET", "/api/me", {}, None, 200),
            report_request("campaigns", "2024-05-11..2024-05-20"),
            report_request("campaigns", "2024-05-01..2024-05-10"),
            report_request("accounts", "2024-05-21..2024-05-30"),
        ]
    )
    assert counted == {
        "campaign_performance": ReportRequests(2, "2024-05-01"),
        "account_performance": ReportRequests(1, "2024-05-21"),
    }


def test_report_requests_of_spotify_are_counted_without_what_else_is_read() -> None:
    path = "/ads/v3/ad_accounts/1/aggregate_reports"
    first = {"entity_type": "AD_SET", "report_start": "2024-05-01T00:00:00Z"}
    fields = (("fields", "CLICKS"), ("fields", "REACH"))
    counted = demo.REPORTS["spotify_ads"].count(
        [
            ReceivedRequest("GET", "/ads/v3/businesses", {}, None, 200),
            ReceivedRequest("GET", path, first, None, 200, parameters=fields),
            ReceivedRequest("GET", path, first, None, 200, parameters=fields[:1]),
            ReceivedRequest("GET", path, {"continuation_token": "x"}, None, 200),
        ]
    )
    assert counted == {"ad_set_performance": ReportRequests(1, "2024-05-01")}


def test_bookmarks_are_read_from_meltanos_state() -> None:
    bookmark = {"replication_key": "date", "replication_key_value": "2024-06-14"}
    streams = {"campaign_performance": bookmark, "folders": {}}
    state = {"singer_state": {"bookmarks": streams}}
    names = ("campaign_performance", "ad_performance")
    assert demo.read_bookmarks(state, names) == {"campaign_performance": "2024-06-14"}
    assert demo.read_bookmarks({}, names) == {}


def test_late_conversions_are_described_in_one_line() -> None:
    first, second = (
        demo_results.Run(dt.date(2024, 6, day), 1.0, {}, {}, {}, Decimal(conversions))
        for day, conversions in ((15, "1000.0"), (18, "1200.5"))
    )
    assert demo_results.describe_late_conversions(first, second) == (
        "Conversions of 2024-06-01..2024-06-14: 1,000 as of 2024-06-15, "
        "1,200 as of 2024-06-18: 200 came late and were picked up."
    )
