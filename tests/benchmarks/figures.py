"""Six figures, each measured side by side in one run."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import click
from bench import PLAIN, TAP
from loading import load_with_and_without_batches, load_with_meltano
from outputs import check_same_lines, check_same_records
from page_styles import STYLES
from runs import run
from table import Row, Sample, at_least, at_most

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from bench import Bench
    from page_styles import Style
    from runs import Contestant, Run

_TEN_TIMES = 10
_MOST_MEMORY = 200
_FASTER = "{} times as fast as a plain SDK tap"


def styles(bench: Bench) -> list[Row]:
    """The tap against a plain SDK tap, and against the least that Python can do."""
    rows = []
    for name in bench.styles:
        with bench.in_style(name).in_new_folder() as placed:
            rows += _of_style(STYLES[name], placed)
    return rows


def _of_style(style: Style, bench: Bench) -> list[Row]:
    click.echo(f"  {style.what}", err=True)
    readers = {
        "plain tap": bench.reader("plain", bench.plain()),
        "tap": bench.reader("tap", bench.tap()),
    }
    if style.slower is not None:
        readers["bare loop"] = bench.reader("bare", bench.bare())
    # The plain tap takes so long that a median hardly shows whether it was warm.
    pairs = 1 if style.faster is None else None
    runs = bench.compete(readers, pairs, cold=["plain tap"])
    check_same_records(_last_outputs(runs.values()))
    wall, cpu = _samples(runs, "wall"), _samples(runs, "cpu")
    size = _samples(runs, "memory", "MB")
    rows = [
        Row(
            1,
            style.what,
            _FASTER,
            wall["plain tap"],
            wall["tap"],
            at_least(style.faster) if style.faster is not None else None,
        ),
        Row(
            1,
            style.what,
            "{} times the CPU time of a plain SDK tap",
            cpu["tap"],
            cpu["plain tap"],
        ),
    ]
    if style.slower is not None:
        result = "{} times the time of a bare loop"
        goal = at_most(style.slower)
        rows.append(Row(1, style.what, result, wall["tap"], wall["bare loop"], goal))
    most = at_most(_MOST_MEMORY) if style.faster is not None else None
    rows.append(
        Row(1, style.what, "{} MB of memory at its peak", size["tap"], goal=most)
    )
    return rows


def latency(bench: Bench) -> list[Row]:
    """Many requests at once, if each answer takes its time."""
    slow = bench.latency
    of_one, of_16 = (
        bench.tap(f"tap-{number}", max_concurrency=number) for number in (1, 16)
    )
    chains: list[int] = []

    def counted() -> Run:
        ended = at_once()
        requests = bench.server.prepare()
        chains.append(requests.count("GET") + bench.pages_a_window)
        return ended

    at_once = bench.reader("tap-16", of_16, latency=slow)
    runs = bench.compete(
        {
            "plain tap": bench.reader("plain", bench.plain(), latency=slow),
            "tap": bench.reader("tap", bench.tap(), latency=slow),
            "tap, 16 at once": counted,
            "tap, 16 at once, no latency": bench.reader("tap-16", of_16),
        },
    )
    one = bench.reader("tap-1", of_one)()
    of_tap = [ended for name, ended in runs.items() if name.startswith("tap")]
    check_same_lines([one.stdout, *_last_outputs(of_tap)])
    wall = _samples(runs, "wall")
    chain = max(chains)
    least = Sample(
        f"without latency, and {chain} requests one after the other",
        [each + chain * slow for each in wall["tap, 16 at once, no latency"].values],
    )
    what = f"{slow * 1000:.0f} ms an answer"
    at_16 = f"{what}, 16 requests at once"
    return [
        Row(2, what, _FASTER, wall["plain tap"], wall["tap"], at_least(3.5)),
        Row(2, at_16, _FASTER, wall["plain tap"], wall["tap, 16 at once"]),
        Row(2, at_16, "{} times the least possible", wall["tap, 16 at once"], least),
    ]


def memory(bench: Bench) -> list[Row]:
    """The tap's largest size, and whether it grows with the report."""
    long = bench.over(bench.days * _TEN_TIMES)
    runs = bench.compete(
        {
            "tap": bench.reader("tap", bench.tap()),
            "tap, ten times the windows": long.reader("tap", long.tap()),
        },
    )
    size = _samples(runs, "memory", "MB")
    ten_times = size["tap, ten times the windows"]
    what = "peak memory"
    return [
        Row(3, what, "{} MB", size["tap"], goal=at_most(_MOST_MEMORY)),
        Row(
            3,
            what,
            "{} times as much for ten times the windows",
            ten_times,
            size["tap"],
            at_most(1.1),
        ),
    ]


def start_up(bench: Bench) -> list[Row]:
    """What doesn't read any report."""
    config = {
        "tap": bench.written("start-up", bench.tap_settings),
        "plain tap": bench.plain_config(),
    }
    rows = []
    for name in ("version", "about", "discover"):
        runs = bench.compete(
            {
                tap: _printer(
                    bench.folder,
                    [*command, f"--{name}"]
                    + (["--config", config[tap]] if name == "discover" else []),
                )
                for tap, command in (("tap", TAP), ("plain tap", PLAIN))
            },
        )
        wall = _samples(runs, "wall")
        result = "{} times the time of a plain SDK tap"
        rows.append(
            Row(4, f"`--{name}`", result, wall["tap"], wall["plain tap"], at_most(1.1)),
        )
    return rows


def meltano(bench: Bench) -> list[Row]:
    """Into Postgres as `meltano.yml` is shipped, and with the loader's defaults."""
    if not bench.loads:
        return []
    runs, empty = load_with_meltano(bench)
    wall = _samples(runs, "wall")

    def rate(name: str, less: float = 0) -> Sample:
        rates = [bench.rows / (seconds - less) for seconds in wall[name].values]
        return Sample(name, rates, "rows/s")

    names = ("as shipped", "loader's defaults")
    shipped, defaults = map(rate, names)
    net_shipped, net_defaults = (rate(name, empty) for name in names)
    what = "through Meltano into Postgres"
    net = f"{what}, less {empty:.1f} s of a run without rows"
    result = "{} times as fast as with the loader's defaults"
    return [
        Row(5, what, result, shipped, defaults, at_least(2.5)),
        Row(5, net, result, net_shipped, net_defaults),
    ]


def batches(bench: Bench) -> list[Row]:
    """BATCH messages instead of records."""
    root = bench.folder / "batches"
    batching = bench.tap("batching", batch_config=_batch_config(root))
    write = bench.reader("batching", batching)

    def write_anew() -> Run:
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir()
        return write()

    runs = bench.compete(
        {"records": bench.reader("tap", bench.tap()), "batches": write_anew},
    )
    check_same_records(_last_outputs(runs.values()))
    wall = _samples(runs, "wall")
    result = "{} times as fast as records"
    what = "batches, the tap alone"
    rows = [Row(6, what, result, wall["records"], wall["batches"])]
    if bench.loads:
        runs = load_with_and_without_batches(bench, root, _batch_config(root))
        wall = _samples(runs, "wall")
        what = "batches into Postgres, without Meltano"
        rows.append(Row(6, what, result, wall["records"], wall["batches"]))
    return rows


FIGURES: Mapping[int, Callable[[Bench], list[Row]]] = dict(
    enumerate((styles, latency, memory, start_up, meltano, batches), start=1),
)


def _batch_config(root: Path) -> dict[str, Any]:
    return {
        "encoding": {"format": "jsonl", "compression": "gzip"},
        "storage": {"root": root.as_uri(), "prefix": ""},
    }


def _printer(folder: Path, command: list[str]) -> Contestant:
    """A contestant that prints something and ends."""

    def print_it() -> Run:
        ended = run(command, folder)
        if not ended.stdout.read_text().strip():
            raise click.ClickException(f"{' '.join(command)} printed nothing")
        return ended

    return print_it


def _samples(
    runs: Mapping[str, Sequence[Run]],
    attribute: str,
    unit: str = "s",
) -> dict[str, Sample]:
    return {
        name: Sample(name, [getattr(each, attribute) for each in several], unit)
        for name, several in runs.items()
    }


def _last_outputs(runs: Iterable[Sequence[Run]]) -> list[Path]:
    return [several[-1].stdout for several in runs]
