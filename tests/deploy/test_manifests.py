"""Every overlay and every component renders, is valid, and fits together."""

import itertools

import pytest

from tests.deploy.references import faults
from tests.deploy.rendered import COMPONENTS, OVERLAYS, of, overlay, with_components
from tests.deploy.validated import NEWEST, OLDEST, refusals

PAIRS = [(), *((c,) for c in COMPONENTS), *itertools.combinations(COMPONENTS, 2), COMPONENTS]
BARE = {
    "apps", "autoscaling", "policy", "rbac.authorization.k8s.io", "apiextensions.k8s.io",
    "networking.k8s.io", "v1", "tunggu.makassarkota.go.id",
}  # fmt: skip


@pytest.mark.parametrize("name", OVERLAYS)
def test_an_overlay_is_valid_on_the_oldest_and_newest_kubernetes(name):
    for version in (OLDEST, NEWEST):
        assert refusals(overlay(name), version) == []


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_objects_of_an_overlay_fit_together(name):
    assert faults(overlay(name)) == []


@pytest.mark.parametrize("names", PAIRS, ids=lambda names: "+".join(names) or "base")
def test_components_may_be_chosen_freely(names):
    objects = with_components(*names)
    assert refusals(objects, NEWEST) == []
    assert faults(objects) == []


@pytest.mark.parametrize("objects", [with_components(), overlay("dev")], ids=["base", "dev"])
def test_base_and_dev_need_nothing_that_a_bare_cluster_lacks(objects):
    groups = {found["apiVersion"].partition("/")[0] for found in objects}
    assert groups <= BARE


def test_makassar_has_its_fifteen_offices_and_no_secret():
    objects = overlay("makassar")
    codes = {found["spec"]["code"] for found in of(objects, "Kecamatan")}
    assert codes == {f"73.71.{n:02d}" for n in range(1, 16)}
    assert of(objects, "Secret") == []


def test_with_a_failover_in_sight_answers_wait_for_a_replica():
    (settings,) = (
        found["data"]
        for found in with_components("redis-ha")
        if found["kind"] == "ConfigMap" and found["metadata"]["name"].startswith("redis-")
        and "TUNGGU_REDIS_URL" in found["data"]
    )  # fmt: skip
    assert settings["TUNGGU_REDIS_URL"].count(":26379") == 3
    assert settings["TUNGGU_REDIS_REPLICAS"] == "1"
