"""What is wrong with the settings, in words that help.

Each line names the setting, its value and what is allowed. Nothing here sends a
request, and no value of a secret is quoted.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from tap_adstage import date_ranges
from tap_adstage.config.schema_errors import schema_errors
from tap_adstage.config.settings import OAUTH
from tap_adstage.runtime.redaction import Secrets, excerpt
from tap_adstage.runtime.wording import did_you_mean, json_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tap_adstage.config.declarations import Setting
    from tap_adstage.config.settings import Config


def unknown_settings(raw: Mapping[str, Any], known: Iterable[str]) -> list[str]:
    """Find settings that neither the tap nor the SDK has, and suggest the nearest.

    Args:
        raw: The settings as given.
        known: All valid names.

    Returns:
        One line for each error.
    """
    names = sorted(known)
    return [
        f"{name}: unknown setting; {did_you_mean(name, names)}"
        for name in raw
        if name not in names
    ]


def secret_errors(raw: Mapping[str, Any], settings: Sequence[Setting]) -> Iterator[str]:
    """Find secrets in settings that are shown, as names of streams and columns are.

    Args:
        raw: The settings as given.
        settings: What is declared.

    Yields:
        One line for each error.
    """
    secrets = {
        setting.name: Secrets([value])
        for setting in settings
        if setting.secret and isinstance(value := raw.get(setting.name), str)
    }
    for setting in settings:
        if setting.secret:
            continue
        for path, text in _texts(setting.name, raw.get(setting.name)):
            for name, secret in secrets.items():
                if secret.are_in(text):
                    yield (
                        f"{path}: (hidden) is not allowed; it holds the value of "
                        f"{name}, a secret, which no other setting takes"
                    )


def form_errors(raw: Mapping[str, Any], settings: Sequence[Setting]) -> Iterator[str]:
    """Find values that their declaration doesn't allow, whatever the others are.

    Args:
        raw: The settings as given, none of them null.
        settings: What is declared.

    Yields:
        One line for each error.
    """
    for setting in settings:
        if setting.name in raw:
            yield from schema_errors(raw[setting.name], setting.schema, setting.name)


def foreign_errors(
    raw: Mapping[str, Any], owners: Mapping[str, str], source: str, path: str = ""
) -> Iterator[str]:
    """Find settings, or keys of a report, that only another source has.

    Args:
        raw: The settings, or the report, as given.
        owners: What only others have, and whose it is.
        source: The setting `source`.
        path: Path of the report, with a dot.

    Yields:
        One line for each error.
    """
    for name in raw:
        if name in owners:
            yield (
                f"{path}{name}: {excerpt(json_text(raw[name]))} is not allowed; it "
                f"belongs to {owners[name]}, and source is {source}"
            )


def _texts(path: str, value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - JSON
    """List each text in a value, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, list):
        for position, item in enumerate(value):
            yield from _texts(f"{path}[{position}]", item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts(f"{path}.{key}", item)


def credential_errors(config: Config, raw: Mapping[str, Any]) -> Iterator[str]:
    """Find what is wrong with the credentials, one line for each error.

    Args:
        config: The settings, typed.
        raw: The settings as given.
    """
    missing = [name for name in OAUTH if name not in raw]
    if 0 < len(missing) < len(OAUTH):
        yield (
            f"{', '.join(missing)}: not given; OAuth takes all of {', '.join(OAUTH)} "
            "or none"
        )
    elif missing and config.access_token is None and not config.sandbox:
        yield (
            "access_token: not given; give access_token, or all of "
            f"{', '.join(OAUTH)}, or set sandbox to true to try generated data"
        )
    file = config.oauth_token_file
    if file is not None and not os.access(file.parent, os.W_OK):
        yield (
            f"oauth_token_file: {json_text(raw['oauth_token_file'])} is not allowed; "
            "it takes a path in a folder that exists and can be written"
        )


def date_errors(config: Config, raw: Mapping[str, Any]) -> Iterator[str]:
    """Find dates that don't go together, one line for each error.

    Args:
        config: The settings, typed.
        raw: The settings as given.
    """
    start, end = config.start_date, config.end_date
    if start and end and start > end:
        yield (
            f"end_date: {json_text(raw['end_date'])} is not allowed; it takes a date "
            f"that is not before start_date {json_text(raw['start_date'])}"
        )
    try:
        _ = config.today
        for report in config.reports:
            if report.date_range:
                date_ranges.parse_date_range(report.date_range, today=report.today)
    except date_ranges.DateRangeError as error:
        yield f"as_of and date_range: {error}"
