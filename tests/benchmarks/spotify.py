"""Measure the tap as it reads Spotify's API, and print a Markdown table.

    uv run python tests/benchmarks/spotify.py

The report has 1,000 ads by day, in batches of 50 ads, windows of 30 days and pages of
50 rows, as the API has them. The API is the sandbox's, in a process of its own that
makes every answer once and then gives it from memory. What is measured, and how, is as
in `run.py`.

The styles (`--style`):

- `spotify`: no latency and no rate limit, neither the server's nor the tap's, against a
  plain tap by the SDK's cookiecutter template, which reads a batch after the other. On
  Linux the server has a core of its own, and each contestant has another one: otherwise
  the tap's threads and the server change cores all the time, which takes up to a third
  more time and makes it another one in each run (`--any-core` shows it);
- `spotify-limit`: answers take 250 ms, and the server counts 150 report requests and
  1,500 others in any 30 seconds, as they arrive, and refuses more. The tap is held
  against the least time that this limit allows for its requests, however fast they are.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click
from outputs import check_same_records, count_records
from runs import environment, run, side_by_side
from spotify_asked import FIELDS, LAST_DAY, NAME, TODAY, WINDOW_DAYS
from spotify_server import REPORTS, SECONDS, SpotifyServer
from table import Row, Sample, at_least, at_most, machine, markdown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runs import Contestant, Run

TAP = [sys.executable, "-m", "tap_adstage"]
UNLIMITED = [
    sys.executable,
    "-c",
    (
        "from tap_adstage.spotify_ads import conventions\n"
        "conventions.REPORTS = conventions.OTHERS = 10**4\n"
        "from tap_adstage.__main__ import main\n"
        "main()"
    ),
]
"""The tap without limits of its own, which no setting can lift."""

PLAIN = [sys.executable, "-m", "spotify_plain_tap"]
_MOST_MEMORY = 200


class Bench:
    """The report on a server, and what reads it."""

    def __init__(self, server: SpotifyServer, folder: Path, pairs: int) -> None:
        """Take the server, a folder for files, and how often contestants run."""
        self._server = server
        self._folder = folder
        self._pairs = pairs

    def unlimited(self, days: int) -> list[Row]:
        """The tap against a plain SDK tap, without latency and limits."""
        contestants = {
            "plain tap": self._reader("plain", [*PLAIN, *self._plain_config(days)]),
            "tap": self._reader("tap", [*UNLIMITED, *self._tap_config(days)]),
        }
        runs = side_by_side(contestants, self._pairs, warm_up=[*contestants])
        check_same_records([several[-1].stdout for several in runs.values()])
        rows = count_records(runs["tap"][-1].stdout)
        plain, tap = (_sample(name, each, "wall") for name, each in runs.items())
        plain_cpu, tap_cpu = (_sample(name, each, "cpu") for name, each in runs.items())
        size = _sample("tap", runs["tap"], "memory", "MB")
        what = f"Spotify, {rows:,} rows"
        faster = "{} times as fast as a plain SDK tap"
        cpu = "{} times the CPU time of a plain SDK tap"
        return [
            Row(7, what, faster, plain, tap, at_least(4.0)),
            Row(7, what, cpu, tap_cpu, plain_cpu),
            Row(
                7, what, "{} MB of memory at its peak", size, goal=at_most(_MOST_MEMORY)
            ),
        ]

    def limited(self, days: int, latency: float) -> list[Row]:
        """The tap against the least time that the rate limit allows."""
        requests: list[int] = []

        def counted() -> Run:
            ended = read()
            counts = self._server.prepare()
            if counts.get("refused"):
                raise click.ClickException(f"{counts['refused']} answers were 429")
            if counts["report"] <= REPORTS:
                raise click.ClickException("--limit-days: too few for the limit")
            requests.append(counts["report"])
            return ended

        config = self._tap_config(days)
        command = [*TAP, *config]
        self._reader("warm-up", [*UNLIMITED, *config])()  # the answers are made
        read = self._reader("limited", command, latency=latency, limited=True)
        runs = side_by_side({"tap": counted}, self._pairs, warm_up=[])
        tap = _sample("tap", runs["tap"], "wall")
        least = Sample(
            f"the limit, {requests[-1]} report requests",
            [(each - 1) // REPORTS * SECONDS for each in requests],
        )
        what = f"Spotify, {latency * 1000:.0f} ms an answer, limited"
        goal = at_most(1.1)
        return [Row(7, what, "{} times the least time of the limit", tap, least, goal)]

    def _reader(
        self,
        name: str,
        command: list[str],
        *,
        latency: float = 0,
        limited: bool = False,
    ) -> Contestant:
        """A contestant that writes the report to stdout."""
        folder = self._folder / name
        folder.mkdir(exist_ok=True)

        def read() -> Run:
            self._server.prepare(latency=latency, limited=limited)
            return run(command, folder)

        return read

    def _settings(self, days: int) -> dict[str, Any]:
        return {
            "api_url": self._server.api_url,
            "access_token": self._server.token,
            "start_date": str(LAST_DAY - dt.timedelta(days=days - 1)),
            "end_date": str(LAST_DAY),
        }

    def _plain_config(self, days: int) -> list[str]:
        return ["--config", self._written(f"plain-{days}", self._settings(days))]

    def _tap_config(self, days: int) -> list[str]:
        """The tap's options; its catalog selects the report alone."""
        report = {"name": NAME, "entity_level": "ads", "fields": [*FIELDS]}
        settings = {
            **self._settings(days),
            "source": "spotify_ads",
            "as_of": str(TODAY),
            "window_days": WINDOW_DAYS,
            "reports": [report],
        }
        config = ["--config", self._written(f"tap-{days}", settings)]
        self._server.prepare()
        discovered = subprocess.run(  # noqa: S603 - the tap
            [*TAP, *config, "--discover"],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
        ).stdout
        streams = json.loads(discovered)["streams"]
        report_alone = [each for each in streams if each["stream"] == NAME]
        catalog = self._written(f"catalog-{days}", {"streams": report_alone})
        return [*config, "--catalog", catalog]

    def _written(self, name: str, document: object) -> str:
        path = self._folder / f"{name}.json"
        path.write_text(json.dumps(document))
        return str(path)


def _sample(name: str, runs: Sequence[Run], attribute: str, unit: str = "s") -> Sample:
    return Sample(name, [getattr(each, attribute) for each in runs], unit)


@click.command()
@click.option(
    "--style",
    "styles",
    type=click.Choice(["spotify", "spotify-limit"]),
    multiple=True,
    help="May be given several times.  [default: both]",
)
@click.option("--days", default=240, show_default=True, help="Of `spotify`.")
@click.option(
    "--limit-days", default=120, show_default=True, help="Of `spotify-limit`."
)
@click.option("--latency", default=0.25, show_default=True, help="Of `spotify-limit`.")
@click.option("--pairs", default=3, show_default=True, help="Runs that count.")
@click.option("--any-core", is_flag=True, help="Leave it to the system who runs where.")
def main(
    *,
    any_core: bool,
    styles: Sequence[str],
    days: int,
    limit_days: int,
    latency: float,
    pairs: int,
) -> None:
    """Measure the tap as it reads Spotify's API, and print a table."""
    rows = []
    first, last = _first_and_last_core()
    with ExitStack() as started:
        folder = started.enter_context(TemporaryDirectory(prefix="tap-adstage-bench"))
        if not any_core:
            _stay_on(last)
        server = started.enter_context(SpotifyServer())
        if not any_core:
            _stay_on(first)
        bench = Bench(server, Path(folder), pairs)
        if not styles or "spotify" in styles:
            rows += bench.unlimited(days)
        if not styles or "spotify-limit" in styles:
            rows += bench.limited(limit_days, latency)
    click.echo(
        f"{days} days, with the limit {limit_days}; pairs: {pairs}. {machine()}.\n"
    )
    click.echo(markdown(rows))


def _first_and_last_core() -> tuple[int, int]:
    cores = os.sched_getaffinity(0) if sys.platform == "linux" else {0}
    return min(cores), max(cores)


def _stay_on(core: int) -> None:
    """Have this process, and those that it starts from now on, run on one core."""
    if sys.platform == "linux":
        os.sched_setaffinity(0, {core})


if __name__ == "__main__":
    main()
