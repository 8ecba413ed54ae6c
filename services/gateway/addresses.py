"""From which address a client speaks. Absent: what an address may do."""

from services.gateway.exchange import Scope


def client_of(scope: Scope) -> str:
    """The peer's address; empty on a socket that has none."""
    client = scope.get("client")
    return str(client[0]) if client else ""
