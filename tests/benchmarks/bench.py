"""What the figures share: the server, the sizes, and the contestants."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asked
from outputs import check_count
from runs import Run, environment, run, side_by_side

if TYPE_CHECKING:
    from collections.abc import Mapping

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
        latency: Seconds that an answer takes where answers are to take time.
        pairs: How often contestants run side by side.
        load_pairs: How often where they load into Postgres.
        warm_up: Whether each runs once before that.
        loads: Whether anything is loaded into Postgres.
        folder: Where files go.
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
    folder: Path = Path()

    def within(self, folder: Path) -> Bench:
        """The same with files in that folder."""
        return replace(self, folder=folder)

    def over(self, days: int) -> Bench:
        """The same with a report of so many days."""
        return replace(self, days=days)

    @property
    def rows(self) -> int:
        """Records in the report."""
        return self.entities * self.days

    @property
    def pages_a_window(self) -> int:
        """Pages that come one after the other."""
        return -(-self.entities // self.page_size)

    @property
    def first_day(self) -> dt.date:
        """The report's first day."""
        return asked.LAST_DAY - dt.timedelta(days=self.days - 1)

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
    def tap_settings(self) -> dict[str, Any]:
        """Settings of the tap."""
        report = {
            "name": asked.STREAM,
            "entity_level": asked.LEVEL,
            "fields": [*asked.METRICS],
        }
        return {**self.settings, "as_of": str(asked.TODAY), "reports": [report]}

    def compete(self, contestants: Mapping[str, Contestant]) -> dict[str, list[Run]]:
        """Run contestants side by side."""
        return side_by_side(contestants, self.pairs, warm_up=self.warm_up)

    def load(self, contestants: Mapping[str, Contestant]) -> dict[str, list[Run]]:
        """Run contestants side by side that load into Postgres."""
        return side_by_side(contestants, self.load_pairs, warm_up=self.warm_up)

    def plain(self) -> list[str]:
        """The plain tap's command."""
        return [*PLAIN, "--config", self.written("plain", self.settings)]

    def bare(self) -> list[str]:
        """The bare loop's command."""
        return [*BARE, self.written("plain", self.settings)]

    def tap(self, name: str = "tap", **settings: Any) -> list[str]:  # noqa: ANN401
        """The tap's command; it reads the report alone.

        Args:
            name: For the file of the settings.
            **settings: Settings to add.
        """
        config = self.written(f"{name}-{self.days}", {**self.tap_settings, **settings})
        return [*TAP, "--config", config, "--catalog", str(self._catalog)]

    def reader(
        self,
        name: str,
        command: list[str],
        *,
        latency: float = 0,
    ) -> Contestant:
        """A contestant that writes the report to stdout, all of it."""
        folder = self.folder / f"{name}-{self.days}-{latency}"
        folder.mkdir(exist_ok=True)

        def read() -> Run:
            self.server.wait_before_answers(latency)
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
        config = self.written("discovery", self.tap_settings)
        catalog = self._said(*TAP, "--config", config, "--discover")
        report = [each for each in catalog["streams"] if each["stream"] == asked.STREAM]
        return Path(self.written("catalog", {"streams": report}))

    def _said(self, *command: str) -> dict[str, Any]:
        ended = subprocess.run(  # noqa: S603 - the tap
            command,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        said: dict[str, Any] = json.loads(ended.stdout)
        return said
