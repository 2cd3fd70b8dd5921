"""`SpotifyAdsSandbox`, Spotify's Ads API as a server on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_adstage.sandbox.service.faults import FaultGenerator, select_faults
from tap_adstage.sandbox.service.http_server import HttpServer
from tap_adstage.sandbox.service.local_api import LocalApi
from tap_adstage.sandbox.service.throttling import Throttling
from tap_adstage.sandbox.service.tokens import Credentials, Tokens
from tap_adstage.sandbox.spotify_ads.app import API_PATH, TOKEN_PATH, create_app
from tap_adstage.sandbox.spotify_ads.backend import Backend, Switches
from tap_adstage.sandbox.spotify_ads.rate_limits import RateLimits
from tap_adstage.sandbox.spotify_ads.world.world import World

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection


class SpotifyAdsSandbox(LocalApi):
    """Spotify's Ads API on this machine, over data generated from a seed.

    Use it as a context manager, or call `start` and `stop`. Safe to use from several
    threads.

    Attributes:
        token: The bearer token that is accepted and does not expire.
        world: The data that the API reports.
        switches: What may be changed while it runs.
    """

    def __init__(  # noqa: PLR0913
        self,
        port: int = 0,
        *,
        token: str = "sandbox-token",  # noqa: S107 (it protects nothing)
        seed: int = 1,
        today: dt.date | None = None,
        latency: float = 0.0,
        fault_rate: float = 0.0,
        faults: tuple[str, ...] | None = None,
        rate_limited: bool = False,
        report_limit: int = 150,
        other_limit: int = 1500,
        limit_seconds: float = 30.0,
        client_id: str = "sandbox-client",
        client_secret: str = "sandbox-secret",  # noqa: S107
        refresh_token: str = "sandbox-refresh",  # noqa: S107
        token_lifetime: float = 3600,
        token_uses: int | None = None,
        any_client: bool = False,
        any_token: bool = False,
        refresh_faults: int = 0,
        drop_rows: int = 0,
        hidden_accounts: Collection[str] = (),
        refused_accounts: Collection[str] = (),
        hourly_revenue: bool = True,
        slow_seconds: float = 0.0,
        retry_after: int = 1,
        world: World | None = None,
    ) -> None:
        """Prepare a sandbox without starting it.

        Args:
            port: TCP port on 127.0.0.1, 0 for any that is free.
            token: The bearer token to accept.
            seed: Another seed gives other data.
            today: The day that it is in the sandbox, at noon; None for the real time.
            latency: Seconds before each answer.
            fault_rate: Share of requests, from 0 to 1, that fail.
            faults: The kinds of failure, of `faults.FAULTS`; None for all.
            rate_limited: Whether to answer 429 beyond the limits.
            report_limit: Requests for reports within any `limit_seconds`.
            other_limit: Other requests within any `limit_seconds`.
            limit_seconds: The time that both limits are for.
            client_id: Of the OAuth application.
            client_secret: Of the OAuth application.
            refresh_token: The first valid refresh token.
            token_lifetime: Seconds after which issued access tokens expire.
            token_uses: Requests that issued access tokens are good for; None for any
                number.
            any_client: Whether any application and refresh token is accepted, and no
                refresh token is replaced.
            any_token: Whether any access token is accepted.
            refresh_faults: How many token requests fail.
            drop_rows: How many rows are missing from the end of each report's first
                page; account reports stay whole, so that a client can tell.
            hidden_accounts: Ids of ad accounts that the user does not have.
            refused_accounts: Ids of ad accounts that are listed, and answer 403.
            hourly_revenue: Whether `REVENUE` by the hour is answered, not 502.
            slow_seconds: Length of a pause in slow answers; 0 for no slow answers.
            retry_after: Seconds after which failing answers ask to try again.
            world: The data to serve; by default they follow from the seed.

        Raises:
            ValueError: A kind of failure is unknown.
        """
        self._client = Credentials(client_id, client_secret)
        tokens = Tokens(
            static=token,
            credentials=None if any_client else self._client,
            refresh_token=refresh_token,
            lifetime=token_lifetime,
            uses=token_uses,
            any_token=any_token,
        )
        super().__init__(port, today, tokens)
        self.token = token
        self.world = World(seed) if world is None else world
        self.switches = Switches(
            hidden_accounts=frozenset(hidden_accounts),
            refused_accounts=frozenset(refused_accounts),
            drop_rows=drop_rows,
            refresh_faults=refresh_faults,
            hourly_revenue=hourly_revenue,
        )
        self._seed = seed
        self._latency = latency
        self._slow_seconds = slow_seconds
        self._fault_rate = fault_rate
        self._faults = select_faults(faults, slow_seconds)
        self._retry_after = retry_after
        limits = {"report": report_limit, "other": other_limit}
        self._limits = RateLimits(limits, limit_seconds) if rate_limited else None

    @property
    def api_url(self) -> str:
        """The API's address, without a slash at the end.

        Raises:
            RuntimeError: The sandbox is not running.
        """
        return f"{self.origin}{API_PATH}"

    @property
    def token_url(self) -> str:
        """The address of the OAuth token endpoint.

        Raises:
            RuntimeError: The sandbox is not running.
        """
        return f"{self.origin}{TOKEN_PATH}"

    def hints(self) -> list[str]:
        """Return what else someone who uses the sandbox may want to know."""
        client = self._client
        return [
            f"oauth_token_url {self.token_url}",
            f"client_id {client.client_id}, client_secret {client.client_secret}",
            f"refresh_token {self.refresh_token}",
            *(f"ad account {a.id}: {a.name}" for a in self.world.ad_accounts),
        ]

    def _serve(self, port: int) -> HttpServer:
        backend = Backend(
            world=self.world,
            clock=self._clock,
            tokens=self._tokens,
            throttling=Throttling(
                latency=self._latency, rate_limit=None, slow_seconds=self._slow_seconds
            ),
            faults=FaultGenerator(
                seed=self._seed, rate=self._fault_rate, kinds=self._faults
            ),
            log=self._log,
            limits=self._limits,
            retry_after=self._retry_after,
            switches=self.switches,
        )
        return HttpServer(create_app(backend), port, backend.throttling)
