"""The user of the access token, and the user's organizations."""

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
        number: AdStage's internal number, shown in `id`; endpoints don't accept it.
        fetch_id: The number that endpoints accept.
    """

    number: int
    fetch_id: int
    company_name: str


@dataclass(frozen=True)
class User:
    """The owner of the access token; `number` and `fetch_id` as for organizations."""

    number: int
    fetch_id: int
    first_name: str
    last_name: str
    email: str
    organizations: tuple[Organization, ...]


def build_user(organizations: int) -> User:
    """Return the user with that many organizations."""
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
