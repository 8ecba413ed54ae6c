"""Deliberately broken manifests are refused, one by one, each for its own fault."""

import copy

import pytest

from tests.deploy.references import faults
from tests.deploy.rendered import COMPONENTS, of, overlay, with_components
from tests.deploy.validated import NEWEST, refusals


def pod(objects, name="queue", kind="Deployment"):
    return of(objects, kind, name)[0]["spec"]["template"]["spec"]


def container(objects, name="queue", kind="Deployment"):
    return pod(objects, name, kind)["containers"][0]


def spec(objects, kind, name):
    return of(objects, kind, name)[0]["spec"]


def first(objects, kind):
    return of(objects, kind)[0]


BROKEN_FOR_THE_SCHEMA = {
    "a misspelt field": lambda o: pod(o).update(serviceAcountName="queue"),
    "a number that is a text": lambda o: spec(o, "Deployment", "queue").update(replicas="two"),
    "an API that was removed": lambda o: first(o, "PodDisruptionBudget").update(
        apiVersion="policy/v1beta1"
    ),
    "a kind that does not exist": lambda o: first(o, "Service").update(kind="Servise"),
    "a container without a name": lambda o: container(o).pop("name"),
    "a port out of its list": lambda o: container(o).update(ports={"grpc": 50051}),
    "a scaler of version 2beta2": lambda o: first(o, "HorizontalPodAutoscaler").update(
        apiVersion="autoscaling/v2beta2"
    ),
    "a probe of two words": lambda o: container(o)["livenessProbe"]["grpc"].update(serivce="x"),
}

BROKEN_IN_ITS_REFERENCES = {
    "a selector that misses its own pods": (
        lambda o: spec(o, "Deployment", "queue")["selector"]["matchLabels"].update(
            {"app.kubernetes.io/name": "que"}
        ),
        "does not match its own pods",
    ),
    "a Service that selects nobody": (
        lambda o: spec(o, "Service", "gateway")["selector"].update(
            {"app.kubernetes.io/name": "gate"}
        ),
        "its selector matches no pod",
    ),
    "a budget that selects nobody": (
        lambda o: spec(o, "PodDisruptionBudget", "survey")["selector"].update(
            matchLabels={"app.kubernetes.io/name": "x"}
        ),
        "its selector matches no pod",
    ),
    "a target port that no pod has": (
        lambda o: spec(o, "Service", "gateway")["ports"][0].update(targetPort="web"),
        "is no port of its pods",
    ),
    "a headless Service that would translate": (
        lambda o: spec(o, "Service", "queue")["ports"][0].update(port=80),
        "translates no port",
    ),
    "an account that nobody made": (
        lambda o: pod(o).update(serviceAccountName="queues"),
        "there is no ServiceAccount queues",
    ),
    "a ConfigMap that nobody made": (
        lambda o: container(o)["envFrom"].append({"configMapRef": {"name": "more"}}),
        "there is no ConfigMap more",
    ),
    "a Secret that nobody made": (
        lambda o: pod(o)["volumes"].append({"name": "tmp2", "secret": {"secretName": "s"}}),
        "there is no Secret s",
    ),
    "a scaler of nothing": (
        lambda o: spec(o, "HorizontalPodAutoscaler", "queue")["scaleTargetRef"].update(name="q"),
        "there is no Deployment q",
    ),
    "a scaled Deployment with a number of its own": (
        lambda o: spec(o, "Deployment", "queue").update(replicas=2),
        "owns its number",
    ),
    "a binding of another role": (
        lambda o: first(o, "RoleBinding")["roleRef"].update(name="admin"),
        "there is no Role admin",
    ),
    "a route to another Service": (
        lambda o: spec(o, "HTTPRoute", "tunggu")["rules"][0]["backendRefs"][0].update(port=8080),
        "has no port 8080",
    ),
    "an Ingress to nowhere": (
        lambda o: spec(o, "Ingress", "tunggu")["rules"][0]["http"]["paths"][0]["backend"][
            "service"
        ].update(name="web"),
        "there is no Service web",
    ),
    "a set without its Service": (
        lambda o: spec(o, "StatefulSet", "redis").update(serviceName="store"),
        "there is no Service store",
    ),
    "a probe of a port that is not there": (
        lambda o: container(o)["readinessProbe"]["grpc"].update(port=50052),
        "readinessProbe asks port 50052",
    ),
    "a liveness that depends on Redis": (
        lambda o: container(o)["livenessProbe"]["grpc"].update(service="readiness"),
        "depends on more than the process",
    ),
    "a mount without a volume": (
        lambda o: container(o)["volumeMounts"].append({"name": "x", "mountPath": "/x"}),
        "the volume x",
    ),
    "a volume that nobody mounts": (
        lambda o: pod(o)["volumes"].append({"name": "y", "emptyDir": {}}),
        "the volume y",
    ),
    "a budget of two bounds": (
        lambda o: spec(o, "PodDisruptionBudget", "queue").update(minAvailable=1),
        "needs one of",
    ),
    "memory in thousandths": (
        lambda o: container(o)["resources"]["limits"].update(memory="100m"),
        "is no quantity",
    ),
    "a name with an underscore": (
        lambda o: first(o, "Service")["metadata"].update(name="my_service"),
        "not a name",
    ),
    "a limit of CPU": (
        lambda o: container(o)["resources"]["limits"].update(cpu="1"),
        "limited in memory and in nothing else",
    ),
    "root": (lambda o: pod(o)["securityContext"].update(runAsNonRoot=False), "may run as root"),
    "a writable image": (
        lambda o: container(o)["securityContext"].update(readOnlyRootFilesystem=False),
        "may write its own files",
    ),
    "a capability": (
        lambda o: container(o)["securityContext"].update(capabilities={"add": ["NET_RAW"]}),
        "has capabilities",
    ),
    "privileges to gain": (
        lambda o: container(o)["securityContext"].pop("allowPrivilegeEscalation"),
        "may gain privileges",
    ),
    "a token for everybody": (
        lambda o: pod(o).update(automountServiceAccountToken=True),
        "only the controller has a token",
    ),
    "variables of other Services": (
        lambda o: pod(o).pop("enableServiceLinks"),
        "Services leak variables",
    ),
    "less time to end than it takes": (
        lambda o: pod(o).update(terminationGracePeriodSeconds=10),
        "too little time to end",
    ),
    "a policy for a port that no pod has": (
        lambda o: spec(o, "NetworkPolicy", "queue")["ingress"][0]["ports"][0].update(port="rpc"),
        "has the port rpc",
    ),
    "a policy for nobody": (
        lambda o: spec(o, "NetworkPolicy", "queue")["podSelector"].update(
            matchLabels={"app.kubernetes.io/name": "cue"}
        ),
        "chooses no pod",
    ),
    "an object in another namespace": (
        lambda o: first(o, "Service")["metadata"].update(namespace="default"),
        "outside of the namespace",
    ),
    "whatever image is the latest": (
        lambda o: container(o).update(image="tunggu:latest"),
        "nobody knows what",
    ),
}


@pytest.fixture(scope="module")
def whole():
    return with_components(*COMPONENTS)


@pytest.mark.parametrize("name", BROKEN_FOR_THE_SCHEMA)
def test_the_schema_refuses(name, whole):
    objects = copy.deepcopy(whole)
    BROKEN_FOR_THE_SCHEMA[name](objects)
    assert len(refusals(objects, NEWEST)) == 1


@pytest.mark.parametrize("name", BROKEN_IN_ITS_REFERENCES)
def test_the_references_refuse(name, whole):
    objects = copy.deepcopy(whole)
    breaks, why = BROKEN_IN_ITS_REFERENCES[name]
    breaks(objects)
    found = faults(objects)
    assert found
    assert any(why in line for line in found), found


def test_a_secret_of_the_dev_overlay_is_not_in_git():
    names = {found["metadata"]["name"].rsplit("-", 1)[0] for found in of(overlay("dev"), "Secret")}
    assert names == {"internal-key", "admin-key", "redis-auth"}
