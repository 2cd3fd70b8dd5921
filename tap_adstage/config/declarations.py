"""How a setting is declared: as one annotated field of a group.

A group is a frozen dataclass. Each of its fields that has a description is a setting:
msgspec's `Meta` has its bounds and its description, the marks below have what msgspec
doesn't know. All else follows: the JSON schema, the tables of the documentation,
Meltano's definition, the checks, and the typed value.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields, is_dataclass
from inspect import get_annotations
from typing import (
    Annotated,
    Any,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec
from msgspec import Meta

from tap_adstage.config.type_schema import type_schema

_Group = TypeVar("_Group", bound="Group")

_SPELLINGS = {"api": "API", "id": "ID", "oauth": "OAuth", "url": "URL"}


@dataclass(frozen=True, kw_only=True, repr=False)
class Group:
    """Base of the groups of settings; it keeps secrets out of their `repr`."""

    def __repr__(self) -> str:
        """Show the fields, secrets hidden."""
        secrets = {setting.name for setting in declared(type(self)) if setting.secret}
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        shown = (
            f"{name}={'***' if name in secrets and value else repr(value)}"
            for name, value in values.items()
        )
        return f"{type(self).__name__}({', '.join(shown)})"


SECRET = Meta(extra_json_schema={"secret": True, "writeOnly": True})
"""Marks a setting whose value must never be shown."""


def labels(*texts: str) -> Meta:
    """Label each value of a `Literal`, in the same order, for forms."""
    return Meta(extra={"labels": texts})


def alias(key: str, *, values: Mapping[str, str] | None = None) -> Meta:
    """Give a key another name, and other names of values what they stand for."""
    return Meta(extra={"alias": key, "value_aliases": values or {}})


def any_case() -> Meta:
    """Take each value also in other letters, upper or lower."""
    return Meta(extra={"any_case": True})


def hints(reasons: Mapping[str, str]) -> Meta:
    """Give the reasons why some values, here in lower case, are refused."""
    return Meta(extra_json_schema={"x-hints": reasons})


def default_of(make: Callable[[Mapping[str, Any]], object]) -> Meta:
    """Compute the default from the other settings."""
    return Meta(extra={"default_of": make})


def has_schema(
    schema: Mapping[str, Any], *, read: Callable[[Any], object] | None = None
) -> Meta:
    """Set a JSON schema that the type doesn't give.

    Args:
        schema: The schema.
        read: Makes the typed value of a valid one; by default msgspec does.
    """
    return Meta(extra={"schema": schema, **({"read": read} if read else {})})


def text(
    takes: str,
    *,
    form: str | None = None,
    check: Callable[[str], object] | None = None,
    read: Callable[[str], object] | None = None,
) -> Meta:
    """Describe a text that has a form.

    Args:
        takes: Its form in words, for an error.
        form: The `format` of its JSON schema.
        check: Raises a ValueError with the reason if a text is wrong.
        read: Makes the typed value of a valid text; by default it stays a text.
    """
    functions = {"check": check, "read": read}
    return Meta(
        extra={key: value for key, value in functions.items() if value},
        extra_json_schema={
            "minLength": 1,
            "x-takes": takes,
            **({"format": form} if form else {}),
        },
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting, or one key of a report, as it is declared.

    Attributes:
        name: Its key in the configuration.
        group: The class that declares it.
        schema: JSON schema of its value. Keys that begin with `x-` are for the checks
            alone.
        read: Makes the typed value of a valid one.
        description: Meaning, in one or two sentences.
        default: Default, if it is a plain JSON value.
        default_of: Computes the default from the other settings, if it depends on them.
        required: Whether it has no default of any kind.
        options: Label of each value, if a form offers them.
        alias: Another name of the key; empty without one.
        value_aliases: Other names of values, and the values that they stand for.
        any_case: Whether a value may be in other letters, upper or lower.
        owner: Label of the only source that has it; empty if all have.
    """

    name: str
    group: type
    schema: Mapping[str, Any]
    read: Callable[[Any], Any]
    description: str
    default: Any = None
    default_of: Callable[[Mapping[str, Any]], Any] | None = None
    required: bool = False
    options: Mapping[str, str] = field(default_factory=dict)
    alias: str = ""
    value_aliases: Mapping[str, str] = field(default_factory=dict)
    any_case: bool = False
    owner: str = ""

    @property
    def secret(self) -> bool:
        """Whether the value must never be shown."""
        return bool(self.schema.get("secret"))

    @property
    def label(self) -> str:
        """Name in words, for forms."""
        return _in_words(self.name)

    @property
    def kind(self) -> str:
        """Meltano's name of its type.

        Dates are plain texts to it: as dates it would read 01/02/2024 in its own way
        before the tap can refuse it.
        """
        return "options" if "enum" in self.schema else str(self.schema["type"])

    def json_schema(self) -> dict[str, Any]:
        """Property of a JSON schema, with title, description and default."""
        schema = {**self.schema, "title": self.label, "description": self.description}
        return schema if self.default is None else schema | {"default": self.default}


def declared(group: type) -> tuple[Setting, ...]:
    """List the settings of a group, those of its base groups first.

    A group may declare a setting of its base group again, with other bounds or another
    default; its description, alias and labels stay unless it gives others.
    """
    annotations = get_type_hints(group, include_extras=True)
    declarations = {field.name: field for field in fields(group)}
    groups: dict[str, type] = {}
    marks: dict[str, list[Meta]] = {}
    for part in dict.fromkeys(_parts(group)):
        hints = get_type_hints(part, include_extras=True)
        for name in get_annotations(part):
            groups.setdefault(name, part)
            marks.setdefault(name, []).extend(_metas(hints[name]))
    return tuple(
        _setting(declarations[name], annotations[name], part, marks[name])
        for name, part in groups.items()
        if any(mark.description for mark in marks[name])
    )


def setting_names(group: type) -> list[str]:
    """List the names that a group declares, those of its base groups first."""
    parts = dict.fromkeys(_parts(group))
    return [*dict.fromkeys(name for part in parts for name in get_annotations(part))]


def object_schema(settings: Iterable[Setting]) -> dict[str, Any]:
    """Make one JSON schema of settings, with their aliases."""
    settings = list(settings)
    properties = {setting.name: setting.json_schema() for setting in settings}
    aliases = {
        setting.alias: {
            **setting.schema,
            "title": _in_words(setting.alias),
            "description": f"Alias of `{setting.name}`.",
        }
        for setting in settings
        if setting.alias
    }
    return {
        "type": "object",
        "properties": properties | aliases,
        "additionalProperties": False,
    }


def public(schema: Any) -> Any:  # noqa: ANN401 - a part of a JSON schema
    """Drop the keys of a JSON schema that are for the checks alone."""
    if isinstance(schema, Mapping):
        return {
            key: public(value)
            for key, value in schema.items()
            if not key.startswith("x-")
        }
    return [*map(public, schema)] if isinstance(schema, list) else schema


def in_declared_case(
    settings: Iterable[Setting], raw: Mapping[str, Any]
) -> dict[str, Any]:
    """Write values that may be in any case as they are declared, others as given."""
    values = dict(raw)
    for setting in settings:
        if not setting.any_case:
            continue
        for key in {setting.name, setting.alias} & values.keys():
            if isinstance(values[key], str):
                allowed = {each.lower(): each for each in setting.schema["enum"]}
                values[key] = allowed.get(values[key].lower(), values[key])
    return values


def without_aliases(
    settings: Iterable[Setting], raw: Mapping[str, Any]
) -> dict[str, Any]:
    """Write valid settings with the tap's own names of keys and values."""
    return {
        setting.name: setting.value_aliases[raw[key]]
        if setting.value_aliases and raw[key] in setting.value_aliases
        else raw[key]
        for setting in settings
        for key in (setting.name, setting.alias)
        if key in raw
    }


def typed(
    group: type[_Group],
    settings: Iterable[Setting],
    raw: Mapping[str, Any],
    **others: Any,  # noqa: ANN401 - fields of the group
) -> _Group:
    """Type settings that are valid.

    Args:
        group: The class to make.
        settings: What it declares.
        raw: The settings, without aliases. Keys of other groups are ignored.
        **others: Fields that are typed already, or are not settings.
    """
    values = dict(others)
    for setting in settings:
        if setting.name in others:
            continue
        if setting.name in raw:
            values[setting.name] = setting.read(raw[setting.name])
        elif setting.default_of:
            values[setting.name] = setting.default_of(raw)
    return group(**values)


def _in_words(name: str) -> str:
    text = " ".join(_SPELLINGS.get(word, word) for word in name.split("_"))
    return text[0].upper() + text[1:]


def _parts(group: type) -> Iterator[type]:
    for base in group.__bases__:
        if is_dataclass(base):
            yield from _parts(base)
    yield group


def _setting(
    declaration: "Field[Any]",
    hint: Any,  # noqa: ANN401 - a type
    group: type,
    marks: Iterable[Meta],
) -> Setting:
    extra: dict[str, Any] = {}
    description = ""
    for mark in marks:
        extra |= mark.extra or {}
        description = mark.description or description
    if "schema" in extra:
        schema = dict(extra["schema"])
    elif "read" in extra:  # it is a text to the user, whatever it is to the code
        schema = type_schema(Annotated[(str, *_metas(hint))])
    else:
        schema = type_schema(hint)
    texts = extra.get("labels", ())
    options = dict(zip(schema["enum"], texts, strict=True)) if texts else {}
    value_aliases = extra.get("value_aliases", {})
    if value_aliases:
        schema["enum"] = [*schema["enum"], *value_aliases]
    default = declaration.default
    if default is MISSING or default == ():
        default = None
    return Setting(
        name=declaration.name,
        group=group,
        schema=schema,
        read=extra.get("read") or _reader(hint, schema),
        description=description,
        default=[*default] if isinstance(default, tuple) else default,
        default_of=extra.get("default_of"),
        required=declaration.default is MISSING
        and declaration.default_factory is MISSING
        and "default_of" not in extra,
        options=options,
        alias=extra.get("alias", ""),
        value_aliases=value_aliases,
        any_case=extra.get("any_case", False),
    )


def _reader(hint: Any, schema: Mapping[str, Any]) -> Callable[[Any], Any]:  # noqa: ANN401 - a type
    if schema.get("type") == "integer":
        return int  # JSON's 1.0 is an integer to a schema, and a float to Python
    return lambda value: msgspec.convert(value, hint)


def _metas(hint: Any) -> Iterator[Meta]:  # noqa: ANN401 - a type
    """Find the marks of a type, those of what it wraps first."""
    inner, *marks = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    if marks:
        yield from _metas(inner)
    elif type(None) in get_args(inner):
        for part in get_args(inner):
            yield from _metas(part)
    yield from (mark for mark in marks if isinstance(mark, Meta))
