"""AdStage's HAL documents: links, forms, embedded resources (API: HAL JSON Resources).

Pure functions over decoded JSON. Whoever follows a link passes its `href` through
`resolve`, which decides whether it may be followed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urljoin, urlsplit, urlunsplit

import uritemplate

from tap_adstage.exceptions import LinkError, ResponseError
from tap_adstage.runtime.redaction import excerpt, redact
from tap_adstage.source import Resource

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_OWN = ("_links", "_forms", "_embedded")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_PORT = re.compile(r":\d*$")
# Control characters, what decoding puts in their place, and what may pass for a slash.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\\ufffd]|^ | $")


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a resource.

    Attributes:
        href: Target: absolute, relative, or an RFC 6570 template.
        name: Which of several links of one relation it is, if it has a name.
        templated: Whether `href` is a template.
        form: Whether a form of the same name describes the request.
        attributes: The whole link, with AdStage's own additions.
    """

    href: str
    name: str | None = None
    templated: bool = False
    form: bool = False
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def target(self, **variables: str | int) -> str:
        """Return the link's target, its template expanded if it is one.

        Args:
            **variables: Values; a variable without one is omitted.

        Returns:
            The URL, absolute or relative as the link is.

        Raises:
            ResponseError: If `href` is not the template that it should be.
        """
        if not self.templated:
            return self.href
        try:
            return expand(self.href, **variables)
        except ValueError:
            raise ResponseError(
                f"the link {excerpt(self.href)} is not an RFC 6570 template",
            ) from None


@dataclass(frozen=True, slots=True)
class Form:
    """A request that AdStage suggests (API: Forms).

    Attributes:
        href: Target of the request.
        values: The suggested value of each field.
    """

    href: str
    values: Mapping[str, Any]


def links(resource: Mapping[str, Any], relation: str) -> list[Link]:
    """List the links of one relation, in the document's order.

    Args:
        resource: A HAL resource.
        relation: Name of the relation, such as `next` or `adstage:list`.

    Raises:
        ResponseError: If one of them is not a link.
    """
    value = _section(resource, "_links").get(relation)
    if value is None:
        return []
    return [
        _link(relation, link)
        for link in (value if isinstance(value, list) else [value])
    ]


def link(resource: Mapping[str, Any], relation: str) -> Link | None:
    """Find the first link of one relation, or `None`.

    Raises:
        ResponseError: If one of the relation's links is not a link.
    """
    return next(iter(links(resource, relation)), None)


def form(resource: Mapping[str, Any], name: str) -> Form | None:
    """Find a form of a resource, or `None`.

    Args:
        resource: A HAL resource.
        name: Name of the form, such as `next_page`.

    Raises:
        ResponseError: If it is not a form.
    """
    value = _section(resource, "_forms").get(name)
    if value is None:
        return None
    fields = value.get("fields") if isinstance(value, dict) else None
    if not isinstance(fields, dict):
        raise ResponseError(f"_forms.{name} has no fields")
    return Form(
        str(value.get("href", "")),
        {
            key: field.get("value") if isinstance(field, dict) else None
            for key, field in fields.items()
        },
    )


def embedded(resource: Mapping[str, Any], relation: str) -> list[dict[str, Any]]:
    """List the resources embedded under one relation; one alone is a list of one.

    Args:
        resource: A HAL resource.
        relation: Name of the relation, such as `item`.

    Returns:
        The resources in the document's order; none if the relation is missing.

    Raises:
        ResponseError: If one of them is not an object.
    """
    value = _section(resource, "_embedded").get(relation)
    if value is None:
        return []
    resources = value if isinstance(value, list) else [value]
    if not all(isinstance(item, dict) for item in resources):
        raise ResponseError(f"_embedded.{relation} is not made of objects")
    return resources


def resources(items: Iterable[Mapping[str, Any]], place: str) -> list[Resource]:
    """Give each resource of a list its place.

    Args:
        items: The resources in the list's order.
        place: The list's own place.
    """
    return [
        Resource(item, f"{place}[{position}]") for position, item in enumerate(items)
    ]


def own_fields(resource: Mapping[str, Any]) -> dict[str, Any]:
    """Copy a resource without its links, forms and embedded resources."""
    return {key: value for key, value in resource.items() if key not in _OWN}


def expand(template: str, **variables: str | int) -> str:
    """Expand an RFC 6570 template.

    Args:
        template: A template such as `/list_accounts{?limit,offset}`.
        **variables: Values; a variable without one is omitted.

    Returns:
        The URL, absolute or relative as the template is.
    """
    # As texts, because the library omits the number 0.
    values = {name: str(value) for name, value in variables.items()}
    return uritemplate.expand(template, {**values})


def resolve(href: str, page: str) -> str:
    """Make a link's URL absolute, and refuse one that may not be followed.

    Every request carries the bearer token, so links are followed on the API's own
    origin alone. AdStage's documents have `http` links to their own host: if the API is
    on `https`, these count as `https`.

    Args:
        href: The link's target, absolute or relative.
        page: Absolute URL of the document with the link.

    Returns:
        An absolute URL. Its origin is written as the page's, so that no other way to
        read the URL leads elsewhere.

    Raises:
        LinkError: If the link leads to another origin, or may be read in two ways.
    """
    try:
        source, target = urlsplit(page), urlsplit(urljoin(page, href))
        upward = _upward(source, target)
        followed = (
            not _is_ambiguous(href)
            and target.username is None
            and (upward or _origin(source) == _origin(target))
        )
    except ValueError:  # not a URL at all, or a port that is not a number
        followed = False
    if not followed:
        raise LinkError(
            f"the page {redact(page)} links to {excerpt(href)}, which is not on the "
            "API's own origin; it was not followed",
        )
    own = source._replace(path=target.path, query=target.query, fragment="")
    if upward:
        own = own._replace(scheme="https", netloc=_PORT.sub("", source.netloc))
    return urlunsplit(own)


def _is_ambiguous(href: str) -> bool:
    """Whether browsers and libraries may read a link in different ways.

    Some drop control characters, and some take a backslash for a slash. Without a host
    after a scheme or two slashes, some take the path's first part for one.
    """
    link = urlsplit(href)
    names_a_host = bool(link.scheme) or href.startswith("//")
    return bool(_UNSAFE.search(href)) or (names_a_host and not link.netloc)


def _upward(source: SplitResult, target: SplitResult) -> bool:
    """Whether one of two URLs of a host is on http and the other on https.

    Only on the standard ports, as any other port can't serve both.
    """
    return (
        {source.scheme, target.scheme} == {"http", "https"}
        and source.hostname == target.hostname
        and all(
            url.port in {None, _DEFAULT_PORTS[url.scheme]} for url in (source, target)
        )
    )


def _origin(url: SplitResult) -> tuple[str, str | None, int | None]:
    port = _DEFAULT_PORTS.get(url.scheme) if url.port is None else url.port
    return (url.scheme, url.hostname, port)


def _section(resource: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = resource.get(name)
    if section is None:
        return {}
    if not isinstance(section, dict):
        raise ResponseError(f"{name} is not an object")
    return section


def _link(relation: str, value: Any) -> Link:  # noqa: ANN401 - any JSON value
    if not isinstance(value, dict) or not isinstance(value.get("href"), str):
        raise ResponseError(f"_links.{relation} has no href")
    return Link(
        href=value["href"],
        name=value.get("name"),
        templated=value.get("templated") is True,
        form=value.get("form") is True,
        attributes=value,
    )
