"""What is wrong with the settings, in words that help.

Each line names the setting, its value and what is allowed. Nothing here sends a
request, and no value of a secret is quoted.
"""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jsonschema import Draft202012Validator, FormatChecker

from tap_adstage import date_ranges
from tap_adstage.config import report_checks
from tap_adstage.config.entity_ids import CROSS_NETWORKS, EntityId
from tap_adstage.config.settings import (
    OAUTH,
    REPORT_KEY_ALIASES,
    SETTINGS,
    secret_values,
)
from tap_adstage.config.shards import Shard
from tap_adstage.runtime.redaction import Secrets
from tap_adstage.runtime.wording import TYPES, did_you_mean, json_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from jsonschema import ValidationError

_FORMS = {
    "date": "a date such as 2024-01-31, or a date-time such as 2024-01-31T08:00:00Z",
    "date-range": "an AdStage date range such as `last 30 days`, `month to date` or "
    "2024-01-01..2024-01-31",
    "time-zone": "an IANA time zone such as America/Los_Angeles",
    "entity-id": "an entity id such as /network/adwords/campaign/123",
    "account-id": "an account's entity id such as /network/adwords/account/123",
    "http-url": "an http or https URL without user, query and fragment",
    "shard": "a number and how many there are, such as 3/8",
}
_PATTERNS = {
    "name": "lower-case letters, digits and _, a letter first",
    "access_token": "the token alone, in visible ASCII characters without spaces",
    "user_agent": "printable ASCII characters",
}
_PHRASES: tuple[tuple[str, Callable[[str, Any], str]], ...] = (
    ("enum", lambda _, schema: f"one of {', '.join(map(str, schema['enum']))}"),
    (
        "maximum",
        lambda _, schema: f"an integer from {schema['minimum']} to {schema['maximum']}",
    ),
    ("minimum", lambda _, schema: f"an integer, {schema['minimum']} or more"),
    ("format", lambda _, schema: _FORMS[schema["format"]]),
    ("pattern", lambda name, _: _PATTERNS[REPORT_KEY_ALIASES.get(name, name)]),
    (
        "minItems",
        lambda name, schema: (
            f"a list with at least one value, each {_say(name, schema['items'])}"
        ),
    ),
    ("type", lambda _, schema: _types(schema["type"])),
)
"""How to say what a schema allows, by the first of its keywords that stands here."""


def errors(given: Mapping[str, Any], stream_names: Collection[str]) -> list[str]:
    """Find all that is wrong with the settings.

    Args:
        given: The settings as given, none of them null. Keys that are no setting of
            the tap (the SDK's own) are passed over.
        stream_names: Names of the resource streams, which no report may take.

    Returns:
        One line for each error: secrets in the wrong place, whose parts other errors
        could quote; else those of form or, where there are none, of meaning.
    """
    return (
        [*_secret_errors(given)]
        or [*dict.fromkeys(_form_errors(given))]
        or [*_meaning_errors(given, stream_names)]
    )


def unknown_settings(raw: Mapping[str, Any], known: Iterable[str]) -> list[str]:
    """Find settings that neither the tap nor the SDK has.

    Args:
        raw: The settings as given.
        known: All settings there are.

    Returns:
        One error line for each, with the nearest names.
    """
    names = sorted(known)
    return [
        f"{name}: there is no such setting; {did_you_mean(name, names)}"
        for name in raw
        if name not in names
    ]


# --- secrets that would be shown ---


def _secret_errors(given: Mapping[str, Any]) -> Iterator[str]:
    """Secrets in settings that are shown, as names of streams and columns are."""
    names = [setting.name for setting in SETTINGS if setting.secret]
    secrets = {name: Secrets(secret_values({name: given.get(name)})) for name in names}
    for setting in SETTINGS:
        if setting.secret:
            continue
        for path, text in _texts(setting.name, given.get(setting.name)):
            for name in names:
                if secrets[name].are_in(text):
                    yield (
                        f"{path}: (hidden) is not allowed; it holds the value of "
                        f"{name}, a secret, which no other setting takes"
                    )


def _texts(path: str, value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON
    """Each text in a value, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _texts(f"{path}[{position}]", item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(f"{path}.{key}", item)


# --- what is wrong with the form of a value ---


def _form_errors(given: Mapping[str, Any]) -> Iterator[str]:
    checker = _format_checker()
    for setting in SETTINGS:
        if setting.name not in given:
            continue
        validator = Draft202012Validator(setting.schema, format_checker=checker)
        for error in validator.iter_errors(given[setting.name]):
            yield _form_error(setting.name, error, secret=setting.secret)


def _format_checker() -> FormatChecker:
    checker = FormatChecker(formats=())
    checks = {
        "date": date_ranges.parse_day,
        "date-range": _check_date_range,
        "time-zone": _check_time_zone,
        "entity-id": EntityId.parse,
        "account-id": _check_account_id,
        "http-url": _check_http_url,
        "shard": Shard.parse,
    }
    for name, check in checks.items():
        checker.checks(name, raises=ValueError)(_returns_true(check))
    return checker


def _returns_true(check: Any) -> Any:  # noqa: ANN401 - jsonschema's untyped interface
    def checked(value: object) -> bool:
        if isinstance(value, str) and value:
            check(value)
        return True

    return checked


def _check_date_range(text: str) -> None:
    date_ranges.parse_date_range(text, today=date_ranges.parse_day("2024-01-31"))


def _check_time_zone(name: str) -> None:
    date_ranges.today(None, name, now=dt.datetime.now(dt.timezone.utc))


def _check_account_id(text: str) -> None:
    entity_id = EntityId.parse(text)
    if entity_id.level != "account":
        raise ValueError(f"its level is {entity_id.level}, not account")


def _check_http_url(text: str) -> None:
    url = urlsplit(text)
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise ValueError("it starts with https:// and a host")
    if any(map(str.isspace, url.netloc)):
        raise ValueError("its host has a space")
    if url.username is not None or url.query or url.fragment:
        raise ValueError("it has a user, a query or a fragment")
    _ = url.port


def _form_error(setting: str, error: ValidationError, *, secret: bool) -> str:
    path = setting + "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.path
    )
    schema: Any = error.schema
    instance: Any = error.instance
    if error.validator == "additionalProperties":
        allowed = sorted(schema["properties"])
        unknown = sorted(set(instance) - set(allowed))
        return "; ".join(
            f"{path}.{name}: there is no such key; {did_you_mean(name, allowed)}"
            for name in unknown
        )
    if error.validator == "required":
        names: Any = error.validator_value
        missing = [name for name in names if name not in instance]
        return f"{path}: {', '.join(missing)} missing"
    value, cause = json_text(instance), str(error.cause or "")
    if secret or _may_hold_a_password(instance, schema):
        value, cause = "(hidden)" if instance else "(empty)", ""
    if error.path and error.path[-1] in {"aggregate_by", "granularity"}:
        hint = ". AdStage has no hourly data" if instance == "HOUR" else ""
    else:
        cause = cause.removeprefix(f"{instance!r}: ")
        hint = f": {cause}" if cause else ""
    name = str(error.path[-1] if error.path else setting)
    return f"{path}: {value} is not allowed; it takes {_allowed(name, error)}{hint}"


def _may_hold_a_password(instance: Any, schema: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether it is a URL with something before the host, or after the path."""
    is_url = schema.get("format") == "http-url" and isinstance(instance, str)
    return is_url and any(sign in instance for sign in "@?#")


def _allowed(name: str, error: ValidationError) -> str:
    if error.validator == "uniqueItems":
        return "each value once"
    return _say(name, error.schema)


def _say(name: str, schema: Any) -> str:  # noqa: ANN401 - a JSON schema
    return next(say(name, schema) for key, say in _PHRASES if key in schema)


def _types(kinds: str | list[str]) -> str:
    return " or ".join(
        TYPES[kind] for kind in ([kinds] if isinstance(kinds, str) else kinds)
    )


# --- what is wrong with the meaning of values of the right form ---


def _meaning_errors(
    given: Mapping[str, Any],
    stream_names: Collection[str],
) -> Iterator[str]:
    yield from _credential_errors(given)
    yield from _account_errors(given)
    yield from _date_errors(given)
    yield from report_checks.errors(given, stream_names)


def _credential_errors(given: Mapping[str, Any]) -> Iterator[str]:
    missing = [name for name in OAUTH if name not in given]
    if 0 < len(missing) < len(OAUTH):
        yield (
            f"{', '.join(missing)}: not given; OAuth takes all of {', '.join(OAUTH)} "
            "or none"
        )
    elif missing and "access_token" not in given and not given.get("sandbox"):
        yield (
            "access_token: not given; give access_token, or all of "
            f"{', '.join(OAUTH)}, or set sandbox to true to try generated data"
        )
    token_file = given.get("oauth_token_file")
    if token_file and not os.access(Path(token_file).expanduser().parent, os.W_OK):
        yield (
            f"oauth_token_file: {json_text(token_file)} is not allowed; it takes a "
            "path in a folder that exists and can be written"
        )


def _account_errors(given: Mapping[str, Any]) -> Iterator[str]:
    if given.get("sync_mode") != "SPECIFIC_ACCOUNTS":
        return
    if not given.get("accounts"):
        yield (
            "accounts: not given; sync_mode SPECIFIC_ACCOUNTS takes a list of entity "
            "ids such as /network/adwords/account/123"
        )
    networks = given.get("networks", CROSS_NETWORKS)
    narrowed = set(networks) < set(CROSS_NETWORKS)
    for account in given.get("accounts", []):
        network = EntityId.parse(account).network
        if narrowed and network not in networks:
            yield (
                f"accounts: {json_text(account)} is not allowed; it takes accounts "
                f"of the networks in the setting networks: {', '.join(networks)}"
            )


def _date_errors(given: Mapping[str, Any]) -> Iterator[str]:
    start, end = given.get("start_date"), given.get("end_date")
    if start and end and date_ranges.parse_day(start) > date_ranges.parse_day(end):
        yield (
            f"end_date: {json_text(end)} is not allowed; it takes a date that is not "
            f"before start_date {json_text(start)}"
        )
