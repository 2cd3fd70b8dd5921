"""Measure the tap against others that read the same, and print a Markdown table.

    uv run python tests/benchmarks/run.py

All that is measured is whole processes, from start to end, side by side on one machine:
each contestant runs once to warm up, then all run in turn as often as `--pairs` says,
every other time in the opposite order. A figure is a ratio of two medians; beside each
median stand the least and the most, and beside each ratio those of the single pairs.
What a contestant writes goes through a pipe and `cat` to a file. CPU time and memory
are those of the contestant's process alone. Every run's records are counted, and the
records of all contestants compared by value: a run that is wrong ends the benchmark.

The report has 2,000 campaigns, 240 days and ten metrics, in eight windows of 30 days
and two pages each: 480,000 records. The API is the sandbox's, in a process of its own
that makes every answer once and then gives it from memory, at next to no cost.

The contestants:

- the tap, with its defaults, the report alone selected in the catalog;
- a plain tap, `plain_tap.py`: the same report by the SDK's cookiecutter template;
- a bare loop, `bare_loop.py`: the same lines without the SDK, typed structs and one
  write a page, without retries, checks, state or catalog.

The figures:

1. Wall and CPU time of the tap, the plain tap and the bare loop; no latency.
2. Wall time where every answer takes 250 ms, with the tap's default of requests at once
   and with 16, the latter also against the least that is possible: the same run without
   latency, and the latencies of those requests that must wait for each other. The tap's
   output has to be the same, line by line, however many requests it makes at once.
3. Peak memory of the tap, and of the tap with ten times the windows.
4. `--version`, `--about` and `--discover` of the tap and of the plain tap, which has
   nothing to look up.
5. Rows a second through Meltano into Postgres, as `meltano.yml` is shipped and with the
   loader's own defaults in place of what it says to the loader. The tables are compared
   in SQL. A run without any row shows what the start of Meltano costs.
6. BATCH messages (gzipped JSON lines) against records: the tap alone, and into Postgres
   through the loader as `meltano.yml` sets it, without Meltano.

With all figures this takes most of an hour, much of it the loader, whose runs are
repeated less often (`--load-pairs`).
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click
from asked import METRICS
from bench import Bench
from figures import FIGURES
from page_server import PageServer
from table import machine, markdown

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command()
@click.option("--entities", default=2000, show_default=True, help="A multiple of 4.")
@click.option("--days", default=240, show_default=True)
@click.option("--window-days", default=30, show_default=True)
@click.option("--page-size", default=1000, show_default=True)
@click.option("--latency", default=0.25, show_default=True, help="Seconds, figure 2.")
@click.option("--pairs", default=5, show_default=True, help="Runs that count.")
@click.option(
    "--load-pairs", default=3, show_default=True, help="Of the loader's runs."
)
@click.option("--warm-up/--no-warm-up", default=True, show_default=True)
@click.option(
    "--loads/--no-loads", default=True, show_default=True, help="Postgres too."
)
@click.option(
    "--only",
    "numbers",
    type=click.IntRange(min(FIGURES), max(FIGURES)),
    multiple=True,
    help="Number of a figure; may be given several times.  [default: all]",
)
def main(
    *,
    entities: int,
    days: int,
    window_days: int,
    page_size: int,
    latency: float,
    pairs: int,
    load_pairs: int,
    warm_up: bool,
    loads: bool,
    numbers: Sequence[int],
) -> None:
    """Measure the tap against others that read the same, and print a table."""
    rows = []
    with PageServer(entities) as server:
        bench = Bench(
            server=server,
            entities=entities,
            days=days,
            window_days=window_days,
            page_size=page_size,
            latency=latency,
            pairs=pairs,
            load_pairs=load_pairs,
            warm_up=warm_up,
            loads=loads,
        )
        for number in sorted({*(numbers or FIGURES)}):
            measure = FIGURES[number]
            click.echo(f"{number}. {measure.__doc__}", err=True)
            with TemporaryDirectory(prefix="tap-adstage-benchmark-") as folder:
                rows += measure(bench.within(Path(folder)))
    click.echo(
        f"{entities:,} campaigns, {days} days, {len(METRICS)} metrics; "
        f"windows of {window_days} days, pages of "
        f"{page_size:,} campaigns; pairs: {pairs}, of the "
        f"loader's runs {load_pairs}. {machine()}.\n"
    )
    click.echo(markdown(rows))


if __name__ == "__main__":
    main()
