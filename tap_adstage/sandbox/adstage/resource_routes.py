"""The routes of the resources: user, organizations, lists, descriptors, imports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request

from tap_adstage.sandbox.adstage import descriptors, hal, resources
from tap_adstage.sandbox.adstage.answers import api_url
from tap_adstage.sandbox.adstage.refusals import NotFound
from tap_adstage.sandbox.service.wsgi import bearer_token, json_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tap_adstage.sandbox.adstage.backend import Backend
    from tap_adstage.sandbox.world.entities import Entity
    from tap_adstage.sandbox.world.organizations import Organization


def add_resource_routes(app: Flask, backend: Backend) -> None:
    """Add the endpoints of all resources to an application."""
    _add_user_routes(app, backend)
    _add_account_routes(app, backend)
    _add_folder_route(app, backend)
    _add_descriptor_routes(app, backend)


def find_organization(backend: Backend, organization_id: int) -> Organization:
    """Return the organization with that id.

    Raises:
        NotFound: The user has no such organization.
    """
    for organization in backend.world.organizations:
        if organization.fetch_id == organization_id:
            return organization
    raise NotFound(f"there is no organization {organization_id}")


def _add_user_routes(app: Flask, backend: Backend) -> None:
    world = backend.world

    @app.get("/api/me")
    def me() -> Response:
        is_lightweight = request.args.get("type") == "lightweight"
        return json_answer(
            resources.current_user(
                world, backend.switches.imports, lightweight=is_lightweight
            )
        )

    @app.get("/api/organizations/<int:organization_id>")
    def organization(organization_id: int) -> Response:
        return json_answer(
            resources.organization_resource(
                find_organization(backend, organization_id), world
            )
        )

    @app.get("/api/users/<int:user_id>/sync_information")
    def sync_information(user_id: int) -> Response:
        _check_user(backend, user_id)
        return json_answer(
            resources.sync_information(
                world, backend.clock.today, backend.switches.imports
            )
        )


def _add_account_routes(app: Flask, backend: Backend) -> None:
    world = backend.world

    @app.get("/api/users/<int:user_id>/list_network_accounts/all")
    def accounts(user_id: int) -> Response:
        _check_user(backend, user_id)
        return json_answer(_account_page(world.entities("accounts")))

    @app.get("/api/users/<int:user_id>/account_groups")
    def account_groups(user_id: int) -> Response:
        _check_user(backend, user_id)
        url = api_url()
        return json_answer(
            _page(
                world.account_groups,
                lambda group: resources.account_group_resource(group, user_id, url),
            )
        )

    @app.get("/api/users/<int:user_id>/account_groups/<int:group_id>/list_accounts")
    def account_group_accounts(user_id: int, group_id: int) -> Response:
        _check_user(backend, user_id)
        for group in world.account_groups:
            if group.id == group_id:
                return json_answer(_account_page(group.accounts))
        raise NotFound(f"there is no account group {group_id}")


def _add_folder_route(app: Flask, backend: Backend) -> None:
    @app.get("/api/users/<int:user_id>/list_folders")
    def folders(user_id: int) -> Response:
        _check_user(backend, user_id)
        url = api_url()
        page = _page(
            backend.world.folders, lambda folder: resources.folder_resource(folder, url)
        )
        limit = page["page_options"]["limit"]
        page["_links"]["self"] = {
            "href": f"{request.base_url}?limit={limit}&access_token={bearer_token()}"
        }
        page["counts"] = {}
        return json_answer(page)


def _add_descriptor_routes(app: Flask, backend: Backend) -> None:
    @app.get("/api/metric_descriptors")
    def metric_descriptors() -> Response:
        return json_answer(descriptors.cross_network_descriptors())

    @app.get("/api/metric_descriptors/<provider>")
    def provider_metric_descriptors(provider: str) -> Response:
        listed = descriptors.provider_descriptors(provider)
        if listed is None:
            raise NotFound(f"there are no metric descriptors of {provider!r}")
        return json_answer(listed)

    @app.get("/api/organizations/<int:organization_id>/metric_descriptors")
    def organization_metric_descriptors(organization_id: int) -> Response:
        find_organization(backend, organization_id)
        return json_answer(descriptors.organization_descriptors())


def _check_user(backend: Backend, user_id: int) -> None:
    if user_id != backend.world.user.fetch_id:
        raise NotFound(f"there is no user {user_id}")


def _account_page(accounts: Sequence[Entity]) -> dict[str, Any]:
    url = api_url()
    return _page(accounts, lambda account: resources.account_resource(account, url))


def _page(
    items: Sequence[Any], write: Callable[[Any], dict[str, Any]]
) -> dict[str, Any]:
    """Return the requested page of a list, which is sorted by name."""
    limit, offset = hal.page_of(request.args)
    by_name = sorted(items, key=lambda item: item.name)
    return hal.list_page(
        by_name, write, url=request.base_url, limit=limit, offset=offset
    )
