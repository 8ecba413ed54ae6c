"""Every variable that a manifest sets is a setting of the process that gets it, and sound."""

import copy
from pathlib import Path

import pytest

from services.chassis.config import ConfigError
from services.chassis.credential import internal_token
from tests.deploy.rendered import of, overlay, with_components
from tests.deploy.settings import READS, environment

SHAPES = {
    "base": with_components,
    "redis-ha": lambda: with_components("redis-ha"),
    "dev": lambda: overlay("dev"),
}
KEEPERS = ("queue", "survey", "notify")
GRACE_S = 10  # of the process itself, after it was told and has told others


@pytest.fixture(params=SHAPES)
def objects(request):
    return SHAPES[request.param]()


@pytest.mark.parametrize("name", READS)
def test_a_process_understands_what_its_manifest_tells_it(name, objects, tmp_path):
    settings = READS[name](environment(objects, name, tmp_path))
    assert settings.env == "production"
    assert settings.metrics_port > 0
    assert settings.metrics_host == "0.0.0.0"


@pytest.mark.parametrize("name", READS)
@pytest.mark.parametrize("variable", ["TUNGGU_QUEU", "TUNGGU_PORTS"])
def test_a_variable_that_is_no_setting_is_found(name, variable, tmp_path):
    objects = copy.deepcopy(with_components())
    (found,) = of(objects, "Deployment", name)
    (container,) = found["spec"]["template"]["spec"]["containers"]
    container["env"].append({"name": variable, "value": "1"})
    with pytest.raises(ConfigError, match=f"{variable} is not a setting"):
        READS[name](environment(objects, name, tmp_path))


def test_a_file_that_nobody_mounts_is_found(tmp_path):
    objects = copy.deepcopy(with_components())
    (found,) = of(objects, "Deployment", "gateway")
    (container,) = found["spec"]["template"]["spec"]["containers"]
    container["volumeMounts"] = [m for m in container["volumeMounts"] if m["name"] != "jwks"]
    with pytest.raises(AssertionError, match="nobody mounts"):
        environment(objects, "gateway", tmp_path)


@pytest.mark.parametrize("name", KEEPERS)
async def test_who_keeps_something_is_told_where_and_with_which_password(name, objects, tmp_path):
    settings = READS[name](environment(objects, name, tmp_path))
    assert settings.redis_password == "secret"
    await settings.redis().aclose()  # the address is one; nothing has connected


@pytest.mark.parametrize("name", KEEPERS)
def test_with_a_failover_in_sight_each_of_them_waits_for_a_replica(name, tmp_path):
    settings = READS[name](environment(with_components("redis-ha"), name, tmp_path))
    assert settings.redis_url.startswith("redis+sentinel://")
    assert settings.redis_replicas == 1


@pytest.mark.parametrize("name", ["gateway", *KEEPERS])
def test_who_checks_tokens_knows_whose_and_says_that_it_leaves(name, objects, tmp_path):
    settings = READS[name](environment(objects, name, tmp_path))
    assert settings.jwks.endswith("jwks.json")
    assert (settings.issuer, settings.audience) == ("tunggu", "tunggu")
    assert settings.drain_delay >= 3
    (found,) = of(objects, "Deployment", name)
    (container,) = found["spec"]["template"]["spec"]["containers"]
    asleep = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    patience = found["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert asleep + settings.drain_delay + GRACE_S < patience


@pytest.mark.parametrize("name", ["controller", "notify", "survey"])
def test_who_signs_has_a_key_that_can(name, objects, tmp_path):
    settings = READS[name](environment(objects, name, tmp_path))
    key = Path(settings.key)
    assert internal_token(key, name, settings.issuer, settings.audience)().startswith("Bearer ")


def test_each_service_is_asked_where_it_listens(objects, tmp_path):
    port = {
        name: READS[name](environment(objects, name, tmp_path)).address.rpartition(":")[2]
        for name in KEEPERS
    }
    for name in ("gateway", "controller", "notify", "survey"):
        settings = READS[name](environment(objects, name, tmp_path))
        for asked in KEEPERS:
            if target := getattr(settings, asked, ""):
                assert target == f"dns:///{asked}:{port[asked]}"


def test_makassar_says_where_its_pages_are_and_who_answers_for_push(tmp_path):
    objects = overlay("makassar")
    data: dict[str, str] = {}
    for found in of(objects, "ConfigMap"):
        data |= found["data"]
    proxies = {"TUNGGU_TRUSTED_PROXIES": data["TUNGGU_TRUSTED_PROXIES"]}
    assert READS["gateway"](proxies).addresses
    told = {key: data[key] for key in ("TUNGGU_SITE", "TUNGGU_CONTACT")}
    assert READS["notify"](told).contact
