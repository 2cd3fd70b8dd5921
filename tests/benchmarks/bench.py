"""What the figures share: the server, the sizes, and the contestants."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import asked
from outputs import check_count
from page_styles import STYLES
from runs import Run, environment, run, side_by_side

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from asked import Report
    from page_server import PageServer
    from runs import Contestant

TAP = [sys.executable, "-m", "tap_adstage"]
PLAIN = [sys.executable, "-m", "plain_tap"]
BARE = [sys.executable, "-m", "bare_loop"]


@dataclass(frozen=True)
class Bench:
    """A report on a server, and everything that reads it.

    Attributes:
        server: Answers.
        entities: Campaigns in the report.
        days: Days in the report.
        window_days: Days asked for in one request.
        page_size: Entities a page.
        latency: Seconds that an answer takes in figure 2.
        pairs: How often contestants run side by side.
        load_pairs: How often those that load into Postgres.
        warm_up: Whether each runs once before that.
        loads: Whether anything is loaded into Postgres.
        styles: Names of the styles to measure in figure 1.
        discovered: Where the tap's catalog is kept, for all figures.
        folder: Where files go.
        style: Name of the style that pages are written in.
    """

    server: PageServer
    entities: int
    days: int
    window_days: int
    page_size: int
    latency: float
    pairs: int
    load_pairs: int
    warm_up: bool
    loads: bool
    styles: Collection[str]
    discovered: Path
    folder: Path
    style: str = "rails"

    @contextmanager
    def in_new_folder(self) -> Iterator[Bench]:
        """The same with files in a folder that is removed afterwards."""
        with TemporaryDirectory(dir=self.folder) as folder:
            yield replace(self, folder=Path(folder))

    def over(self, days: int) -> Bench:
        """The same with a report of so many days."""
        return replace(self, days=days)

    def in_style(self, style: str) -> Bench:
        """The same with pages, and a report, of that style."""
        return replace(self, style=style)

    @property
    def report(self) -> Report:
        """What is read."""
        return STYLES[self.style].report

    @property
    def rows(self) -> int:
        """Records in the report; one of totals has as many, each of another entity."""
        return self.entities * self.days

    @property
    def pages_a_window(self) -> int:
        """Pages that come one after the other."""
        return -(-self.entities // self.page_size)

    @property
    def first_day(self) -> dt.date:
        """The report's first day; one of totals is of a single window."""
        days = self.window_days if self.report.is_total else self.days
        return asked.LAST_DAY - dt.timedelta(days=days - 1)

    @property
    def settings(self) -> dict[str, Any]:
        """Settings that every contestant knows."""
        return {
            "api_url": self.server.api_url,
            "access_token": self.server.token,
            "organization_id": asked.ORGANIZATION,
            "networks": [*asked.NETWORKS],
            "start_date": str(self.first_day),
            "end_date": str(asked.LAST_DAY),
            "window_days": self.window_days,
            "page_size": self.page_size,
        }

    @property
    def plain_settings(self) -> dict[str, Any]:
        """Settings of the plain tap and the bare loop."""
        return {**self.settings, "report": self.report.name}

    @property
    def tap_settings(self) -> dict[str, Any]:
        """Settings of the tap."""
        reports = [self._tap_report(self.report)]
        return {**self.settings, "as_of": str(asked.TODAY), "reports": reports}

    def compete(
        self,
        contestants: Mapping[str, Contestant],
        pairs: int | None = None,
        *,
        cold: Collection[str] = (),
    ) -> dict[str, list[Run]]:
        """Run contestants side by side.

        Args:
            contestants: What to run, by name.
            pairs: How often; by default as often as all figures do.
            cold: Names of those that need no warm-up.
        """
        warm_up = [name for name in contestants if self.warm_up and name not in cold]
        return side_by_side(contestants, pairs or self.pairs, warm_up=warm_up)

    def load(self, contestants: Mapping[str, Contestant]) -> dict[str, list[Run]]:
        """Run contestants side by side that load into Postgres."""
        warm_up = [*contestants] if self.warm_up else []
        return side_by_side(contestants, self.load_pairs, warm_up=warm_up)

    def plain(self) -> list[str]:
        """The plain tap's command."""
        return [*PLAIN, "--config", self.plain_config()]

    def bare(self) -> list[str]:
        """The bare loop's command."""
        return [*BARE, self.plain_config()]

    def plain_config(self) -> str:
        """Path of the plain tap's settings."""
        return self.written(f"plain-{self.report.name}", self.plain_settings)

    def tap(self, name: str = "tap", **settings: Any) -> list[str]:  # noqa: ANN401
        """The tap's command; it reads the report alone.

        Args:
            name: For the file of the settings.
            **settings: Settings to add.
        """
        name = f"{name}-{self.report.name}-{self.days}"
        config = self.written(name, {**self.tap_settings, **settings})
        return [*TAP, "--config", config, "--catalog", str(self._catalog)]

    def reader(
        self,
        name: str,
        command: list[str],
        *,
        latency: float = 0,
    ) -> Contestant:
        """A contestant that writes the report to stdout, all of it."""
        folder = self.folder / f"{name}-{self.style}-{self.days}-{latency}"
        folder.mkdir(exist_ok=True)

        def read() -> Run:
            self.server.prepare(latency=latency, style=self.style)
            ended = run(command, folder)
            check_count(ended.stdout, self.rows)
            return ended

        return read

    def written(self, name: str, document: object) -> str:
        """Write a file of JSON; its path."""
        path = self.folder / f"{name}.json"
        path.write_text(json.dumps(document))
        return str(path)

    @cached_property
    def _catalog(self) -> Path:
        """The catalog of the report alone; one discovery serves all reports."""
        if not self.discovered.exists():
            reports = [self._tap_report(each) for each in asked.REPORTS]
            config = {**self.tap_settings, "reports": reports}
            command = [*TAP, "--config", self.written("discovery", config)]
            self.discovered.write_bytes(self._output(*command, "--discover"))
        streams = json.loads(self.discovered.read_text())["streams"]
        report = [each for each in streams if each["stream"] == self.report.name]
        return Path(self.written(f"catalog-{self.report.name}", {"streams": report}))

    def _tap_report(self, report: Report) -> dict[str, Any]:
        return {
            "name": report.name,
            "entity_level": asked.LEVEL,
            "aggregate_by": "total" if report.is_total else "day",
            "api_version": report.version,
            "fields": [*asked.METRICS],
        }

    def _output(self, *command: str) -> bytes:
        ended = subprocess.run(  # noqa: S603 - the tap
            command,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        return ended.stdout
