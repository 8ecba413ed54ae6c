"""The schemas of Kubernetes, and of those kinds that others bring, over rendered objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import kubernetes_validate

OLDEST, NEWEST = "1.32", "1.37"
"""1.32 is the first with all we use: fields that one may select a custom resource by."""
FOREIGN = {
    "cert-manager.io",
    "gateway.networking.k8s.io",
    "monitoring.coreos.com",
    "tunggu.makassarkota.go.id",
}
"""Groups without a schema in the validator; other tests read their objects."""


def refusals(objects: Sequence[dict[str, Any]], version: str) -> list[str]:
    """A line an object that this Kubernetes would not take; unknown kinds are refused."""
    found = []
    for item in objects:
        name = f"{item['kind']} {item['metadata']['name']}"
        try:
            kubernetes_validate.validate(item, version, strict=True)
        except kubernetes_validate.SchemaNotFoundError:
            if item["apiVersion"].partition("/")[0] not in FOREIGN:
                found.append(f"{name}: {item['apiVersion']} is unknown to {version}")
        except kubernetes_validate.ValidationError as error:
            found.append(f"{name}: {'.'.join(map(str, error.path))}: {error.message}")
    return found
