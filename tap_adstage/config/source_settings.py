"""Each source's settings, and all of them together, as the tap shows them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tap_adstage.config import (
    adstage_checks,
    adstage_settings,
    declarations,
    default_reports,
    spotify_ads_checks,
    spotify_ads_settings,
)
from tap_adstage.config.adstage import ADSTAGE
from tap_adstage.config.declarations import (
    Setting,
    declared,
    in_declared_case,
    object_schema,
    setting_names,
)
from tap_adstage.config.reports import report_settings
from tap_adstage.config.settings import Config
from tap_adstage.config.spotify_ads import SPOTIFY_ADS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tap_adstage.config.reports import ReportConfig


@dataclass(frozen=True)
class SourceSettings:
    """The settings of one source.

    Attributes:
        label: Its name in words.
        config: The class of a run's settings.
        report_config: The class of a report's.
        default_reports: Makes the reports of a config without any.
        account_errors: Finds what is wrong with the setting `accounts`.
        report_errors: Finds what doesn't go together in a report: of its path, the
            typed report, the report as given, and the run's settings.
    """

    label: str
    config: type[Config]
    report_config: type[ReportConfig]
    default_reports: Callable[[], list[dict[str, Any]]]
    account_errors: Callable[[Any], Iterator[str]]
    report_errors: Callable[[str, Any, Mapping[str, Any], Any], Iterator[str]]

    @cached_property
    def settings(self) -> tuple[Setting, ...]:
        """The settings of a run; those that only this source has are last."""
        order = {name: place for place, name in enumerate(setting_names(Config))}
        return tuple(
            sorted(
                declared(self.config), key=lambda each: order.get(each.name, len(order))
            )
        )

    @cached_property
    def report_settings(self) -> tuple[Setting, ...]:
        """All that a report has: its keys, and settings that it can't override."""
        return declared(self.report_config)

    @cached_property
    def report_keys(self) -> tuple[Setting, ...]:
        """The keys of a report, those that override settings last."""
        return report_settings(self.report_config)


SOURCES: Mapping[str, SourceSettings] = {
    ADSTAGE: SourceSettings(
        label="AdStage",
        config=adstage_settings.AdStageConfig,
        report_config=adstage_settings.AdStageReportConfig,
        default_reports=default_reports.default_reports,
        account_errors=adstage_checks.account_errors,
        report_errors=adstage_checks.report_errors,
    ),
    SPOTIFY_ADS: SourceSettings(
        label="Spotify Ads",
        config=spotify_ads_settings.SpotifyAdsConfig,
        report_config=spotify_ads_settings.SpotifyAdsReportConfig,
        default_reports=spotify_ads_settings.default_reports,
        account_errors=spotify_ads_checks.account_errors,
        report_errors=spotify_ads_checks.report_errors,
    ),
}
"""The sources by the value of the setting `source`."""


REPORTS, REPORTS_ALIAS = "reports", "report_list"


def merged(settings_of: Mapping[str, Sequence[Setting]]) -> tuple[Setting, ...]:
    """Make one declaration of each setting that any source has.

    It accepts what any of them does. It has a default if that is every source's.

    Args:
        settings_of: The settings of each source, by its label.
    """
    together: dict[str, dict[str, Setting]] = {}
    for label, settings in settings_of.items():
        for setting in settings:
            together.setdefault(setting.name, {})[label] = setting
    shared = [each for each in together.values() if len(each) == len(settings_of)]
    own = [each for each in together.values() if len(each) < len(settings_of)]
    return (
        *map(_merged, shared),
        *(_labelled(setting, label) for each in own for label, setting in each.items()),
    )


def _merged(setting_of: Mapping[str, Setting]) -> Setting:
    """Make one declaration of a setting's declarations by the labels of sources."""
    first, *others = setting_of.values()
    descriptions = {setting.description for setting in setting_of.values()}
    if len(descriptions) > 1:
        description = " ".join(
            f"{label}: {setting.description}" for label, setting in setting_of.items()
        )
        first = dataclasses.replace(first, description=description)
    for other in others:
        first = dataclasses.replace(
            first,
            schema=_either(first.schema, other.schema),
            default=first.default if first.default == other.default else None,
            value_aliases={**other.value_aliases, **first.value_aliases},
        )
    return first


def _labelled(setting: Setting, label: str) -> Setting:
    description = f"{setting.description} {label} only."
    return dataclasses.replace(
        setting, description=description, default=None, owner=label
    )


def _either(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Make a JSON schema that accepts what either of two does, and maybe more."""
    both = {key: value for key, value in one.items() if other.get(key) == value}
    for key in [key for key in one if key in other and key not in both]:
        if key == "enum":
            both[key] = [*dict.fromkeys([*one[key], *other[key]])]
        elif key == "minimum":
            both[key] = min(one[key], other[key])
        elif key == "maximum":
            both[key] = max(one[key], other[key])
        elif key == "items":
            both[key] = _either(one[key], other[key])
        elif key == "properties":
            both[key] = _either_of_each(one[key], other[key])
    return both


def _either_of_each(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _either(one[name], other[name])
        if name in one and name in other
        else one.get(name, other.get(name))
        for name in [*one, *(name for name in other if name not in one)]
    }


SETTINGS = merged({each.label: each.settings for each in SOURCES.values()})
"""The settings of any source; those that only one has are last."""

REPORT_KEYS = merged({each.label: each.report_keys for each in SOURCES.values()})
"""The keys of a report of any source; those that only one has are last."""


def owners(settings: Iterable[Setting], source: SourceSettings) -> dict[str, str]:
    """Find which settings only another source has, and label that source."""
    return {
        setting.name: setting.owner
        for setting in settings
        if setting.owner not in ("", source.label)
    }


def json_schema() -> dict[str, Any]:
    """Make the JSON schema of all settings but those that the SDK adds."""
    schema: dict[str, Any] = declarations.public(object_schema(SETTINGS))
    return schema


def secret_values(raw: Mapping[str, Any]) -> list[str]:
    """Find the secrets in settings, valid or not."""
    values = (raw.get(setting.name) for setting in SETTINGS if setting.secret)
    return [value for value in values if isinstance(value, str)]


def normalised(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Write settings in one form, whether they are valid or not.

    Null counts as omitted, to some callers it means that; it is dropped, in reports and
    `batch_config` too. `report_list` becomes `reports`, and values that may be in any
    case are written as they are declared.
    """
    values = {key: value for key, value in raw.items() if value is not None}
    if REPORTS_ALIAS in values and REPORTS not in values:
        values[REPORTS] = values.pop(REPORTS_ALIAS)
    if isinstance(values.get(REPORTS), list):
        source = SOURCES.get(str(values.get("source", ADSTAGE)))
        keys = source.report_keys if source else ()
        values[REPORTS] = [_normalised_report(each, keys) for each in values[REPORTS]]
    if "batch_config" in values:
        values["batch_config"] = _without_null_members(values["batch_config"])
    return values


def _normalised_report(report: Any, keys: Iterable[Setting]) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(report, Mapping):
        return report
    given = {key: value for key, value in report.items() if value is not None}
    return in_declared_case(keys, given)


def _without_null_members(value: Any) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(value, Mapping):
        return value
    return {
        key: _without_null_members(item)
        for key, item in value.items()
        if item is not None
    }
