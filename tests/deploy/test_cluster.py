"""A real cluster, the one that KUBECONFIG points at: `pytest -m cluster`.

It applies the overlay dev as `make deploy OVERLAY=dev` does, images included in the cluster
beforehand (docs/OPERATIONS.md). Without KUBECONFIG every test skips, and says so.
"""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import kubernetes
import pytest

from services.chassis.token import mint
from tests.deploy.rendered import K8S, ROOT
from tests.e2e.processes import free_ports

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(900)]

NAMESPACE = "tunggu"
GROUP, VERSION, PLURAL = "tunggu.makassarkota.go.id", "v1alpha1", "kecamatans"
CODE = "73.71.03"
FINE = range(200, 300)
PATIENCE = 300.0
KUBECTL = Path(sys.executable).with_name("kubectl")


def kubectl(*arguments: str) -> str:
    done = subprocess.run(
        [KUBECTL, "-n", NAMESPACE, *arguments],
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def until(holds: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE
    while not (found := holds()):
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(1)
    return found


@pytest.fixture(scope="module")
def cluster() -> Any:
    """The API of a cluster on which everything has been applied."""
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("no cluster: KUBECONFIG is not set")
    kubernetes.config.load_kube_config()
    subprocess.run(["make", "deploy", "OVERLAY=dev"], cwd=ROOT, timeout=900, check=True)
    return kubernetes.client


@pytest.fixture(scope="module")
def office(cluster: Any) -> dict[str, Any]:
    """The resource of Kecamatan Makassar, once it is ready."""
    api = cluster.CustomObjectsApi()

    def ready() -> dict[str, Any] | None:
        item = api.get_namespaced_custom_object(GROUP, VERSION, NAMESPACE, PLURAL, "makassar")
        states = {c["type"]: c["status"] for c in item.get("status", {}).get("conditions", ())}
        return item if states.get("Ready") == "True" else None

    return until(ready)  # type: ignore[no-any-return]


@contextmanager
def gateway() -> Iterator[httpx.Client]:
    """The Service `gateway`, by kubectl's forwarding to one of its pods."""
    (port,) = free_ports(1)
    command = [KUBECTL, "-n", NAMESPACE, "port-forward", "service/gateway", f"{port}:80"]
    process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http:
            until(lambda: answers(http))
            yield http
    finally:
        process.terminate()
        process.wait()


def answers(http: httpx.Client) -> bool:
    try:
        return http.get("/readyz").status_code in FINE
    except httpx.TransportError:
        return False


def staff(role: str) -> dict[str, str]:
    key = K8S / "overlays" / "dev" / "keys" / "private.pem"
    return {"authorization": f"Bearer {mint(key, [role], [CODE], subject='cluster-test')}"}


def post(http: httpx.Client, path: str, body: dict[str, Any], role: str = "") -> httpx.Response:
    headers = {"idempotency-key": secrets.token_urlsafe(16), **(staff(role) if role else {})}
    return http.post(f"/v1/kecamatan/{CODE}/{path}", json=body, headers=headers)


def test_all_pods_are_ready(cluster: Any) -> None:
    def ready() -> bool:
        pods = cluster.CoreV1Api().list_namespaced_pod(NAMESPACE).items
        states = [c.status for p in pods for c in p.status.conditions or () if c.type == "Ready"]
        return len(states) == len(pods) > 0 and set(states) == {"True"}

    until(ready)


def test_an_office_is_seen_in_kubectl(office: dict[str, Any]) -> None:
    assert office["status"]["observedGeneration"] == office["metadata"]["generation"]
    printed = kubectl("get", "kecamatan", "makassar")
    assert {"WAITING", "SATISFACTION", "READY"} <= set(printed.splitlines()[0].split())


def test_what_the_api_server_can_judge_it_refuses(cluster: Any, office: dict[str, Any]) -> None:
    change = {"spec": {"code": "73.71.04"}}
    with pytest.raises(kubernetes.client.ApiException, match="does not change"):
        cluster.CustomObjectsApi().patch_namespaced_custom_object(
            GROUP, VERSION, NAMESPACE, PLURAL, "makassar", change
        )


def test_a_ticket_is_taken_through_the_gateways_service(office: dict[str, Any]) -> None:
    """Taken and called while the office is open; outside of its hours it says that it is not."""
    with gateway() as http:
        taken = post(http, "tickets", {"service": "A"})
        if taken.status_code not in FINE:
            assert "OFFICE" in taken.text or "CLOSED" in taken.text, taken.text
            pytest.skip(f"the office gives no numbers now: {taken.text}")
        assert taken.json()["ticket"]["number"].startswith("A")
        opened = post(http, "counters/1:open", {}, "OFFICER")
        assert opened.status_code in FINE, opened.text
        called = post(http, "counters/1:callNext", {}, "OFFICER")
        assert called.status_code in FINE, called.text
        assert called.json()["ticket"]["state"] == "CALLED", called.text


def test_a_rollout_and_scaling_under_load_fail_no_call(office: dict[str, Any]) -> None:
    """Calls go through one pod of the gateway; those behind it come and go."""
    with gateway() as http:
        failed: list[str] = []
        answered, ended = [0], threading.Event()

        def load() -> None:
            while not ended.wait(0.02):
                answer = http.get(f"/v1/kecamatan/{CODE}/board")
                answered[0] += 1
                if answer.status_code not in FINE:
                    failed.append(answer.text)

        thread = threading.Thread(target=load)
        thread.start()
        try:
            kubectl("rollout", "restart", "deployment/queue")
            kubectl("rollout", "status", "deployment/queue", "--timeout=250s")
            for replicas in (4, 2):
                kubectl("scale", "deployment/queue", f"--replicas={replicas}")
                kubectl("rollout", "status", "deployment/queue", "--timeout=250s")
        finally:
            ended.set()
            thread.join()
        print(f"\n{answered[0]} calls, {len(failed)} failed")
        assert failed == []
        assert answered[0]


def test_a_restarted_controller_goes_on(cluster: Any, office: dict[str, Any]) -> None:
    kubectl("rollout", "restart", "deployment/controller")
    address = f"Jalan {secrets.token_hex(4)}"
    api = cluster.CustomObjectsApi()
    item = api.patch_namespaced_custom_object(
        GROUP, VERSION, NAMESPACE, PLURAL, "makassar", {"spec": {"address": address}}
    )
    wanted = item["metadata"]["generation"]

    def seen() -> bool:
        found = api.get_namespaced_custom_object(GROUP, VERSION, NAMESPACE, PLURAL, "makassar")
        return bool(found["status"]["observedGeneration"] == wanted)

    until(seen)


@pytest.mark.parametrize(
    ("verb", "group", "resource", "subresource", "may"),
    [
        ("watch", GROUP, PLURAL, "", True),
        ("patch", GROUP, PLURAL, "", True),
        ("patch", GROUP, PLURAL, "status", True),
        ("delete", GROUP, PLURAL, "", False),
        ("create", GROUP, PLURAL, "", False),
        ("get", "", "secrets", "", False),
        ("list", "", "pods", "", False),
        ("patch", "apps", "deployments", "", False),
    ],
)
def test_the_controllers_own_token_may_what_it_needs_and_no_more(
    cluster: Any, verb: str, group: str, resource: str, subresource: str, may: bool
) -> None:
    request = cluster.AuthenticationV1TokenRequest(
        spec=cluster.V1TokenRequestSpec(audiences=[], expiration_seconds=600)
    )
    token = cluster.CoreV1Api().create_namespaced_service_account_token(
        "controller", NAMESPACE, request
    )
    own = cluster.Configuration.get_default_copy()
    own.api_key, own.api_key_prefix = {"authorization": f"Bearer {token.status.token}"}, {}
    own.cert_file = own.key_file = None
    asked = cluster.V1ResourceAttributes(
        namespace=NAMESPACE, verb=verb, group=group, resource=resource, subresource=subresource
    )
    review = cluster.V1SelfSubjectAccessReview(
        spec=cluster.V1SelfSubjectAccessReviewSpec(resource_attributes=asked)
    )
    api = cluster.AuthorizationV1Api(cluster.ApiClient(own))
    assert bool(api.create_self_subject_access_review(review).status.allowed) is may
