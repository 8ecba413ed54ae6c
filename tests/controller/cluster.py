"""A Kubernetes API over real HTTP (kmock), a queue of its own, and the controller between them."""

from __future__ import annotations

import asyncio
import copy
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import kmock
import kubernetes

from services.local.office_file import read
from tests.deploy.rendered import ROOT
from tests.queue.servicing import Process, keys
from tunggu.survey.v1 import survey_pb2, survey_pb2_grpc
from tunggu.survey.v1.survey_pb2 import Satisfaction
from tunggu.survey.v1.tally_pb2 import Tally

RESOURCE = "tunggu.makassarkota.go.id/v1alpha1/kecamatans"
GROUP, VERSION, PLURAL = "tunggu.makassarkota.go.id", "v1alpha1", "kecamatans"
NAMESPACE = "tunggu"
PATIENCE = 30.0  # seconds for what takes a few
NOT_FOUND = 404
LOOK = 0.4  # seconds between two looks
AS_IN_THE_IMAGE = """
import runpy, sys
sys.modules["kubernetes"] = None  # a thing of the workshop, which kopf would take seconds to import
sys.argv = ["services.controller"]
runpy.run_module("services.controller", run_name="__main__", alter_sys=True)
"""


def makassar(called: str = "makassar", /, **spec: Any) -> dict[str, Any]:
    """The file of Kecamatan Makassar as a resource; `spec` replaces members."""
    (office,) = read(ROOT / "kecamatan" / "makassar.yaml")
    office["metadata"] = {"name": called, "namespace": NAMESPACE}
    office["spec"] |= spec
    return office


@dataclass
class Cluster:
    """`api` is the API server, `created` how many resources it was given."""

    api: kmock.KubernetesEmulator
    client: kubernetes.client.CustomObjectsApi
    created: int = 0

    @property
    def url(self) -> str:
        return str(self.api.url).rstrip("/")

    async def _ask(self, verb: str, *arguments: Any) -> Any:
        """The client blocks, and the server runs in this loop."""
        method = getattr(self.client, f"{verb}_namespaced_custom_object")
        return await asyncio.to_thread(method, GROUP, VERSION, NAMESPACE, PLURAL, *arguments)

    async def create(self, item: dict[str, Any]) -> None:
        """As `kubectl create` on a real server, which gives an object what kmock does not."""
        item = copy.deepcopy(item)
        self.created += 1
        item["metadata"] |= {
            "uid": f"uid-{self.created}",
            "generation": 1,
            "resourceVersion": str(self.created),
            "creationTimestamp": f"2026-11-23T10:00:{self.created:02d}Z",
        }
        await self._ask("create", item)

    async def get(self, name: str = "makassar") -> dict[str, Any]:
        return await self._ask("get", name)  # type: ignore[no-any-return]

    async def patch(self, change: dict[str, Any], name: str = "makassar") -> None:
        generation = (await self.get(name))["metadata"]["generation"] + 1
        metadata = {**change.get("metadata", {}), "generation": generation}
        await self._ask("patch", name, {**change, "metadata": metadata})

    async def delete(self, name: str = "makassar") -> None:
        """What a real server does while there are finalizers: it marks."""
        await self.patch({"metadata": {"deletionTimestamp": "2026-11-23T12:00:00Z"}}, name)

    async def status(self, name: str = "makassar") -> dict[str, Any]:
        return (await self.get(name)).get("status", {})  # type: ignore[no-any-return]

    async def condition(self, kind: str, name: str = "makassar") -> dict[str, Any]:
        known = {c["type"]: c for c in (await self.status(name)).get("conditions", ())}
        return known.get(kind, {})  # type: ignore[no-any-return]

    async def ready(self, status: str = "True", name: str = "makassar") -> dict[str, Any]:
        """The condition once it is so."""

        async def holds() -> dict[str, Any] | None:
            found = await self.condition("Ready", name)
            return found if found.get("status") == status else None

        return await until(holds)  # type: ignore[no-any-return]

    async def seen(self, generation: int, name: str = "makassar") -> None:
        """Returns once the status is of that generation."""

        async def holds() -> bool:
            return (await self.status(name)).get("observedGeneration") == generation

        await until(holds)

    async def guarded(self, name: str = "makassar") -> None:
        """Returns once the resource has a finalizer."""

        async def holds() -> bool:
            return bool((await self.get(name))["metadata"].get("finalizers"))

        await until(holds)

    async def gone(self, name: str = "makassar") -> None:
        """Returns once the last finalizer is off, at which the server drops the resource."""

        async def holds() -> bool:
            try:
                await self.get(name)
            except kubernetes.client.ApiException as error:
                return bool(error.status == NOT_FOUND)
            return False

        await until(holds)


async def until(holds: Callable[[], Awaitable[Any]]) -> Any:
    """Its first true value; waits generously."""
    async with asyncio.timeout(PATIENCE):
        while not (found := await holds()):
            await asyncio.sleep(0.05)
    return found


def prepared(api: kmock.KubernetesEmulator) -> Cluster:
    """An API server that knows our kind, and those that kopf asks for."""
    verbs = {"list", "watch", "get", "create", "update", "patch", "delete"}
    api.resources[RESOURCE] = {
        "kind": "Kecamatan", "singular": "kecamatan", "namespaced": True,
        "verbs": verbs, "subresources": {"status"}, "shortnames": {"kec"}, "categories": set(),
    }  # fmt: skip
    for name, kind, singular in (
        ("v1/namespaces", "Namespace", "namespace"),
        (
            "apiextensions.k8s.io/v1/customresourcedefinitions",
            "CustomResourceDefinition",
            "customresourcedefinition",
        ),
    ):
        api.resources[name] = {
            "kind": kind, "singular": singular, "namespaced": False,
            "verbs": verbs, "subresources": set(), "shortnames": set(), "categories": set(),
        }  # fmt: skip
    settings = kubernetes.client.Configuration(host=str(api.url).rstrip("/"))
    client = kubernetes.client.CustomObjectsApi(kubernetes.client.ApiClient(settings))
    return Cluster(api, client)


def kubeconfig(cluster: Cluster, folder: Path) -> Path:
    """By which a process finds this API server."""
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "kmock",
        "contexts": [{"name": "kmock", "context": {"cluster": "kmock", "user": "nobody"}}],
        "clusters": [{"name": "kmock", "cluster": {"server": cluster.url}}],
        "users": [{"name": "nobody", "user": {}}],
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(document))
    return path


class Answers(survey_pb2_grpc.SurveyServiceServicer):
    """A survey that knows one day of every office."""

    def __init__(self, total: Tally) -> None:
        self.total = total

    async def GetSatisfaction(self, request: Any, context: Any) -> Any:
        return survey_pb2.GetSatisfactionResponse(
            satisfaction=Satisfaction(kecamatan=request.kecamatan, total=self.total)
        )


@asynccontextmanager
async def surveyed(total: Tally) -> AsyncIterator[str]:
    """The target of a survey over real gRPC that says so of every office."""
    server = grpc.aio.server()
    survey: Any = Answers
    survey_pb2_grpc.add_SurveyServiceServicer_to_server(survey(total), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"ipv4:127.0.0.1:{port}"
    finally:
        await server.stop(1)


@asynccontextmanager
async def controlled(
    cluster: Cluster, queue: Process, folder: Path, survey: str = ""
) -> AsyncIterator[None]:
    """The controller at work, a process of its own; ended by SIGTERM. Without a survey the queue
    is asked in its place, and says at once that it knows of no such thing."""
    settings = {
        "QUEUE": f"ipv4:{queue.address}",
        "SURVEY": survey or f"ipv4:{queue.address}",
        "KEY": keys(),
        "NAMESPACE": NAMESPACE,
        "INTERVAL": LOOK,
    }
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("TUNGGU_", "KUBERNETES_"))}
    environ |= {f"TUNGGU_{name}": str(value) for name, value in settings.items()}
    environ["KUBECONFIG"] = str(kubeconfig(cluster, folder))
    command = [sys.executable, "-P", "-c", AS_IN_THE_IMAGE]
    log = folder / "controller.log"
    with log.open("ab") as stderr:
        process = subprocess.Popen(command, env=environ, stderr=stderr)
    try:
        yield
        process.terminate()
        assert await asyncio.to_thread(process.wait, PATIENCE) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()
