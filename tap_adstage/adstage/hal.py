"""AdStage's HAL documents: links, forms, embedded resources (API: HAL JSON Resources).

Pure functions over decoded JSON. Whoever follows a link passes its `href` through
`resolve`, which is where it is decided that a link may be followed at all.
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
# Control characters, or what decoding put in place of one; what some take for a slash.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\\ufffd]|^ | $")


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a resource.

    Attributes:
        href: Where it leads: absolute, relative, or an RFC 6570 template.
        name: Which of several links of one relation it is, if it says.
        templated: Whether `href` is a template.
        form: Whether a form of the same name says how to follow it.
        attributes: The whole link, with AdStage's own additions.
    """

    href: str
    name: str | None = None
    templated: bool = False
    form: bool = False
    attributes: Mapping[str, Any] = field(default_factory=dict)

    def target(self, **variables: str | int) -> str:
        """Where the link leads, its template expanded if it is one.

        Args:
            **variables: Values; a variable without one is left out.

        Returns:
            The URL, absolute or relative as the link is.

        Raises:
            ResponseError: If it is said to be a template, and is none.
        """
        if not self.templated:
            return self.href
        try:
            return expand(self.href, **variables)
        except ValueError:
            raise ResponseError(
                f"the link {excerpt(self.href)} is no RFC 6570 template",
            ) from None


@dataclass(frozen=True, slots=True)
class Form:
    """A request that AdStage suggests (API: Forms).

    Attributes:
        href: Where it is to be sent.
        values: The suggested value of each field.
    """

    href: str
    values: Mapping[str, Any]


def links(resource: Mapping[str, Any], relation: str) -> list[Link]:
    """All links of one relation.

    Args:
        resource: A HAL resource.
        relation: Name of the relation, such as `next` or `adstage:list`.

    Returns:
        The links in the document's order; none where there is no such relation.

    Raises:
        ResponseError: If what stands there is no link.
    """
    found = _section(resource, "_links").get(relation)
    if found is None:
        return []
    return [
        _link(relation, link)
        for link in (found if isinstance(found, list) else [found])
    ]


def link(resource: Mapping[str, Any], relation: str) -> Link | None:
    """The first link of one relation, if there is any.

    Raises:
        ResponseError: If what stands there is no link.
    """
    return next(iter(links(resource, relation)), None)


def form(resource: Mapping[str, Any], name: str) -> Form | None:
    """A form of a resource, if it is there.

    Args:
        resource: A HAL resource.
        name: Name of the form, such as `next_page`.

    Returns:
        The form, or `None`.

    Raises:
        ResponseError: If what stands there is no form.
    """
    found = _section(resource, "_forms").get(name)
    if found is None:
        return None
    fields = found.get("fields") if isinstance(found, dict) else None
    if not isinstance(fields, dict):
        raise ResponseError(f"_forms.{name} has no fields")
    return Form(
        str(found.get("href", "")),
        {
            key: value.get("value") if isinstance(value, dict) else None
            for key, value in fields.items()
        },
    )


def embedded(resource: Mapping[str, Any], relation: str) -> list[dict[str, Any]]:
    """The resources embedded under one relation; one alone counts as a list of one.

    Args:
        resource: A HAL resource.
        relation: Name of the relation, such as `item`.

    Returns:
        The resources in the document's order; none where there is no such relation.

    Raises:
        ResponseError: If what stands there is not made of resources.
    """
    found = _section(resource, "_embedded").get(relation)
    if found is None:
        return []
    resources = found if isinstance(found, list) else [found]
    if not all(isinstance(item, dict) for item in resources):
        raise ResponseError(f"_embedded.{relation} is not made of objects")
    return resources


def resources(found: Iterable[Mapping[str, Any]], place: str) -> list[Resource]:
    """The resources of a list, each with its place.

    Args:
        found: The resources in the list's order.
        place: The list's own place.
    """
    return [
        Resource(resource, f"{place}[{position}]")
        for position, resource in enumerate(found)
    ]


def own_fields(resource: Mapping[str, Any]) -> dict[str, Any]:
    """A resource's own data: no links, forms and embedded resources.

    Args:
        resource: A HAL resource.

    Returns:
        A copy that may be written as a record.
    """
    return {key: value for key, value in resource.items() if key not in _OWN}


def expand(template: str, **variables: str | int) -> str:
    """Expand an RFC 6570 template.

    Args:
        template: A template such as `/list_accounts{?limit,offset}`.
        **variables: Values; a variable without one is left out.

    Returns:
        The URL, absolute or relative as the template is.
    """
    # As texts: the library leaves the value of the number 0 out.
    values = {name: str(value) for name, value in variables.items()}
    return uritemplate.expand(template, {**values})


def resolve(href: str, page: str) -> str:
    """Decide where a link leads, and that it may be followed.

    The bearer token goes along with every request, so a link is followed on the API's
    own origin alone. `http` on the API's host counts as `https` where the API itself
    is on `https`: AdStage's documents hold such links.

    Args:
        href: The link's target, absolute or relative.
        page: Absolute URL of the document that holds the link.

    Returns:
        An absolute URL. Its origin is written as the page's: whoever reads the URL in
        another way than this function still ends up there.

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
    except ValueError:  # no URL at all, or a port that is no number
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
    """Whether browsers and libraries take a link for different ones.

    Some drop control characters, some take a backslash for a slash, and what follows a
    scheme, or two slashes, for a host where there is none.
    """
    link = urlsplit(href)
    names_a_host = bool(link.scheme) or href.startswith("//")
    return bool(_UNSAFE.search(href)) or (names_a_host and not link.netloc)


def _upward(source: SplitResult, target: SplitResult) -> bool:
    """Whether one of two URLs of a host is on http and the other on https.

    Only on the standard ports: elsewhere one port can't be both.
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


def _link(relation: str, found: Any) -> Link:  # noqa: ANN401 - any JSON value
    if not isinstance(found, dict) or not isinstance(found.get("href"), str):
        raise ResponseError(f"_links.{relation} has no href")
    return Link(
        href=found["href"],
        name=found.get("name"),
        templated=found.get("templated") is True,
        form=found.get("form") is True,
        attributes=found,
    )
