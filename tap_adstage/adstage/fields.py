"""The fields that AdStage's reports can have, and the types of their columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tap_adstage.adstage.meta_fields import META_FIELDS, meta_field
from tap_adstage.reports.columns import Column, Kind, column_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

DEFAULT_META_FIELDS = ("entity_id", "network", "currency_code")
"""Meta fields that every ungrouped row has, requested or not."""

OBJECTS = {
    "objective": ("code", "title", "subtitle", "unit"),
    "tracking_params": (
        "utm_medium",
        "utm_source",
        "utm_campaign",
        "utm_content",
        "utm_term",
    ),
}
"""Documented objects and their members; flattening makes a column of each member."""


@dataclass(frozen=True, slots=True)
class FieldCatalog:
    """The fields that reports of one provider can have.

    Attributes:
        metrics: The API's spelling of each descriptor's field, by its lower-case form.
        texts: Lower-case ids of the descriptors that are text.
        is_external: Whether it is an external provider's. External descriptors list all
            fields; AdStage's own omit the documented meta fields.
    """

    metrics: Mapping[str, str]
    texts: frozenset[str]
    is_external: bool = False

    @classmethod
    def of(
        cls,
        descriptors: Iterable[Mapping[str, Any]],
        *,
        is_external: bool = False,
    ) -> FieldCatalog:
        """Collect the fields of metric descriptors.

        Args:
            descriptors: Cross-network ones and the organization's own, or those of an
                external provider.
            is_external: Whether they are an external provider's.

        Returns:
            The catalog.
        """
        ids = {
            str(descriptor["id"]).lower(): descriptor
            for descriptor in descriptors
            if descriptor.get("id")
        }
        return cls(
            {lower: str(descriptor["id"]) for lower, descriptor in ids.items()},
            frozenset(
                lower
                for lower, descriptor in ids.items()
                if "TEXT" in {descriptor.get("type"), descriptor.get("format")}
            ),
            is_external,
        )

    def metric(self, field: str) -> str | None:
        """Find the API's spelling of a descriptor's field in any case, or `None`."""
        return self.metrics.get(field.lower())

    def family(self, prefix: str) -> list[str]:
        """List the metrics whose names begin with a text in lower case, sorted."""
        return sorted(
            metric for lower, metric in self.metrics.items() if lower.startswith(prefix)
        )

    def meta(self, field: str) -> str | None:
        """Find the API's spelling of a meta field in any case, or `None`.

        An external provider's meta fields are its text descriptors and the default
        ones.
        """
        if not self.is_external:
            return meta_field(field)
        if field.lower() in self.texts:
            return self.metric(field)
        return field.lower() if field.lower() in DEFAULT_META_FIELDS else None

    def spelling(self, field: str) -> str:
        """Spell a field as the API does; an unknown one in lower case."""
        return self.metric(field) or self.meta(field) or field.lower()

    def column(self, field: str) -> Column | None:
        """Make the column of a field in any case, or `None` if it is unknown."""
        metric = self.metric(field)
        if metric is not None:
            is_text = metric.lower() in self.texts
            kind = Kind.TEXT if is_text else Kind.METRIC
            return Column(column_name(metric), metric, kind)
        meta = self.meta(field)
        if meta is None:
            return None
        return Column(
            column_name(meta),
            meta,
            _kind(meta),
            requested=not self.is_external,
            members=OBJECTS.get(meta, ()),
        )

    @property
    def names(self) -> list[str]:
        """All fields, in the API's spelling."""
        return [
            *self.metrics.values(),
            *(DEFAULT_META_FIELDS if self.is_external else META_FIELDS),
        ]

    @property
    def meta_names(self) -> list[str]:
        """All fields but the metrics."""
        texts = [self.metrics[lower] for lower in sorted(self.texts)]
        return [*texts, *DEFAULT_META_FIELDS] if self.is_external else [*META_FIELDS]


def dimension_column(name: str) -> Column:
    """Make the column of a dimension: a network's own name, which AdStage doesn't list.

    Args:
        name: The dimension as the network spells it, and as it is sent.
    """
    return Column(column_name(name), name, Kind.TEXT, requested=False)


def _kind(meta: str) -> Kind:
    if meta.endswith("_float"):
        return Kind.NUMBER
    if meta in OBJECTS:
        return Kind.OBJECT
    if meta.startswith(("folder_names", "folder_ids")):
        return Kind.ARRAY
    return Kind.TEXT
