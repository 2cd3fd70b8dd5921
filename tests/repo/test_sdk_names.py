"""Private names of the SDK that the tap uses: an upgrade fails here, with a list."""

from __future__ import annotations

import ast

from harness.paths import ROOT
from singer_sdk import Stream, Tap

PACKAGE = ROOT / "tap_adstage"
USED = {
    "_config": "settings without nulls take its place before they are checked",
    "_env_var_config": "the SDK's lets a `.env` override exported variables",
    "_finalize_state": "a page writer ends a stream as the SDK does",
    "_generate_batch_messages": "the SDK's name all files for each stream of a map",
    "_generate_record_messages": "flattened records and files get the keys of SCHEMA",
    "_handle_termination": "the SDK's writes the state inside a signal handler",
    "_increment_stream_state": "a report's bookmark moves window by window",
    "_stream_version": "RECORD messages of pages carry it",
    "_sync_records": "pages are written, not records",
    "_tap": "streams reach the message writer over it",
    "_validate_config": "the SDK's quotes secrets and knows no date range",
    "_write_activate_version_message": "the SDK's comes before the rows",
    "_write_schema_message": "a report that could not be made has no types to tell",
    "_write_starting_replication_value": "a report's bookmark moves window by window",
    "_write_state_message": "a page writer writes states when the SDK does",
}
"""Each name, and why no public hook does."""


def names_of_the_sdk() -> set[str]:
    """Private attributes of the SDK's taps and streams, methods and instances'."""
    names = {
        name for base in (Tap, Stream) for cls in base.__mro__ for name in vars(cls)
    }
    for cls in {cls for base in (Tap, Stream) for cls in base.__mro__} - {object}:
        for method in vars(cls).values():
            code = getattr(method, "__code__", None)
            names |= {*code.co_names} if code else set()
    return {name for name in names if name.startswith("_") and not name.endswith("__")}


def names_of_the_tap() -> set[str]:
    """Private attributes that the tap's own taps and streams use or override."""
    names: set[str] = set()
    for path in [PACKAGE / "tap.py", *(PACKAGE / "streams").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                names.add(node.attr)
            elif isinstance(node, ast.FunctionDef):
                names.add(node.name)
    return {name for name in names if name.startswith("_") and not name.endswith("__")}


def test_every_private_name_of_the_sdk_is_listed() -> None:
    assert names_of_the_tap() & names_of_the_sdk() == {*USED}
