"""From settings as the user wrote them to typed ones, or to all that is wrong.

No request is sent: what only a source knows (accounts, fields) is checked at discovery.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tap_adstage.config.adstage import ADSTAGE
from tap_adstage.config.declarations import typed, without_aliases
from tap_adstage.config.report_checks import (
    name_errors,
    report_form_errors,
    slice_errors,
)
from tap_adstage.config.setting_checks import (
    credential_errors,
    date_errors,
    foreign_errors,
    form_errors,
    secret_errors,
)
from tap_adstage.config.source_settings import (
    REPORT_KEYS,
    REPORTS,
    REPORTS_ALIAS,
    SETTINGS,
    SOURCES,
    normalised,
    owners,
)
from tap_adstage.exceptions import ConfigError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Iterable, Iterator

    from tap_adstage.config.settings import Config
    from tap_adstage.config.source_settings import SourceSettings


def parse(
    raw: Mapping[str, Any],
    *,
    now: dt.datetime,
    stream_names: Collection[str],
) -> Config:
    """Check and type the settings.

    Args:
        raw: The settings as given; null counts as omitted. Settings of the SDK are
            ignored.
        now: The real time, with a time zone; used unless `as_of` is set.
        stream_names: Names of the resource streams, which no report may take.

    Returns:
        The settings, of the class that the source has for them.

    Raises:
        ConfigError: If anything is wrong: secrets in the wrong place, whose parts other
            errors could quote; else all errors of form or, if there are none, all
            errors of meaning.
    """
    try:
        return _parsed(normalised(raw), now, stream_names)
    except ConfigError as error:
        if REPORTS_ALIAS not in raw:
            raise
        raise ConfigError(_with_alias(error.errors)) from None


def _with_alias(errors: Iterable[str]) -> list[str]:
    """Name reports as the user does who gave them by their alias."""
    return [
        line.replace(REPORTS, REPORTS_ALIAS, 1) if line.startswith(REPORTS) else line
        for line in errors
    ]


def _parsed(
    values: Mapping[str, Any], now: dt.datetime, stream_names: Collection[str]
) -> Config:
    if errors := [*secret_errors(values, SETTINGS)]:
        raise ConfigError(errors)
    name = values.get("source", ADSTAGE)
    source = SOURCES.get(name) if isinstance(name, str) else None
    if source is None:
        raise ConfigError([*form_errors(values, SETTINGS)])
    if errors := [*_form_errors(values, source, name)]:
        raise ConfigError(errors)
    reports = [
        without_aliases(source.report_keys, report)
        for report in values.get(REPORTS, source.default_reports())
    ]
    config = _typed(values, reports, now, source)
    if errors := [*_setting_errors(config, values, reports, stream_names, source)]:
        raise ConfigError(errors)
    return config


def _form_errors(
    values: Mapping[str, Any], source: SourceSettings, name: str
) -> Iterator[str]:
    """Find values that their declaration doesn't allow, whatever the others are."""
    if REPORTS_ALIAS in values:
        yield f"{REPORTS_ALIAS} and {REPORTS} mean the same; give one of them"
    foreign = owners(SETTINGS, source)
    foreign_keys = owners(REPORT_KEYS, source)
    yield from foreign_errors(values, foreign, name)
    reports = values.get("reports", [])
    if isinstance(reports, list):
        for number, report in enumerate(reports):
            if isinstance(report, Mapping):
                path = f"reports[{number}]."
                yield from foreign_errors(report, foreign_keys, name, path)
        values = {**values, "reports": [_without(foreign_keys, r) for r in reports]}
    yield from form_errors(values, source.settings)
    yield from report_form_errors(reports, source.report_keys)


def _without(keys: Mapping[str, str], report: Any) -> Any:  # noqa: ANN401 - any JSON
    """Drop keys of a report, which have errors of their own."""
    if not isinstance(report, Mapping):
        return report
    return {key: report[key] for key in report if key not in keys}


def _setting_errors(
    config: Config,
    values: Mapping[str, Any],
    reports: list[dict[str, Any]],
    stream_names: Collection[str],
    source: SourceSettings,
) -> Iterator[str]:
    """Find values of valid form that don't go together."""
    yield from credential_errors(config, values)
    yield from source.account_errors(config)
    yield from date_errors(config, values)
    yield from name_errors(config.reports, stream_names)
    for number, (report, keys) in enumerate(zip(config.reports, reports, strict=True)):
        path = f"reports[{number}]"
        yield from slice_errors(path, report, keys)
        yield from source.report_errors(path, report, keys, config)


def _typed(
    values: Mapping[str, Any],
    reports: list[dict[str, Any]],
    now: dt.datetime,
    source: SourceSettings,
) -> Config:
    """Type valid settings; a report gets from them what it doesn't override."""
    settings = dict(values)
    if values.get("sync_mode") != "SPECIFIC_ACCOUNTS":
        settings.pop("accounts", None)
    return typed(
        source.config,
        source.settings,
        settings,
        now=now,
        reports=tuple(
            typed(
                source.report_config,
                source.report_settings,
                settings | report,
                now=now,
            )
            for report in reports
        ),
    )
