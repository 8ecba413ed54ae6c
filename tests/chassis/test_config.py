"""Settings from the environment."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from services.chassis.config import ConfigError, ServerConfig, load, secret, setting


@dataclass(frozen=True)
class Sample:
    port: int = setting(50051, "port", least=1)
    pause: float = setting(1.5, "seconds")
    mode: Literal["calm", "rush"] = setting("calm", "how")
    on: bool = setting(False, "whether")
    proxies: tuple[str, ...] = setting((), "addresses, separated by commas")
    folder: Path = setting(Path("/var/lib"), "where")


@dataclass(frozen=True)
class Guarded(Sample):
    salt: str = secret("keeps holders apart")


def test_without_variables_every_field_has_its_default():
    assert load(Sample, {}) == Sample()


def test_variables_of_the_prefix_set_fields_by_type():
    environ = {
        "TUNGGU_PORT": "8080",
        "TUNGGU_PAUSE": "0.25",
        "TUNGGU_MODE": "rush",
        "TUNGGU_ON": "true",
        "TUNGGU_PROXIES": "10.0.0.1, 10.0.0.2",
        "TUNGGU_FOLDER": "/srv",
        "HOME": "/somewhere",
    }
    proxies = ("10.0.0.1", "10.0.0.2")
    assert load(Sample, environ) == Sample(8080, 0.25, "rush", True, proxies, Path("/srv"))


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("TUNGGU_PROT", "8080", "TUNGGU_PROT is not a setting"),
        ("TUNGGU_PORT", "many", "TUNGGU_PORT must be of type int, not 'many'"),
        ("TUNGGU_PORT", "0", "TUNGGU_PORT must be at least 1, not '0'"),
        ("TUNGGU_MODE", "fast", "TUNGGU_MODE must be one of calm, rush, not 'fast'"),
        ("TUNGGU_ON", "perhaps", "TUNGGU_ON must be true or false, not 'perhaps'"),
    ],
)
def test_a_bad_variable_is_one_line_that_names_it(name, value, why):
    with pytest.raises(ConfigError) as refused:
        load(Sample, {name: value})
    assert str(refused.value) == f"configuration: {why}"


def test_all_bad_variables_are_named_at_once():
    with pytest.raises(ConfigError, match=r"TUNGGU_A is .*; TUNGGU_B is .*; TUNGGU_ON must"):
        load(Sample, {"TUNGGU_B": "1", "TUNGGU_ON": "?", "TUNGGU_A": "1"})


def test_a_secret_is_the_content_of_the_file_that_the_variable_names(tmp_path):
    file = tmp_path / "salt"
    file.write_text("s3cret\n")
    guarded = load(Guarded, {"TUNGGU_SALT_FILE": str(file)})
    assert guarded.salt == "s3cret"
    assert "s3cret" not in repr(guarded)


def test_a_secret_that_is_missing_or_given_in_the_open_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="TUNGGU_SALT_FILE is missing"):
        load(Guarded, {})
    with pytest.raises(ConfigError, match="TUNGGU_SALT is not a setting"):
        load(Guarded, {"TUNGGU_SALT": "open", "TUNGGU_SALT_FILE": str(tmp_path)})
    with pytest.raises(ConfigError, match=r"TUNGGU_SALT_FILE .*No such file"):
        load(Guarded, {"TUNGGU_SALT_FILE": str(tmp_path / "none")})


def test_every_setting_of_a_server_says_what_it_means():
    for item in ServerConfig.__dataclass_fields__.values():
        assert item.metadata["doc"], item.name
