"""What AdStage's import status means for a report, as plain decisions."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tap_adstage.adstage.import_policy import (
    ReportScope,
    account_scope,
    bookmark_cap,
    import_warnings,
)
from tap_adstage.adstage.import_status import AccountImport
from tap_adstage.config.entity_ids import EntityId
from tap_adstage.date_ranges import DateRange
from tap_adstage.exceptions import ResponseError
from tap_adstage.reports.bookmark import BookmarkCap

if TYPE_CHECKING:
    from tap_adstage.adstage.import_status import AccountKey

STATUS: dict[str, Any] = {
    "code": "good",
    "is_importing": False,
    "last_import_started": "2024-03-20T02:00:00Z",
    "last_import_finished": "2024-03-20T03:00:00Z",
    "last_import_failed": None,
    "importable": True,
}
RELINK = {"code": "permanent_authentication_error", "importable": False}
NEVER = {"last_import_started": None, "last_import_finished": None}
READING = ReportScope(
    report="daily",
    accounts=account_scope(["quora", "adwords"], [], lambda _: None),
    days=DateRange(dt.date(2024, 2, 24), dt.date(2024, 3, 19)),
    today=dt.date(2024, 3, 20),
    time_zone="UTC",
)


def account(
    name: str | None = "One",
    network: str = "quora",
    /,
    **status: object,
) -> AccountImport:
    return AccountImport.parse(
        {"name": name, "network": network, "import_status": {**STATUS, **status}},
    )


def ran(started: str | None, finished: str | None) -> dict[str, str | None]:
    return {"last_import_started": started, "last_import_finished": finished}


def day(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


# --- what AdStage says ---


def test_the_documented_answer_is_read() -> None:
    document = {
        "accounts": [
            {"name": "Account #1", "network": "adwords", "import_status": STATUS},
        ],
    }
    (one,) = [AccountImport.parse(each) for each in document["accounts"]]
    assert one == AccountImport(
        network="adwords",
        name="Account #1",
        code="good",
        is_importing=False,
        importable=True,
        started=dt.datetime(2024, 3, 20, 2, tzinfo=dt.timezone.utc),
        finished=dt.datetime(2024, 3, 20, 3, tzinfo=dt.timezone.utc),
    )
    assert str(one) == "adwords account 'Account #1'"


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({"code": "good"}, (True, False)),
        ({"code": "good", "importable": None}, (True, False)),
        ({"code": "permanent_authentication_error"}, (False, False)),
        ({"code": "good", "importable": False}, (False, False)),
        ({"code": "currently_importing"}, (True, True)),
        ({"code": None, "is_importing": True}, (True, True)),
    ],
)
def test_what_adstage_leaves_out_follows_from_the_rest(
    status: dict[str, Any],
    expected: tuple[bool, bool],
) -> None:
    read = AccountImport.parse(
        {"name": None, "network": "quora", "import_status": status},
    )
    assert (read.importable, read.is_importing) == expected
    assert (read.name, read.started, read.finished) == (None, None, None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"network": None}, "'One': network is None, not a text"),
        ({"network": []}, r"'One': network is \[\], not a text"),
        ({"name": True}, "account True: name is True, not a text"),
        ({"import_status": None}, "'One': import_status is None, not an object"),
        ({"import_status": "good"}, "'One': import_status is 'good', not an object"),
    ],
)
def test_an_account_of_another_shape_is_an_error_that_names_it(
    changes: dict[str, Any],
    message: str,
) -> None:
    given = {"name": "One", "network": "quora", "import_status": STATUS, **changes}
    with pytest.raises(ResponseError, match=message):
        AccountImport.parse(given)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("code", False),
        ("is_importing", "yes"),
        ("importable", 1),
        ("last_import_started", 1710900000),
        ("last_import_finished", "soon"),
        ("last_import_finished", ""),
        ("last_import_finished", "2024-03-20"),
        ("last_import_finished", "03:00"),
        ("last_import_finished", "0001-01-01T00:00:00Z"),
        ("last_import_finished", "9999-12-31T23:59:59-05:00"),
    ],
)
def test_a_value_that_can_t_be_read_is_an_error_that_names_account_and_field(
    field: str,
    value: object,
) -> None:
    with pytest.raises(
        ResponseError, match=f"account 'One': import_status.{field} is {value!r}"
    ):
        account(**{field: value})


# --- the last day that is completely imported ---


@pytest.mark.parametrize(
    ("started", "finished", "time_zone", "expected"),
    [
        # an import holds the whole days before it began
        ("2024-03-20T02:00:00Z", "2024-03-20T03:00:00Z", "UTC", "2024-03-19"),
        ("2024-03-19T23:50:00Z", "2024-03-20T00:30:00Z", "UTC", "2024-03-18"),
        ("2024-03-20T00:00:00Z", "2024-03-20T00:30:00Z", "UTC", "2024-03-19"),
        # one that runs, or failed: all that is known is the end of the one before
        ("2024-03-20T02:00:00Z", "2024-03-19T03:00:00Z", "UTC", "2024-03-18"),
        (None, "2024-03-19T03:00:00Z", "UTC", "2024-03-18"),
        # the same moment is another day elsewhere
        (
            "2024-03-20T06:59:59Z",
            "2024-03-20T09:00:00Z",
            "America/Los_Angeles",
            "2024-03-18",
        ),
        (
            "2024-03-20T07:00:00Z",
            "2024-03-20T09:00:00Z",
            "America/Los_Angeles",
            "2024-03-19",
        ),
        ("2024-03-19T14:59:59Z", "2024-03-20T09:00:00Z", "Asia/Tokyo", "2024-03-18"),
        ("2024-03-19T15:00:00Z", "2024-03-20T09:00:00Z", "Asia/Tokyo", "2024-03-19"),
        # AdStage's own offset is not the zone in which days are counted
        ("2024-03-20T01:00:00+02:00", "2024-03-20T09:00:00Z", "UTC", "2024-03-18"),
        # none has ever finished
        ("2024-03-20T02:00:00Z", None, "UTC", None),
        (None, None, "UTC", None),
    ],
)
def test_the_last_whole_day_of_an_import(
    started: str | None,
    finished: str | None,
    time_zone: str,
    expected: str | None,
) -> None:
    read = account(**ran(started, finished))
    assert read.imported_through(time_zone) == day(expected)


@pytest.mark.parametrize(
    ("days", "through", "expected"),
    [
        ("2024-02-24..2024-03-19", "2024-03-19", None),
        ("2024-02-24..2024-03-19", "2024-03-18", "2024-03-19"),
        ("2024-02-24..2024-03-19", "2024-03-01", "2024-03-02"),
        ("2024-02-24..2024-03-19", "2023-01-01", "2024-02-24"),
        ("2024-02-24..2024-03-19", None, "2024-02-24"),
        # a range that was over before the last import
        ("2024-02-01..2024-02-10", "2024-02-10", None),
        ("2024-02-01..2024-02-10", "2024-02-09", "2024-02-10"),
        # today isn't over, in no account
        ("2024-02-24..2024-03-20", "2024-03-19", None),
        ("2024-02-24..2024-03-20", "2024-03-18", "2024-03-19"),
        ("2024-03-20..2024-03-20", "2024-03-19", None),
        ("2024-03-20..2024-03-20", "2024-03-18", "2024-03-20"),
    ],
)
def test_the_first_day_that_a_report_lacks(
    days: str,
    through: str | None,
    expected: str | None,
) -> None:
    start, end = (dt.date.fromisoformat(text) for text in days.split(".."))
    reading = replace(READING, days=DateRange(start, end))
    last = day(through)
    noon = f"{last + dt.timedelta(days=1)}T12:00:00Z" if last else None
    assert reading.first_missing_day(account(**ran(noon, noon))) == day(expected)


# --- scope ---

KNOWN: dict[str, set[AccountKey] | None] = {
    "/network/quora/account/1": {("quora", "One")},
    "/network/quora/account/404": None,
    "/network/adstage/account_group/1": {("quora", "One"), ("adwords", "Three")},
    "/network/adstage/account_group/404": None,
}
ONE, TWO = account("One"), account("Two")
THREE, FOUR = account("Three", "adwords"), account("Four", "adwords")
FIVE = account("Five", "twitter")


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        ([], [ONE, TWO, THREE, FOUR]),
        # accounts and groups of them, and what can't be told
        (["/network/quora/account/1"], [ONE]),
        (["/network/quora/account/404"], [ONE, TWO]),
        (["/network/adstage/account_group/1"], [ONE, THREE]),
        (["/network/adstage/account_group/404"], [ONE, TWO, THREE, FOUR]),
        # something finer is somewhere on its network
        (["/network/adwords/campaign/1"], [THREE, FOUR]),
        (["/network/adwords/criterion/1"], [THREE, FOUR]),
        (["/network/twitter/ad/1"], []),
        # something of AdStage's may be anywhere
        (["/network/adstage/folder/1"], [ONE, TWO, THREE, FOUR]),
        (["/network/adstage/user/1"], [ONE, TWO, THREE, FOUR]),
        (["/network/adstage/organization/1"], [ONE, TWO, THREE, FOUR]),
        # targets add up
        (
            ["/network/quora/account/1", "/network/adwords/campaign/1"],
            [ONE, THREE, FOUR],
        ),
        (
            ["/network/quora/account/1", "/network/adstage/folder/1"],
            [ONE, TWO, THREE, FOUR],
        ),
    ],
)
def test_a_report_reads_the_accounts_of_its_networks_and_targets(
    targets: list[str],
    expected: list[AccountImport],
) -> None:
    found = account_scope(
        ["quora", "adwords"],
        [EntityId.parse(target) for target in targets],
        lambda target: KNOWN[str(target)],
    )
    assert [each for each in (ONE, TWO, THREE, FOUR, FIVE) if each in found] == expected


def test_a_group_s_accounts_on_other_networks_are_not_read() -> None:
    target = EntityId.parse("/network/adstage/account_group/1")
    found = account_scope(["quora"], [target], lambda _: {ONE.key, THREE.key})
    assert [each for each in (ONE, TWO, THREE, FOUR) if each in found] == [ONE]


# --- warnings ---


UNAUTHENTICATED = (
    "AdStage can't sign in to it any more (permanent_authentication_error): link it "
    "again in AdStage"
)


@pytest.mark.parametrize(
    ("status", "faults"),
    [
        ({}, []),
        (RELINK, [UNAUTHENTICATED]),
        (
            {"importable": False, "code": "unimportable"},
            ["AdStage can't import it (its code is 'unimportable')"],
        ),
        (
            {
                "is_importing": True,
                **ran("2024-03-20T12:00:00Z", "2024-03-20T11:45:00Z"),
            },
            ["an import is running"],
        ),
        (
            ran("2024-03-18T23:00:00Z", "2024-03-19T01:00:00Z"),
            [
                "its last import ran from 2024-03-18T23:00:00Z to 2024-03-19T01:00:00Z",
                "rows from 2024-03-18 on may lack data in daily",
            ],
        ),
        (
            ran("2024-03-20T02:00:00Z", "2024-03-18T03:00:00Z"),
            [
                "its last finished import ended 2024-03-18T03:00:00Z",
                "rows from 2024-03-18 on may lack data in daily",
            ],
        ),
        (
            NEVER,
            [
                "no import of it has ever finished",
                "rows from 2024-02-24 on may lack data in daily",
            ],
        ),
        (
            {**NEVER, **RELINK, "is_importing": True},
            [
                UNAUTHENTICATED,
                "an import is running",
                "no import of it has ever finished",
                "rows from 2024-02-24 on may lack data in daily",
            ],
        ),
    ],
)
def test_a_warning_says_which_conditions_hold(
    status: dict[str, Any],
    faults: list[str],
) -> None:
    line = f"quora account 'One': {'; '.join(faults)}"
    assert import_warnings([account(**status)], [READING]) == ([line] if faults else [])


def test_an_account_is_one_line_however_many_reports_read_it() -> None:
    late = account(**ran("2024-03-19T04:00:00Z", "2024-03-19T05:00:00Z"))
    readings = [
        replace(READING, report="utc"),
        replace(READING, report="west", time_zone="America/Los_Angeles"),
        replace(READING, report="old", days=DateRange(*[dt.date(2024, 3, 1)] * 2)),
        replace(READING, report="third"),
        replace(READING, report="fourth"),
        replace(READING, report="fifth"),
    ]
    (line,) = import_warnings([late], readings)
    assert line.endswith(
        "rows from 2024-03-18 on may lack data in utc, west, third and 2 more",
    )


def test_an_account_that_no_report_reads_is_not_named() -> None:
    assert import_warnings([account("One", "twitter", **RELINK)], [READING]) == []
    assert import_warnings([account(**RELINK)], []) == []


def test_two_accounts_of_one_name_are_two_lines() -> None:
    assert len(import_warnings([account(**NEVER), account(**NEVER)], [READING])) == 2


# --- hold ---

LATE = account("Late", **ran("2024-03-17T02:00:00Z", "2024-03-17T03:00:00Z"))
LATER = account("Later", **ran("2024-03-19T02:00:00Z", "2024-03-19T03:00:00Z"))
UNLINKED = account("Unlinked", **RELINK, **NEVER)
NEW = account("New", **NEVER)
ELSEWHERE = account("Elsewhere", "twitter", **NEVER)


@pytest.mark.parametrize(
    ("accounts", "expected"),
    [
        ([ONE], BookmarkCap(dt.date(2024, 3, 19), None)),
        (
            [ONE, LATER, LATE],
            BookmarkCap(
                dt.date(2024, 3, 16),
                "AdStage has not finished importing quora account 'Late' (imported up "
                "to 2024-03-16), quora account 'Later' (imported up to 2024-03-18)",
            ),
        ),
        (
            [LATER, NEW],
            BookmarkCap(
                None,
                "AdStage has not finished importing quora account 'New' (never), "
                "quora account 'Later' (imported up to 2024-03-18)",
            ),
        ),
        ([ONE, UNLINKED, ELSEWHERE], BookmarkCap(dt.date(2024, 3, 19), None)),
        ([UNLINKED, ELSEWHERE], None),
        ([], None),
    ],
)
def test_a_bookmark_is_held_by_the_account_that_is_furthest_behind(
    accounts: list[AccountImport],
    expected: BookmarkCap | None,
) -> None:
    assert bookmark_cap(accounts, READING) == expected


@pytest.mark.parametrize(
    ("time_zone", "through"),
    [("UTC", "2024-03-18"), ("America/Los_Angeles", "2024-03-17")],
)
def test_held_days_are_counted_in_the_report_s_time_zone(
    time_zone: str,
    through: str,
) -> None:
    held = bookmark_cap([LATER], replace(READING, time_zone=time_zone))
    assert held is not None
    assert held.through == day(through)


def test_a_cap_s_warning_names_the_day_and_the_reason() -> None:
    cap = BookmarkCap(None, "AdStage has not finished importing a")
    assert cap.warning(dt.date(2024, 3, 16)) == (
        "bookmark held at 2024-03-16, as AdStage has not finished importing a; the "
        "next run fetches late data"
    )


@pytest.mark.parametrize(
    ("count", "more"),
    [(3, "(never)"), (4, "(never) and 1 more"), (5, "(never) and 2 more")],
)
def test_no_account_is_left_uncounted(count: int, more: str) -> None:
    cap = bookmark_cap([account(f"{n}", **NEVER) for n in range(count)], READING)
    assert cap is not None
    assert cap.reason is not None
    assert cap.reason.endswith(more)
