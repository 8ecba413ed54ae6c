"""What the rendered manifests tell each process, as its container would find it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from services.chassis import config
from services.chassis.token import make_key
from services.controller.config import ControllerConfig
from services.gateway.config import read
from services.notify.config import NotifyConfig
from services.queue.config import QueueConfig
from services.survey.config import SurveyConfig
from tests.deploy.references import Object, containers, pod
from tests.deploy.rendered import of

READS: Mapping[str, Callable[[Mapping[str, str]], Any]] = {
    "queue": lambda environ: config.load(QueueConfig, environ),
    "survey": lambda environ: config.load(SurveyConfig, environ),
    "notify": lambda environ: config.load(NotifyConfig, environ),
    "controller": lambda environ: config.load(ControllerConfig, environ),
    "gateway": read,
}


def environment(objects: Sequence[Object], name: str, folder: Path) -> dict[str, str]:
    """The variables of a Deployment's container; files that it mounts are in `folder`."""
    (workload,) = of(objects, "Deployment", name)
    (container,) = containers(workload)
    found: dict[str, str] = {}
    for source in container.get("envFrom", []):
        (data,) = of(objects, "ConfigMap", source["configMapRef"]["name"])
        found |= data["data"]
    for given in container["env"]:
        found[given["name"]] = given.get("value", "tunggu")  # of a field: the namespace
    mounted = _mounted(objects, workload, container)
    return {key: _at(value, mounted, folder) for key, value in found.items()}


def _mounted(objects: Sequence[Object], workload: Object, container: Any) -> set[str]:
    """The files that a container has, as it names them."""
    volumes = {volume["name"]: volume for volume in pod(workload)["volumes"]}
    found = set()
    for mount in container["volumeMounts"]:
        volume = volumes[mount["name"]]
        source = volume.get("configMap", {}).get("name") or volume.get("secret", {}).get(
            "secretName"
        )
        for kept in objects if source else ():
            if kept["kind"] in ("ConfigMap", "Secret") and kept["metadata"]["name"] == source:
                found |= {f"{mount['mountPath']}/{key}" for key in kept["data"]}
    return found


def _at(value: str, mounted: set[str], folder: Path) -> str:
    if not value.startswith("/"):
        return value
    assert value in mounted, f"nobody mounts {value}"
    if not (folder / "private.pem").exists():
        make_key(folder)
        (folder / "password").write_text("secret\n")
    return str(folder / Path(value).name)
