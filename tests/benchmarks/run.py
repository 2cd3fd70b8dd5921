"""Measure the tap against others that read the same, and print a Markdown table.

    uv run python tests/benchmarks/run.py

All that is measured is whole processes, from start to end, side by side on one machine:
each contestant runs once to warm up, then all run in turn as often as `--pairs` says,
every other time in the opposite order. A figure is a ratio of two medians; beside each
median stand the least and the most, and beside each ratio those of the single pairs.
What a contestant writes goes through a pipe and `cat` to a file. CPU time and memory
are those of the contestant's process alone. Every run's records are counted, and the
records of all contestants compared by value: a wrong run ends the benchmark.

The report has 2,000 campaigns, 240 days and ten metrics, in eight windows of 30 days
and two pages each: 480,000 records. A `total` report has 480,000 entities, on pages of
1,000. The API is the sandbox's, in a process of its own that makes every answer once
and then gives it from memory, at next to no cost.

The contestants:

- the tap, with its defaults, the report alone selected in the catalog;
- a plain tap, `plain_tap.py`: the same report by the SDK's cookiecutter template;
- a bare loop, `bare_loop.py`: the same lines without the SDK, typed structs and one
  write a page, without retries, checks, state or catalog.

The figures:

1. Time and peak memory of the tap, beside the plain tap and the bare loop, for each
   style of pages (`--style`), without latency:

   - `rails`: compact, as Rails writes them;
   - `spaces`: spaces after `:` and `,`;
   - `exponents`: every series has a number such as `1.0e-05`;
   - `unknown-members`: each row and each series has a member that isn't documented;
   - `long-numbers`: every series has numbers of 17 and more digits. One pair without a
     goal: the tap must write them as the plain tap does, which reads decimals. The bare
     loop can't;
   - `total`, `v1`, `v1-total`: other reports in the first style, without a bare loop.

2. Time if every answer takes 250 ms, with the tap's default of requests at once and
   with 16, the latter also against the least that is possible: the same run without
   latency, and the latencies of those requests that must wait for each other. The tap's
   output must be the same, line by line, however many requests it makes at once.
3. Peak memory of the tap, and of the tap with ten times the windows.
4. `--version`, `--about` and `--discover` of the tap and of the plain tap, which has
   nothing to look up.
5. Rows a second through Meltano into Postgres, as `meltano.yml` is shipped and with
   the loader's own defaults in place of what it sets for the loader. The tables are
   compared in SQL. A run without any row shows what the start of Meltano costs.
6. BATCH messages (gzipped JSON lines) against records: the tap alone, and into Postgres
   through the loader as `meltano.yml` sets it, without Meltano.

With all figures this takes more than an hour, much of it the loader, whose runs are
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
from page_styles import STYLES
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
@click.option(
    "--style",
    "styles",
    type=click.Choice([*STYLES]),
    multiple=True,
    help="Style of figure 1, which is then the only one unless --only names others; "
    "may be given several times.  [default: all]",
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
    styles: Sequence[str],
) -> None:
    """Measure the tap against others that read the same, and print a table."""
    if entities <= page_size or entities * days % page_size:
        raise click.UsageError(
            "--entities must be more than --page-size, and with --days make whole pages"
        )
    rows = []
    with (
        PageServer(entities, total_entities=entities * days) as server,
        TemporaryDirectory(prefix="tap-adstage-benchmark-") as folder,
    ):
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
            styles=[name for name in STYLES if name in (styles or STYLES)],
            discovered=Path(folder, "discovered.json"),
            folder=Path(folder),
        )
        for number in sorted({*(numbers or ([1] if styles else FIGURES))}):
            measure = FIGURES[number]
            click.echo(f"{number}. {measure.__doc__}", err=True)
            with bench.in_new_folder() as placed:
                rows += measure(placed)
    click.echo(
        f"{entities:,} campaigns, {days} days, {len(METRICS)} metrics; "
        f"windows of {window_days} days, pages of "
        f"{page_size:,} campaigns; pairs: {pairs}, of the "
        f"loader's runs {load_pairs}. {machine()}.\n"
    )
    click.echo(markdown(rows))


if __name__ == "__main__":
    main()
