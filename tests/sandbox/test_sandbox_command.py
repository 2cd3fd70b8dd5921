"""The command `tap-adstage-sandbox`, as a shell or a script uses it."""

from __future__ import annotations

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
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import requests
from click.testing import CliRunner
from harness.listener import refuses_connections

from tap_adstage.sandbox.cli.command import main

if TYPE_CHECKING:
    from collections.abc import Iterator

COMMAND = [sys.executable, "-m", "tap_adstage.sandbox"]
SHOW_SETTINGS = """
import json, os
names = ("TAP_ADSTAGE_", "TARGET_POSTGRES_")
print(json.dumps({k: v for k, v in os.environ.items() if k.startswith(names)}))
"""
# Prints what the set-up test of each config file prints.
TEST_CONFIGS = """
for config; do
  echo "$config: $(%s -m tap_adstage --config=ENV --config "$config" --test 2>&1)"
done
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


def test_rotates_the_refresh_token_of_its_own_application() -> None:
    form = {
        "grant_type": "refresh_token",
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
        "refresh_token": "sandbox-refresh",
    }
    with started("--port", "0") as process:
        api = line_of(process).removeprefix("AdStage sandbox listening on ")
        url = f"{api.removesuffix('/api')}/oauth/token"
        other = requests.post(url, {**form, "client_id": "mine"}, timeout=10)
        first, again = (requests.post(url, form, timeout=10) for _ in range(2))
    assert first.json()["refresh_token"] != form["refresh_token"]
    assert (other.ok, again.ok) == (False, False)


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
def test_a_command_s_runs_read_the_chosen_source(
    arguments: tuple[str, ...], source: str | None
) -> None:
    result = sandbox(
        *arguments,
        *(sys.executable, "-c", SHOW_SETTINGS),
        TAP_ADSTAGE_SOURCE="the user's own",
    )
    settings = settings_of(result)
    assert settings.get("TAP_ADSTAGE_SOURCE") == source


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


def test_every_config_file_reads_the_sandbox_of_its_source(tmp_path: Path) -> None:
    oauth = {
        "client_id": "a real one",
        "client_secret": "a real secret",
        "refresh_token": "a real token",
        "oauth_token_file": str(tmp_path / "token.json"),
    }
    configs = {
        "right": {"access_token": "t"},
        "wrong": {"access_token": "another"},
        "none": {},
        "oauth": oauth,
        "spotify": {"source": "spotify_ads", **oauth},
        "spotify-wrong": {"source": "spotify_ads", "access_token": "another"},
    }
    for name, config in configs.items():
        text = json.dumps({"reports": [], "user_agent": name} | config)
        (tmp_path / name).write_text(text)
    files = (str(tmp_path / name) for name in configs)
    arguments = ("--as-of", "2024-06-15", "--token", "t", "run", "bash", "-c")
    script = TEST_CONFIGS % shlex.quote(sys.executable)
    own = {"TAP_ADSTAGE_ACCESS_TOKEN": "a real one", "TAP_ADSTAGE_API_URL": "http://no"}
    result = sandbox(*arguments, script, "bash", *files, **own)
    outputs = re.split(rf"^{tmp_path}/(.+?): ", result.stdout, flags=re.MULTILINE)[1:]
    printed = dict(zip(outputs[::2], outputs[1::2], strict=True))
    assert printed.keys() == configs.keys()
    for name, path in (("right", "/api"), ("oauth", "/api"), ("spotify", "/ads/v3")):
        assert "steps passed" in printed[name], printed[name]
        assert "FAILED" not in printed[name], printed[name]
        message = (
            rf"sandbox: reading generated data from http://127\.0\.0\.1:\d+{path}$"
        )
        assert re.search(message, printed[name], re.MULTILINE)
    assert "with its own token, as none is set" in printed["none"]
    assert "4 of 4 steps passed" in printed["none"]
    assert "look at the setting access_token" in printed["wrong"]
    assert "look at the setting access_token" in printed["spotify-wrong"]
    assert "unknown setting" not in result.stdout
    assert not (tmp_path / "token.json").exists()


def test_without_a_token_of_its_own_the_sandbox_accepts_any(tmp_path: Path) -> None:
    (tmp_path / "own").write_text('{"reports": [], "access_token": "a-real-one"}')
    script = TEST_CONFIGS % shlex.quote(sys.executable)
    result = sandbox("run", "bash", "-c", script, "bash", str(tmp_path / "own"))
    assert "4 of 4 steps passed" in result.stdout


def test_a_command_gets_the_sandboxs_day() -> None:
    arguments = ("--as-of", "2024-06-15", "run", sys.executable, "-c", SHOW_SETTINGS)
    settings = settings_of(sandbox(*arguments, TAP_ADSTAGE_AS_OF="2026-01-01"))
    assert settings.keys() == {"TAP_ADSTAGE_SANDBOXES"}
    sandboxes = json.loads(settings["TAP_ADSTAGE_SANDBOXES"])
    assert {each["as_of"] for each in sandboxes.values()} == {"2024-06-15"}


def test_a_command_gets_the_chosen_port() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    arguments = ("--port", port, "run", sys.executable, "-c", SHOW_SETTINGS)
    sandboxes = json.loads(settings_of(sandbox(*arguments))["TAP_ADSTAGE_SANDBOXES"])
    url = sandboxes["adstage"]["api_url"]
    assert url == f"http://127.0.0.1:{port}/api"
    other = urlsplit(sandboxes["spotify_ads"]["api_url"])
    assert other.port != int(port)
    assert refuses_connections(int(port))
    assert refuses_connections(other.port)


def test_other_variables_reach_the_command() -> None:
    arguments = ("run", sys.executable, "-c", SHOW_SETTINGS)
    settings = settings_of(sandbox(*arguments, TAP_ADSTAGE_LOOKBACK_DAYS="7"))
    assert settings["TAP_ADSTAGE_LOOKBACK_DAYS"] == "7"


def test_a_real_account_s_credentials_do_not_reach_the_command() -> None:
    arguments = ("run", sys.executable, "-c", SHOW_SETTINGS)
    secret = {
        "TAP_ADSTAGE_CLIENT_SECRET": "s3cret",
        "TAP_ADSTAGE_ACCESS_TOKEN": "s3cret",
    }
    assert "s3cret" not in str(settings_of(sandbox(*arguments, **secret)))


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
