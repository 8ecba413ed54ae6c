"""What schemas cannot see: whether the objects of one rendering fit together.

Each check yields a line a fault. They are what a real cluster would accept and then not run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

Object = dict[str, Any]
Check = Callable[[Sequence[Object]], Iterator[str]]

WORKLOADS = ("Deployment", "StatefulSet")
NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
QUANTITY = re.compile(r"\d+(\.\d+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?")
CLUSTER_WIDE = ("Namespace", "CustomResourceDefinition")
BY_HAND = {
    ("ConfigMap", "jwks"),
    ("Secret", "internal-key"),
    ("Secret", "admin-key"),
    ("Secret", "redis-auth"),
    ("Secret", "tunggu-tls"),
}
"""What docs/OPERATIONS.md has ops make once; `makassar` has none of it in git."""


OPTIONAL = {"sentinel"}
"""Policies of pods that a component may bring."""


def name_of(found: Object) -> str:
    return f"{found['kind']} {found['metadata']['name']}"


def workloads(objects: Sequence[Object]) -> list[Object]:
    return [found for found in objects if found["kind"] in WORKLOADS]


def pod(workload: Object) -> dict[str, Any]:
    return workload["spec"]["template"]["spec"]  # type: ignore[no-any-return]


def labels(workload: Object) -> Mapping[str, str]:
    return workload["spec"]["template"]["metadata"].get("labels", {})  # type: ignore[no-any-return]


def containers(workload: Object) -> list[dict[str, Any]]:
    spec = pod(workload)
    return [*spec.get("initContainers", []), *spec["containers"]]


def _ports(workload: Object) -> dict[str, int]:
    return {p["name"]: p["containerPort"] for c in containers(workload) for p in c.get("ports", [])}


def matches(selector: Mapping[str, Any], found: Mapping[str, str]) -> bool:
    """A label selector with matchLabels and `In` expressions."""
    wanted = selector.get("matchLabels", {})
    if any(found.get(key) != value for key, value in wanted.items()):
        return False
    return all(
        found.get(e["key"]) in e["values"] for e in selector.get("matchExpressions", [])
    )  # the only operator that we use


# One check each ---------------------------------------------------------------------------------


def selectors_choose_their_own_pods(objects: Sequence[Object]) -> Iterator[str]:
    for found in workloads(objects):
        if not matches(found["spec"]["selector"], labels(found)):
            yield f"{name_of(found)}: its selector does not match its own pods"
    for found in objects:
        if found["kind"] == "Service":
            selector = {"matchLabels": found["spec"]["selector"]}
        elif found["kind"] in ("PodDisruptionBudget", "PodMonitor"):
            selector = found["spec"]["selector"]
        else:
            continue
        if not any(matches(selector, labels(workload)) for workload in workloads(objects)):
            yield f"{name_of(found)}: its selector matches no pod"


def services_lead_to_ports(objects: Sequence[Object]) -> Iterator[str]:
    for service in objects:
        if service["kind"] != "Service":
            continue
        selector = {"matchLabels": service["spec"]["selector"]}
        for workload in workloads(objects):
            if matches(selector, labels(workload)):
                yield from _leads(service, _ports(workload))


def _leads(service: Object, ports: Mapping[str, int]) -> Iterator[str]:
    for port in service["spec"]["ports"]:
        target = port.get("targetPort", port["port"])
        number = ports.get(target) if isinstance(target, str) else target
        if number not in ports.values():
            yield f"{name_of(service)}: port {target} is no port of its pods"
        elif service["spec"].get("clusterIP") == "None" and number != port["port"]:
            yield f"{name_of(service)}: a headless Service translates no port, {port['port']}"


def names_exist(objects: Sequence[Object]) -> Iterator[str]:
    there = {(found["kind"], found["metadata"]["name"]) for found in objects} | BY_HAND
    for found in objects:
        for kind, name in _named(found):
            if (kind, name) not in there:
                yield f"{name_of(found)}: there is no {kind} {name}"


def _named(found: Object) -> Iterator[tuple[str, str]]:
    if found["kind"] in WORKLOADS:
        yield from _named_by_pods(found)
    elif found["kind"] in NAMED:
        yield from NAMED[found["kind"]](found)


def _named_by_pods(found: Object) -> Iterator[tuple[str, str]]:
    yield "ServiceAccount", pod(found).get("serviceAccountName", "default")
    for volume in pod(found).get("volumes", []):
        if "configMap" in volume:
            yield "ConfigMap", volume["configMap"]["name"]
        if "secret" in volume:
            yield "Secret", volume["secret"]["secretName"]
    for container in containers(found):
        for source in container.get("envFrom", []):
            yield "ConfigMap", source["configMapRef"]["name"]
    if found["kind"] == "StatefulSet":
        yield "Service", found["spec"]["serviceName"]


def _named_by_scaler(found: Object) -> Iterator[tuple[str, str]]:
    target = found["spec"]["scaleTargetRef"]
    yield target["kind"], target["name"]


def _named_by_binding(found: Object) -> Iterator[tuple[str, str]]:
    for there in (found["roleRef"], *found["subjects"]):
        yield there["kind"], there["name"]


def _named_by_route(found: Object) -> Iterator[tuple[str, str]]:
    yield from (("Gateway", parent["name"]) for parent in found["spec"]["parentRefs"])
    for rule in found["spec"]["rules"]:
        yield from (("Service", backend["name"]) for backend in rule["backendRefs"])


def _named_by_ingress(found: Object) -> Iterator[tuple[str, str]]:
    for rule in found["spec"]["rules"]:
        yield from (("Service", p["backend"]["service"]["name"]) for p in rule["http"]["paths"])


NAMED = {
    "HorizontalPodAutoscaler": _named_by_scaler,
    "RoleBinding": _named_by_binding,
    "HTTPRoute": _named_by_route,
    "Ingress": _named_by_ingress,
}


def backends_are_ports(objects: Sequence[Object]) -> Iterator[str]:
    ports = {
        found["metadata"]["name"]: [port["port"] for port in found["spec"]["ports"]]
        for found in objects
        if found["kind"] == "Service"
    }
    for found in objects:
        if found["kind"] == "HTTPRoute":
            for rule in found["spec"]["rules"]:
                for backend in rule["backendRefs"]:
                    if backend["port"] not in ports.get(backend["name"], []):
                        yield f"{name_of(found)}: {backend['name']} has no port {backend['port']}"


def probes_ask_real_ports(objects: Sequence[Object]) -> Iterator[str]:
    for workload in workloads(objects):
        for container in containers(workload):
            ports = {p["name"]: p["containerPort"] for p in container.get("ports", [])}
            for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
                probe = container.get(kind, {})
                for way in ("grpc", "httpGet", "tcpSocket"):
                    port = probe.get(way, {}).get("port")
                    if port is not None and port not in ports and port not in ports.values():
                        yield f"{name_of(workload)}: {kind} asks port {port}, which is not there"


def mounts_and_volumes_are_pairs(objects: Sequence[Object]) -> Iterator[str]:
    for workload in workloads(objects):
        claims = workload["spec"].get("volumeClaimTemplates", [])
        have = {volume["name"] for volume in pod(workload).get("volumes", [])}
        have |= {claim["metadata"]["name"] for claim in claims}
        used = {m["name"] for c in containers(workload) for m in c.get("volumeMounts", [])}
        for name in sorted(used ^ have):
            yield f"{name_of(workload)}: the volume {name} is mounted or given, not both"


def budgets_name_one_bound(objects: Sequence[Object]) -> Iterator[str]:
    for found in objects:
        if found["kind"] == "PodDisruptionBudget":
            bounds = [b for b in ("minAvailable", "maxUnavailable") if b in found["spec"]]
            if len(bounds) != 1:
                yield f"{name_of(found)}: needs one of minAvailable and maxUnavailable"


def scaled_ones_leave_their_number(objects: Sequence[Object]) -> Iterator[str]:
    owned = {
        found["spec"]["scaleTargetRef"]["name"]
        for found in objects
        if found["kind"] == "HorizontalPodAutoscaler"
    }
    for found in workloads(objects):
        if found["metadata"]["name"] in owned and "replicas" in found["spec"]:
            yield f"{name_of(found)}: an autoscaler owns its number of pods"


def names_and_quantities_are_well_formed(objects: Sequence[Object]) -> Iterator[str]:
    for found in objects:
        if not NAME.fullmatch(found["metadata"]["name"]):
            yield f"{name_of(found)}: not a name"
    for workload in workloads(objects):
        for container in containers(workload):
            for part in container.get("resources", {}).values():
                for resource, value in part.items():
                    text = str(value)
                    if not QUANTITY.fullmatch(text) or (resource == "memory" and text[-1] == "m"):
                        yield f"{name_of(workload)}: {resource} {text} is no quantity"


def pods_are_restricted(objects: Sequence[Object]) -> Iterator[str]:
    for workload in workloads(objects):
        whole = pod(workload).get("securityContext", {})
        if whole.get("runAsNonRoot") is not True or not whole.get("runAsUser"):
            yield f"{name_of(workload)}: may run as root"
        if whole.get("seccompProfile", {}).get("type") != "RuntimeDefault":
            yield f"{name_of(workload)}: no seccomp profile"
        if pod(workload).get("enableServiceLinks") is not False:
            yield f"{name_of(workload)}: Services leak variables into it"
        if pod(workload).get("automountServiceAccountToken") is not (
            workload["metadata"]["name"] == "controller"
        ):
            yield f"{name_of(workload)}: only the controller has a token of the API server"
        for container in containers(workload):
            yield from _restricted(name_of(workload), container)


def _restricted(name: str, container: dict[str, Any]) -> Iterator[str]:
    context = container.get("securityContext", {})
    if context.get("allowPrivilegeEscalation") is not False or context.get("privileged"):
        yield f"{name}: may gain privileges"
    if context.get("readOnlyRootFilesystem") is not True:
        yield f"{name}: may write its own files"
    if context.get("capabilities", {}).get("drop") != ["ALL"]:
        yield f"{name}: has capabilities"
    resources = container.get("resources", {})
    if set(resources.get("requests", {})) < {"cpu", "memory"}:
        yield f"{name}: asks for no cpu or memory"
    if set(resources.get("limits", {})) != {"memory"}:
        yield f"{name}: is limited in memory and in nothing else"


def pods_end_in_time(objects: Sequence[Object]) -> Iterator[str]:
    for workload in workloads(objects):
        for container in containers(workload):
            stop = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {})
            if stop and stop["seconds"] + 20 > pod(workload).get(
                "terminationGracePeriodSeconds", 30
            ):
                yield f"{name_of(workload)}: too little time to end"
            if "livenessProbe" not in container or "startupProbe" not in container:
                yield f"{name_of(workload)}: nobody asks whether it lives"
            probe = container.get("livenessProbe", {}).get("grpc", {})
            if probe and probe.get("service") != "liveness":
                yield f"{name_of(workload)}: its liveness depends on more than the process"


def policies_let_through_what_is_meant(objects: Sequence[Object]) -> Iterator[str]:
    """A NetworkPolicy that names a port by name needs a pod that has it."""
    for found in objects:
        if found["kind"] != "NetworkPolicy":
            continue
        chosen = [w for w in workloads(objects) if matches(found["spec"]["podSelector"], labels(w))]
        if not chosen and found["metadata"]["name"] not in OPTIONAL:
            yield f"{name_of(found)}: chooses no pod"
        for rule in found["spec"].get("ingress", []):
            for port in rule.get("ports", []):
                if chosen and not any(
                    port["port"] in _ports(w) or port["port"] in _ports(w).values() for w in chosen
                ):
                    yield f"{name_of(found)}: no pod of its has the port {port['port']}"


def everything_is_in_the_namespace(objects: Sequence[Object]) -> Iterator[str]:
    for found in objects:
        if found["kind"] not in CLUSTER_WIDE and found["metadata"].get("namespace") != "tunggu":
            yield f"{name_of(found)}: outside of the namespace"


def images_have_a_version(objects: Sequence[Object]) -> Iterator[str]:
    for workload in workloads(objects):
        for container in containers(workload):
            _, _, tag = container["image"].rpartition("/")[2].partition(":")
            if tag == "latest":
                yield f"{name_of(workload)}: nobody knows what {container['image']} is"


CHECKS: tuple[Check, ...] = (
    selectors_choose_their_own_pods,
    services_lead_to_ports,
    names_exist,
    backends_are_ports,
    probes_ask_real_ports,
    mounts_and_volumes_are_pairs,
    budgets_name_one_bound,
    scaled_ones_leave_their_number,
    names_and_quantities_are_well_formed,
    pods_are_restricted,
    pods_end_in_time,
    policies_let_through_what_is_meant,
    everything_is_in_the_namespace,
    images_have_a_version,
)


def faults(objects: Sequence[Object]) -> list[str]:
    return [line for check in CHECKS for line in check(objects)]
