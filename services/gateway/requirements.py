"""Whom a route admits, as the protos say with `(tunggu.access.v1.requires)`.

The services decide; this is what the description tells.
"""

from dataclasses import dataclass

from services.gateway.routes import Route
from tunggu.access.v1.access_pb2 import Role, requires

PUBLIC, HOLDER = "PUBLIC", "HOLDER"


@dataclass(frozen=True, slots=True)
class Requirement:
    """The roles of one route, in the proto's order."""

    roles: tuple[str, ...]

    @property
    def public(self) -> bool:
        """Whether anyone may call, without so much as a ticket's id."""
        return PUBLIC in self.roles

    @property
    def free(self) -> bool:
        """Whether a call without a token may be admitted."""
        return self.public or HOLDER in self.roles

    @property
    def staff(self) -> tuple[str, ...]:
        """The roles that only a token gives."""
        return tuple(role for role in self.roles if role not in (PUBLIC, HOLDER))


def of(route: Route) -> Requirement:
    """By ticket id the method's roles, otherwise its staff roles where it has any."""
    option = route.rpc.GetOptions().Extensions[requires]
    by_id = "ticket_id" in route.variables
    roles = option.staff_roles if option.staff_roles and not by_id else option.roles
    return Requirement(tuple(Role.Name(role).removeprefix("ROLE_") for role in roles))
