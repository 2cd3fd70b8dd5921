from __future__ import annotations

import contextlib
import datetime as dt
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from harness.clock import PATIENCE, Clock

from tap_adstage.sandbox.server import Sandbox
from tap_adstage.sandbox.service import http_server
from tap_adstage.sandbox.world.world import World

from .api import TODAY, Api, body


@pytest.fixture(scope="module")
def small() -> World:
    """A world that is fast to generate, for a test's own sandboxes."""
    return World(accounts_per_network=1, campaigns_per_account=1)


def refresh(sandbox: Sandbox, **changes: str | None) -> requests.Response:
    form = {
        "grant_type": "refresh_token",
        "refresh_token": sandbox.refresh_token,
        "client_id": "sandbox-client",
        "client_secret": "sandbox-secret",
        **changes,
    }
    root = sandbox.api_url.removesuffix("/api")
    fields = {key: value for key, value in form.items() if value is not None}
    return requests.post(f"{root}/oauth/token", data=fields, timeout=10)


def everything(sandbox: Sandbox) -> list[bytes]:
    paths = (
        "me",
        "organizations/40",
        "users/40/list_network_accounts/all",
        "users/40/sync_information",
        "organizations/40/metric_descriptors",
    )
    with Api(sandbox) as api:
        headers = {"Host": "sandbox.test"}
        answers = [api.send("GET", path, headers=headers).content for path in paths]
        answers.append(
            api.send(
                "POST",
                "v2/organizations/40/report",
                json=body("ads", aggregate_by="day", limit=200),
                headers=headers,
            ).content
        )
    return answers


def test_the_same_seed_gives_the_same_bytes() -> None:
    with Sandbox(today=TODAY, seed=5) as one, Sandbox(today=TODAY, seed=5) as other:
        assert everything(one) == everything(other)


def test_another_seed_gives_other_data() -> None:
    with Sandbox(today=TODAY, seed=5) as one, Sandbox(today=TODAY, seed=6) as other:
        differs = [
            a != b for a, b in zip(everything(one), everything(other), strict=True)
        ]
    assert differs == [False, False, True, True, False, True]


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", "Bearer wrong", "Basic c2FuZGJveC10b2tlbg==", "sandbox-token"],
)
def test_requests_need_the_token(api: Api, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    for method, path in (("GET", "me"), ("POST", "v2/organizations/40/report")):
        response = requests.request(
            method,
            f"{api.sandbox.api_url}/{path}",
            headers=headers,
            json={} if method == "POST" else None,
            timeout=10,
        )
        assert response.status_code == 401
        assert response.json().keys() == {"error", "message"}
        assert response.headers["WWW-Authenticate"] == "Bearer"


def test_the_token_can_be_chosen(small: World) -> None:
    with Sandbox(world=small, token="chosen") as sandbox:
        assert sandbox.token == "chosen"
        with Api(sandbox) as api, Api(sandbox, "sandbox-token") as other:
            assert api.send("GET", "me").status_code == 200
            assert other.send("GET", "me").status_code == 401


def test_refresh_tokens_are_spent_by_use(small: World) -> None:
    with Sandbox(world=small) as sandbox:
        first_token = sandbox.refresh_token
        assert first_token == "sandbox-refresh"
        answer = refresh(sandbox)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "no-store"
        issued = answer.json()
        assert issued.keys() == {
            "access_token",
            "token_type",
            "expires_in",
            "refresh_token",
        }
        assert issued["token_type"] == "Bearer"
        assert issued["expires_in"] == 3600
        assert issued["refresh_token"] == sandbox.refresh_token != first_token
        again = refresh(sandbox, refresh_token=first_token)
        assert again.status_code == 400
        assert again.json()["error"] == "invalid_grant"
        second = refresh(sandbox).json()
        assert second["access_token"] != issued["access_token"]
        for token in (issued["access_token"], second["access_token"], sandbox.token):
            with Api(sandbox, token) as api:
                assert api.get("me")


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_id": "wrong"}, 401, "invalid_client"),
        ({"client_secret": None}, 401, "invalid_client"),
        ({"refresh_token": "wrong"}, 400, "invalid_grant"),
        ({"refresh_token": None}, 400, "invalid_request"),
        ({"grant_type": None}, 400, "invalid_request"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_bad_token_requests_are_refused(
    sandbox: Sandbox, changes: dict[str, Any], status: int, error: str
) -> None:
    before = sandbox.refresh_token
    response = refresh(sandbox, **changes)
    assert (response.status_code, response.json()["error"]) == (status, error)
    assert response.json()["error_description"]
    assert sandbox.refresh_token == before


def test_clients_may_identify_themselves_in_the_header(small: World) -> None:
    with Sandbox(world=small, client_id="me", client_secret="s") as sandbox:
        response = requests.post(
            sandbox.api_url.removesuffix("/api") + "/oauth/token",
            data={
                "grant_type": "refresh_token",
                "refresh_token": sandbox.refresh_token,
            },
            auth=("me", "s"),
            timeout=10,
        )
        assert response.status_code == 200


def test_issued_tokens_expire(small: World, clock: Clock) -> None:
    with Sandbox(world=small, token_lifetime=60) as sandbox:
        token = refresh(sandbox).json()["access_token"]
        with Api(sandbox, token) as api:
            assert api.send("GET", "me").status_code == 200
            clock.now += 61
            assert api.send("GET", "me").status_code == 401


def test_received_requests_are_listed(small: World) -> None:
    with Sandbox(world=small, today=TODAY) as sandbox, Api(sandbox) as api:
        api.send("GET", "me?type=lightweight")
        api.post_report(body(fields=["nonsense"]))
        api.send("GET", "nothing")
        refresh(sandbox)
        listed = [
            (request.method, request.path, request.query, request.status)
            for request in sandbox.requests
        ]
        assert listed == [
            ("GET", "/api/me", {"type": "lightweight"}, 200),
            ("POST", "/api/v2/organizations/40/report", {}, 400),
            ("GET", "/api/nothing", {}, 404),
            ("POST", "/oauth/token", {}, 200),
        ]
        assert sandbox.requests[0].body is None
        assert sandbox.requests[1].body == body(fields=["nonsense"])
        assert sandbox.requests[3].body["grant_type"] == "refresh_token"
        with pytest.raises(AttributeError):
            sandbox.requests[0].status = 201  # type: ignore[misc]
        sandbox.requests.clear()
        api.get("me")
        assert len(sandbox.requests) == 1


def test_too_many_requests_wait(small: World, clock: Clock) -> None:
    with Sandbox(world=small, rate_limit=3) as sandbox, Api(sandbox) as api:
        answers = [api.send("GET", "me") for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        assert answers[-1].headers["Retry-After"] == "1"
        assert answers[-1].json()["error"] == "too_many_requests"
        clock.now += 1.02
        assert api.send("GET", "me").status_code == 200


def test_faults_hit_their_share(small: World) -> None:
    def statuses(seed: int) -> list[int]:
        with (
            Sandbox(
                world=small, seed=seed, fault_rate=0.3, faults=("500", "502", "503")
            ) as sandbox,
            Api(sandbox) as api,
        ):
            answers = [api.send("GET", "me") for _ in range(200)]
        for answer in answers:
            if answer.status_code == 502:
                assert answer.headers["Content-Type"].startswith("text/html")
                assert answer.text.startswith("<html>")
            if answer.status_code == 503:
                assert answer.headers["Retry-After"] == "1"
        return [answer.status_code for answer in answers]

    first = statuses(3)
    assert set(first) == {200, 500, 502, 503}
    assert 35 < sum(status != 200 for status in first) < 85
    assert statuses(3) == first
    assert statuses(4) != first


def test_answers_take_their_time(small: World) -> None:
    with Sandbox(world=small, latency=0.5) as sandbox, Api(sandbox) as api:
        started = time.monotonic()
        assert api.send("GET", "me").status_code == 200
        assert time.monotonic() - started >= 0.5
        with ThreadPoolExecutor(8) as pool:
            started = time.monotonic()
            list(pool.map(lambda _: api.send("GET", "me"), range(8)))
            assert time.monotonic() - started < 8 * 0.5


def test_stopping_does_not_wait_for_the_latency(small: World) -> None:
    sandbox = Sandbox(world=small, latency=2 * PATIENCE).start()
    with Api(sandbox) as api, ThreadPoolExecutor(1) as pool:
        answer = pool.submit(api.send, "GET", "me")
        time.sleep(0.1)
        started = time.monotonic()
        sandbox.stop()
        assert time.monotonic() - started < PATIENCE
        assert answer.result().status_code == 200


def test_conversions_grow_as_days_pass(small: World) -> None:
    day = dt.date(2019, 7, 1)

    def conversions(api: Api) -> int:
        rows = api.results(date_range=str(day), fields=["conversions"])
        return sum(row["metrics"].get("conversions") or 0 for row in rows)

    with Sandbox(world=small, today=day) as sandbox, Api(sandbox) as api:
        seen = []
        for age in (0, 3, 14, 28, 60):
            sandbox.today = day + dt.timedelta(days=age)
            assert sandbox.today == day + dt.timedelta(days=age)
            seen.append(conversions(api))
        assert seen[0] < seen[1] < seen[2] < seen[3] == seen[4]
        assert api.report(date_range="today")["time"]["start"].startswith("2019-08-30")


def test_the_clock_is_the_real_one_by_default(small: World) -> None:
    sandbox = Sandbox(world=small)
    before = dt.datetime.now(dt.timezone.utc).date()
    assert before <= sandbox.today <= dt.datetime.now(dt.timezone.utc).date()
    sandbox.today = TODAY
    assert sandbox.today == TODAY
    sandbox.today = None
    assert sandbox.today >= before


def test_many_clients_get_the_same_answers(sandbox: Sandbox) -> None:
    bodies = [
        body("campaigns", aggregate_by="day", sort_by="spend"),
        body("ads", limit=100, fields=["clicks", "ad_name"]),
        body("keywords", limit=50, date_range="yesterday"),
    ]

    def work(number: int) -> list[bytes]:
        with Api(sandbox) as api:
            order = [(number + step) % 3 for step in range(6)]
            answers = [api.post_report(bodies[place]) for place in order]
        assert {answer.status_code for answer in answers} == {200}
        by_request = dict(
            zip(order, (answer.content for answer in answers), strict=True)
        )
        return [by_request[place] for place in range(3)]

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(work, range(8)))
    assert all(result == results[0] for result in results)


def test_connections_are_kept_alive(sandbox: Sandbox) -> None:
    address = urlsplit(sandbox.api_url)
    assert address.hostname is not None
    assert address.port is not None
    request = (
        b"POST /api/users/40/nothing HTTP/1.1\r\nHost: x\r\n"
        b"Content-Length: 5\r\n\r\nGET /"
    )
    with socket.create_connection((address.hostname, address.port), 5) as connection:
        connection.settimeout(5)
        for _ in range(3):
            connection.sendall(request)
            answer = b""
            while b'"message"' not in answer or not answer.endswith(b"}"):
                received = connection.recv(65536)
                assert received
                answer += received
            assert answer.startswith(b"HTTP/1.1 401 ")
            assert b"Connection: close" not in answer


def test_nothing_is_left_after_stopping(
    small: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_server, "_STOP_SECONDS", 2 * PATIENCE)
    before = set(threading.enumerate())
    sandbox = Sandbox(world=small)
    with pytest.raises(RuntimeError, match="start"):
        assert sandbox.api_url
    assert sandbox.start() is sandbox
    url = sandbox.api_url
    with Api(sandbox) as api, requests.Session() as idle:
        api.get("me")
        idle.get(f"{url}/me", timeout=5)
        assert len(set(threading.enumerate()) - before) >= 3
        started = time.monotonic()
        sandbox.stop()
        sandbox.stop()
        assert time.monotonic() - started < PATIENCE
    assert not set(threading.enumerate()) - before
    with pytest.raises(requests.ConnectionError):
        requests.get(f"{url}/me", timeout=5)
    with sandbox, Api(sandbox) as api:
        assert api.get("me")


def test_one_of_its_own_threads_can_stop_it(
    small: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Garbage may be collected in any thread, and with it a tap and its sandbox."""
    before = set(threading.enumerate())
    sandbox = Sandbox(world=small).start()
    monkeypatch.setattr(
        "tap_adstage.sandbox.service.http_server._Handler.run_wsgi",
        lambda _: sandbox.stop(),
    )
    with contextlib.suppress(requests.ConnectionError):
        requests.get(f"{sandbox.api_url}/me", timeout=10)
    deadline = time.monotonic() + 10
    while set(threading.enumerate()) - before:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_port_can_be_chosen_and_be_taken(small: World) -> None:
    with Sandbox(world=small) as first:
        port = urlsplit(first.api_url).port
        assert port is not None
        with pytest.raises(OSError, match=r"[Aa]ddress"):
            Sandbox(port=port, world=small).start()
    with Sandbox(port=port, world=small) as second:
        assert second.api_url == f"http://127.0.0.1:{port}/api"


def test_requests_are_not_printed(
    sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    with Api(sandbox) as api:
        api.get("me")
        api.send("GET", "nothing")
    assert capfd.readouterr() == ("", "")


def test_large_windows_are_answered_quickly(sandbox: Sandbox) -> None:
    with Api(sandbox) as api:
        for level, date_range in (
            ("ads", "last 10 days"),
            ("accounts", "last 180 days"),
        ):
            started = time.process_time()  # the sandbox is in this process
            api.report(level, date_range=date_range, aggregate_by="day")
            assert time.process_time() - started < 5
