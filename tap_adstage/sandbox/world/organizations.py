"""The user and the organizations that an access token leads to."""

from __future__ import annotations

from dataclasses import dataclass

_COMPANIES = (
    "Lighthouse Agency",
    "Lighthouse Agency Europe",
    "Beacon Media",
    "Foghorn Labs",
)


@dataclass(frozen=True)
class Organization:
    """A customer of AdStage.

    Attributes:
        number: AdStage's internal number, which `id` shows and no endpoint takes.
        fetch_id: The number by which endpoints know the organization.
    """

    number: int
    fetch_id: int
    company_name: str


@dataclass(frozen=True)
class User:
    """The person whose token it is; `number` and `fetch_id` as of organizations."""

    number: int
    fetch_id: int
    first_name: str
    last_name: str
    email: str
    organizations: tuple[Organization, ...]


def build_user(organizations: int) -> User:
    """Return the sandbox's user with that many organizations."""
    return User(
        number=1,
        fetch_id=40,
        first_name="Robin",
        last_name="Marlow-Grey",
        email="robin@lighthouse.example",
        organizations=tuple(
            Organization(
                number=1 + index,
                fetch_id=40 + index,
                company_name=_COMPANIES[index]
                if index < len(_COMPANIES)
                else f"Client {index + 1}",
            )
            for index in range(organizations)
        ),
    )
