"""Fivetran's schedule of a connection, as a Meltano schedule."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tap_adstage.fivetran.counterparts import Counterpart
from tap_adstage.runtime.redaction import excerpt
from tap_adstage.runtime.wording import json_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_adstage.fivetran.conversion import Conversion

_MINUTES = (1, 5, 15, 30, 60, 120, 180, 360, 480, 720, 1440)
_DEFAULT = 360
_DAY = 1440
_COMMAND = "meltano schedule add"
_PLUGINS = "spotify spotify-postgres"
"""The plugins that the page on Fivetran writes: the tap with this config, a loader."""

SCHEDULE_KEYS: Mapping[str, Counterpart] = {
    "sync_frequency": Counterpart(_COMMAND, "minutes become a cron expression"),
    "daily_sync_time": Counterpart(
        _COMMAND, "the hour of a daily run, in the time zone of the machine"
    ),
    "schedule_type": Counterpart(
        _COMMAND, "with `manual` there is none; start `meltano run` by hand"
    ),
    "paused": Counterpart(_COMMAND, "with `true` there is none"),
}
"""Keys of a connection about the times of its runs."""


def note_schedule(conversion: Conversion, connection: Mapping[str, Any]) -> None:
    """Note which commands make a connection's schedule, if it has one."""
    shown = {
        key: f"{key}: {excerpt(json_text(connection[key]))}"
        for key in SCHEDULE_KEYS
        if key in connection
    }
    if not shown:
        return
    if connection.get("schedule_type") == "manual" or connection.get("paused") is True:
        conversion.changed.append(
            f"{', '.join(shown.values())} changed to no schedule; start each run with "
            f"meltano run {_PLUGINS}"
        )
        return
    minutes = connection.get("sync_frequency", _DEFAULT)
    time = connection.get("daily_sync_time", "00:00")
    cron = cron_expression(minutes, time)
    if cron is None:
        wrong = ", ".join(shown.values())
        conversion.dropped.append(
            f"{wrong} dropped; Fivetran does not document this schedule"
        )
        return
    conversion.changed.append(
        f"{', '.join(shown.values())} changed to a Meltano schedule; with the config "
        f"in a plugin of its own, meltano job add spotify-ads --tasks '{_PLUGINS}' && "
        f"meltano schedule add spotify-ads --job spotify-ads --interval '{cron}'"
    )


def cron_expression(minutes: object, time: object) -> str | None:
    """Write a frequency that Fivetran has as a cron expression.

    Args:
        minutes: Minutes between two runs, also as a text.
        time: Hour of a daily run, such as `14:00`.

    Returns:
        The expression; `None` if Fivetran has no such schedule.
    """
    number = next((each for each in _MINUTES if str(each) == str(minutes)), None)
    hour = re.fullmatch(r"([01][0-9]|2[0-3]):00", str(time))
    if number is None or hour is None:
        return None
    if number == _DAY:
        return f"0 {int(hour[1])} * * *"
    if number == 1:
        return "* * * * *"
    hours, rest = divmod(number, 60)
    if not hours:
        return f"*/{rest} * * * *"
    return "0 * * * *" if hours == 1 else f"0 */{hours} * * *"
