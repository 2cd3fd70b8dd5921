"""`Sandbox`, the AdStage API as a server on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_adstage.sandbox.adstage.app import create_app
from tap_adstage.sandbox.adstage.backend import Backend, Switches
from tap_adstage.sandbox.adstage.reports.v1_links import V1Style
from tap_adstage.sandbox.service.faults import (
    SIZE_FAULTS,
    FaultGenerator,
    select_faults,
)
from tap_adstage.sandbox.service.http_server import HttpServer
from tap_adstage.sandbox.service.local_api import LocalApi
from tap_adstage.sandbox.service.throttling import Throttling
from tap_adstage.sandbox.service.tokens import Credentials, Tokens
from tap_adstage.sandbox.world.import_status import ImportStatuses
from tap_adstage.sandbox.world.world import World

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping


class Sandbox(LocalApi):
    """An AdStage API on this machine, over data generated from a seed.

    Use it as a context manager, or call `start` and `stop`. Safe to use from several
    threads.

        with Sandbox(today=date(2019, 6, 15)) as sandbox:
            requests.get(
                f"{sandbox.api_url}/me",
                headers={"Authorization": f"Bearer {sandbox.token}"},
                timeout=10,
            )

    Attributes:
        token: The bearer token that is accepted and does not expire.
        world: The data that the API reports.
    """

    def __init__(  # noqa: PLR0913, PLR0917
        self,
        port: int = 0,
        token: str = "sandbox-token",  # noqa: S107 (it protects nothing)
        seed: int = 1,
        today: dt.date | None = None,
        latency: float = 0.0,
        rate_limit: float | None = None,
        fault_rate: float = 0.0,
        *,
        client_id: str = "sandbox-client",
        client_secret: str = "sandbox-secret",  # noqa: S107
        refresh_token: str = "sandbox-refresh",  # noqa: S107
        token_lifetime: float = 3600,
        any_client: bool = False,
        any_token: bool = False,
        world: World | None = None,
        v1_rounding: bool = True,
        v1_links: str = "offset",
        v1_follow: str = "get",
        v1_link_drops: tuple[str, ...] = (),
        imports: Mapping[str, Mapping[str, object]] | None = None,
        drop_rows: int = 0,
        faults: tuple[str, ...] | None = None,
        slow_seconds: float = 0.0,
        retry_after: int = 1,
        max_report_days: int | None = None,
        size_fault: str = SIZE_FAULTS[0],
        token_uses: int | None = None,
        refresh_faults: int = 0,
    ) -> None:
        """Prepare a sandbox without starting it.

        Args:
            port: TCP port on 127.0.0.1, 0 for any that is free.
            token: The bearer token to accept.
            seed: Another seed gives other data.
            today: The day that it is in the sandbox; None for the real day in UTC.
            latency: Seconds before each answer.
            rate_limit: Requests a second; more are answered with 429.
            fault_rate: Share of requests, from 0 to 1, that fail.
            client_id: Of the OAuth application.
            client_secret: Of the OAuth application.
            refresh_token: The first valid refresh token.
            token_lifetime: Seconds after which issued access tokens expire.
            any_client: Whether any application and refresh token is accepted, and no
                refresh token is replaced.
            any_token: Whether any access token is accepted.
            world: The data to serve; by default they follow from the seed.
            v1_rounding: Whether V1 reports round as V2 reports do; else their numbers
                look like those in V1's samples.
            v1_links: `offset` for V1 reports with links `next`, `prev` and `last`,
                `token` for `next_page` and `prev_page` with page tokens.
            v1_follow: `get` if these links can be followed; `post` if they answer 405,
                and the first request is to be sent again with the link's page.
            v1_link_drops: Parameters that these links omit, `targets` for example.
            imports: Changes to import statuses by entity id; see `imports`.
            drop_rows: How many rows are missing from reports; see `drop_rows`.
            faults: The kinds of failure, of `faults.FAULTS`; None for all.
            slow_seconds: Length of a pause in slow answers; 0 for no slow answers.
            retry_after: Seconds in the `Retry-After` of failing answers.
            max_report_days: The days that a report may have; see `max_report_days`.
            size_fault: How a report of more days is refused, of `faults.SIZE_FAULTS`.
            token_uses: Requests that issued access tokens are good for; None for any
                number.
            refresh_faults: How many token requests fail; see `refresh_faults`.

        Raises:
            ValueError: A V1 style, a parameter of V1 links, a kind of failure, or an
                account in `imports` is unknown.
        """
        tokens = Tokens(
            static=token,
            credentials=None if any_client else Credentials(client_id, client_secret),
            refresh_token=refresh_token,
            lifetime=token_lifetime,
            uses=token_uses,
            any_token=any_token,
        )
        super().__init__(port, today, tokens)
        self.token = token
        self.world = World(seed) if world is None else world
        self._seed = seed
        self._latency = latency
        self._rate_limit = rate_limit
        self._fault_rate = fault_rate
        self._faults = select_faults(faults, slow_seconds)
        self._slow_seconds = slow_seconds
        if size_fault not in SIZE_FAULTS:
            allowed = ", ".join(SIZE_FAULTS)
            raise ValueError(f"unknown size fault {size_fault!r}; use one of {allowed}")
        self._size_fault = size_fault
        self._retry_after = retry_after
        self._v1 = V1Style(v1_rounding, v1_links, v1_follow, v1_link_drops)
        self._switches = Switches(
            ImportStatuses(self.world.entities("accounts"), imports or {}),
            drop_rows,
            max_report_days,
            refresh_faults,
        )

    @property
    def api_url(self) -> str:
        """The API's address, without a slash at the end.

        Raises:
            RuntimeError: The sandbox is not running.
        """
        return f"{self.origin}/api"

    @property
    def token_url(self) -> str:
        """The address of the OAuth token endpoint.

        Raises:
            RuntimeError: The sandbox is not running.
        """
        return f"{self.origin}/oauth/token"

    @property
    def imports(self) -> Mapping[str, Mapping[str, object]]:
        """Changes to the generated import statuses, by entity id.

        Each value may hold `code`, `is_importing`, `last_import_started`,
        `last_import_finished`, `last_import_failed` and `importable`; omitted keys stay
        as generated. Set it as a whole; the sandbox may be running.
        """
        return self._switches.imports.overrides

    @imports.setter
    def imports(self, overrides: Mapping[str, Mapping[str, object]]) -> None:
        self._switches.imports.overrides = overrides

    @property
    def drop_rows(self) -> int:
        """How many rows are missing from the end of each report's first page.

        Counts, summaries and totals include them, so that a client can find the
        difference.
        """
        return self._switches.drop_rows

    @drop_rows.setter
    def drop_rows(self, number: int) -> None:
        self._switches.drop_rows = number

    @property
    def max_report_days(self) -> int | None:
        """The most days that a report may have; None for any number."""
        return self._switches.max_report_days

    @max_report_days.setter
    def max_report_days(self, number: int | None) -> None:
        self._switches.max_report_days = number

    @property
    def refresh_faults(self) -> int:
        """How many of the next token requests fail, before any token changes."""
        return self._switches.refresh_faults

    @refresh_faults.setter
    def refresh_faults(self, number: int) -> None:
        self._switches.refresh_faults = number

    def hints(self) -> list[str]:
        """Return what else someone who uses the sandbox may want to know."""
        return [
            f"a live account of {network}: {account.entity_id}"
            for network, account in self.world.provider_accounts.items()
        ]

    def _serve(self, port: int) -> HttpServer:
        backend = Backend(
            world=self.world,
            clock=self._clock,
            tokens=self._tokens,
            throttling=Throttling(
                latency=self._latency,
                rate_limit=self._rate_limit,
                slow_seconds=self._slow_seconds,
            ),
            faults=FaultGenerator(
                seed=self._seed, rate=self._fault_rate, kinds=self._faults
            ),
            log=self._log,
            v1=self._v1,
            switches=self._switches,
            size_fault=self._size_fault,
            retry_after=self._retry_after,
        )
        return HttpServer(create_app(backend), port, backend.throttling)
