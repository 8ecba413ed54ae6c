"""A Kecamatan resource as the file that the queue takes. Pure: no Kubernetes, no gRPC."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format

from tunggu.queue.v1 import kecamatan_pb2 as pb
from tunggu.queue.v1.ticket_pb2 import Channel

GROUP, VERSION, PLURAL = "tunggu.makassarkota.go.id", "v1alpha1", "kecamatans"
PREFIX = "CHANNEL_"


class UnreadableError(ValueError):
    """The resource is no Kecamatan message; the text says where."""


def file_of(name: str, spec: Mapping[str, Any]) -> pb.Kecamatan:
    """The file: what Kubernetes adds to the resource is not part of it. UnreadableError."""
    spec = dict(spec)
    if isinstance(services := spec.get("services"), list):
        spec["services"] = [_in_full(service) for service in services]
    whole = {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "Kecamatan",
        "metadata": {"name": name},
        "spec": spec,
    }
    try:
        return json_format.ParseDict(whole, pb.Kecamatan())
    except json_format.ParseError as error:
        raise UnreadableError(str(error)) from None


def _in_full(service: Any) -> Any:
    """With `WEB` as the proto's JSON reads it; what is no service stays for it to refuse."""
    if not isinstance(service, Mapping) or not isinstance(service.get("channels"), list):
        return service
    return {**service, "channels": [_long(str(channel)) for channel in service["channels"]]}


def _long(channel: str) -> str:
    return channel if channel in Channel.keys() else PREFIX + channel  # noqa: SIM118 (an enum)


@dataclass(frozen=True, order=True)
class Claim:
    """A resource that names a code; of several the oldest has it, by name among equals."""

    created: str  # RFC 3339
    name: str


def owner(claims: Iterable[Claim]) -> str:
    """The name of the resource whose the code is; empty if nobody claims it."""
    return min(claims).name if (claims := list(claims)) else ""
