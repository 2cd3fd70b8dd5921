"""The forms and links of V2 reports that lead to other pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from tap_adstage.sandbox.adstage import page_tokens

if TYPE_CHECKING:
    from tap_adstage.sandbox.adstage.reports.request import ReportRequest

Json: TypeAlias = "dict[str, Any]"


def page_forms(request: ReportRequest, count: int, url: str) -> Json:
    """Return the forms of the next and the previous page, if there are such pages.

    Args:
        request: The request for the current page.
        count: How many rows all pages have.
        url: The address that the forms are sent to.
    """
    limit, offset = request.limit, request.offset
    forms = {}
    if offset + limit < count:
        forms["next_page"] = _report_form(request, url, offset + limit)
    if offset > 0:
        forms["prev_page"] = _report_form(request, url, max(0, offset - limit))
    return forms


def form_link(form: Json) -> Json:
    """Return the link that belongs to a form."""
    return {"href": form["href"], "method": form["method"], "form": True}


def _report_form(request: ReportRequest, url: str, offset: int) -> Json:
    """Return a form in AdStage's way, which repeats only part of the request.

    It has V1's path, and omits slices, group, order, summaries, statuses and targets.
    """
    body = request.body
    source = body["sources"]["metrics"]
    is_series = request.output_format == "series"
    organization = url.rsplit("/", 2)[1]
    targets = [f"/network/adstage/organization/{organization}"] if is_series else None
    fields = {
        "date_range": ("string", body["date_range"]),
        "fields": ("array", body["fields"]),
        "filters": ("array", body.get("filters") or []),
        "forms": ("array", None),
        "ignore_precision": ("boolean", request.ignore_precision),
        "links": (["boolean", "array"], None),
        "output_format": ("string", request.output_format),
        "sort_by": ("string", body["sort_by"]),
        "sources": (
            "object",
            {
                "metrics": {
                    "targets": targets,
                    "networks": source["networks"],
                    "entity_level": request.entity_level,
                }
            },
        ),
        "version": ("string", "2"),
        "page_token": ("string", page_tokens.encode(request.limit, offset)),
    }
    return {
        "href": url,
        "method": "POST",
        "fields": {
            name: {"type": kind, "value": value}
            for name, (kind, value) in fields.items()
        },
    }
