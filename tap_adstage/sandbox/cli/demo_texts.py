"""What the demo says before, between and after its tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from tap_adstage.sandbox.cli.demo_reports import LOOKBACK

if TYPE_CHECKING:
    from tap_adstage.sandbox.cli.demo_reports import DemoReports
    from tap_adstage.sandbox.cli.demo_results import Run

STEPS = 4
SHELL = (
    "uv run tap-adstage-sandbox --as-of 2024-03-20 --token YOUR_TOKEN run --postgres "
    "bash"
)
"""The shell in which the documentation's commands work as they stand."""


def opening(reports: DemoReports, log: str | None) -> str:
    """Return what the demo is about to do, and what it leaves behind.

    Args:
        reports: What it loads.
        log: The log file, if there is one.
    """
    name = reports.api
    stay = f"plugins and a log stay behind:\n  {log}" if log else "plugins stay behind."
    return (
        f"This demo loads ads data from {name} into Postgres with Meltano: first "
        "everything, then, three days later, what is new or changed. It takes "
        f"{reports.duration}, and longer the first time, when Meltano downloads its "
        "plugins.\n\n"
        f"It starts a local API, which answers as {name} does from generated data, and "
        "a real Postgres. It stops both at its end. It needs no account and uses none "
        f"of your settings. Meltano's {stay}"
    )


def heading(step: int, text: str) -> Text:
    """Return the heading of a step."""
    return Text.assemble("\n", (f"{step}/{STEPS} {text}", "bold"))


def describe_first_run(run: Run) -> str:
    """Return how long the first run took, and where the next one resumes."""
    return (
        f"Loaded in {run.seconds:.0f} s. Meltano keeps the bookmark of each report, "
        "its last loaded day, and the next run resumes there."
    )


def describe_lookback(first: Run, second: Run) -> str:
    """Return which days the second run read again, and what came of it."""
    bookmark = first.bookmark
    text = (
        f"Loaded in {second.seconds:.0f} s. Each report read {bookmark - LOOKBACK} to "
        f"{bookmark} again: the bookmark's day and the {LOOKBACK.days} days before it "
        "(lookback_days)."
    )
    if first.conversions is None or second.conversions is None:
        return text
    late = second.conversions - first.conversions
    return (
        f"{text} Conversions of these days: {first.conversions:,.0f} in the first run, "
        f"{second.conversions:,.0f} now. {late:,.0f} came late and were picked up."
    )


def closing(reports: DemoReports, log: str | None) -> Text:
    """Return what to do next.

    Args:
        reports: What was loaded.
        log: The log file, if there is one.
    """
    lines = [
        f"  Read your own account: {reports.next_page}",
        "  Try the documentation's commands, in a shell with such APIs and a Postgres:",
        f"    {SHELL}",
    ]
    if log:
        lines.append(f"  See all that Meltano, the tap and the loader logged: {log}")
    return Text.assemble("\n", ("What next?", "bold"), "\n", "\n".join(lines))
