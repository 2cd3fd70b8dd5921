"""From settings as the user wrote them to typed ones, or to all that is wrong.

No request is sent: what only AdStage knows (accounts, fields) is checked at discovery.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tap_adstage.config.declarations import typed
from tap_adstage.config.default_reports import default_reports
from tap_adstage.config.reports import REPORT_SETTINGS, ReportConfig, canonical_report
from tap_adstage.config.setting_checks import form_errors, secret_errors, setting_errors
from tap_adstage.config.settings import SETTINGS, Config, without_nulls
from tap_adstage.exceptions import ConfigError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping


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

    Raises:
        ConfigError: If anything is wrong: secrets in the wrong place, whose parts other
            errors could quote; else all errors of form or, if there are none, all
            errors of meaning.
    """
    values = without_nulls(raw)
    if errors := [*secret_errors(values)] or [*form_errors(values)]:
        raise ConfigError(errors)
    reports = [*map(canonical_report, values.get("reports", default_reports()))]
    config = _typed(values, reports, now)
    if errors := [*setting_errors(config, values | {"reports": reports}, stream_names)]:
        raise ConfigError(errors)
    return config


def _typed(
    values: Mapping[str, Any], reports: list[dict[str, Any]], now: dt.datetime
) -> Config:
    """Type valid settings; a report gets from them what it doesn't override."""
    settings = dict(values)
    if values.get("sync_mode") != "SPECIFIC_ACCOUNTS":
        settings.pop("accounts", None)
    return typed(
        Config,
        SETTINGS,
        settings,
        now=now,
        reports=tuple(
            typed(ReportConfig, REPORT_SETTINGS, settings | report, now=now)
            for report in reports
        ),
    )
