"""A setting that is declared once is everywhere."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from msgspec import Meta

from repo.definitions import meltano_setting, settings_table
from tap_adstage.config.adstage_settings import AdStageConfig
from tap_adstage.config.declarations import (
    SECRET,
    declared,
    labels,
    object_schema,
    public,
    typed,
)
from tap_adstage.config.setting_checks import form_errors
from tap_adstage.config.source_settings import SETTINGS


@dataclass(frozen=True, kw_only=True, repr=False)
class LargerConfig(AdStageConfig):
    """The settings with three more of them, each of them one field."""

    depth: Annotated[int, Meta(ge=1, le=9, description="How deep to look.")] = 3
    colour: Annotated[
        Literal["red", "blue"],
        Meta(description="Colour of the chart."),
        labels("As wine", "As the sky"),
    ] = "red"
    pass_phrase: Annotated[str | None, Meta(description="Its key."), SECRET] = None


OLD_NAMES = {setting.name for setting in SETTINGS}
NEW = tuple(each for each in declared(LargerConfig) if each.name not in OLD_NAMES)


def test_only_the_new_ones_are_added() -> None:
    assert [setting.name for setting in NEW] == ["depth", "colour", "pass_phrase"]
    assert len(declared(LargerConfig)) == len(declared(AdStageConfig)) + 3


def test_a_new_setting_is_in_the_json_schema() -> None:
    assert (
        public(object_schema(declared(LargerConfig)))["properties"]
        | {
            "depth": {
                "type": "integer",
                "minimum": 1,
                "maximum": 9,
                "title": "Depth",
                "description": "How deep to look.",
                "default": 3,
            },
            "colour": {
                "type": "string",
                "enum": ["red", "blue"],
                "title": "Colour",
                "description": "Colour of the chart.",
                "default": "red",
            },
            "pass_phrase": {
                "type": "string",
                "secret": True,
                "writeOnly": True,
                "title": "Pass phrase",
                "description": "Its key.",
            },
        }
        == public(object_schema(declared(LargerConfig)))["properties"]
    )


def test_a_new_setting_is_a_row_of_the_table() -> None:
    assert settings_table(NEW).splitlines()[2:] == [
        "| `depth` | integer 1 to 9 | `3` | How deep to look. |",
        "| `colour` | `red`, `blue` | `red` | Colour of the chart. |",
        "| `pass_phrase` | string (secret) |  | Its key. |",
    ]


def test_a_new_setting_is_in_meltano_s_definition() -> None:
    properties = public(object_schema(NEW))["properties"]
    assert [meltano_setting(name, properties[name], NEW) for name in properties] == [
        {
            "name": "depth",
            "label": "Depth",
            "kind": "integer",
            "value": 3,
            "description": "How deep to look.",
        },
        {
            "name": "colour",
            "label": "Colour",
            "kind": "options",
            "options": [
                {"label": "As wine", "value": "red"},
                {"label": "As the sky", "value": "blue"},
            ],
            "value": "red",
            "description": "Colour of the chart.",
        },
        {
            "name": "pass_phrase",
            "label": "Pass phrase",
            "kind": "string",
            "sensitive": True,
            "description": "Its key.",
        },
    ]


def test_wrong_values_of_a_new_setting_are_errors() -> None:
    given = {"depth": 10, "colour": "green", "pass_phrase": 57082}
    assert [*form_errors(given, NEW)] == [
        "depth: 10 is not allowed; it takes an integer from 1 to 9",
        'colour: "green" is not allowed; it takes one of red, blue',
        "pass_phrase: (hidden) is not allowed; it takes a text that is not empty",
    ]


def test_a_new_setting_is_typed_and_its_secret_is_not_shown() -> None:
    given: dict[str, Any] = {"colour": "blue", "pass_phrase": "57a082"}
    config = typed(LargerConfig, declared(LargerConfig), given, now=None, reports=())
    assert (config.depth, config.colour, config.pass_phrase) == (3, "blue", "57a082")
    assert "57a082" not in repr(config)
