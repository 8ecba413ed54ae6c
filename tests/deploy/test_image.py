"""The image: its recipe is sound, and what it installs is all that the processes import."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.rendered import ROOT

BIN = Path(sys.executable).parent
PROCESSES = ("queue", "survey", "gateway", "notify", "controller")
HERE_ALONE = {"grpcio-tools", "setuptools"}
"""Of a workshop: grpcio takes the one along where it stands, Python starts the other itself."""
IMPORTED = """
import importlib, json, sys
from importlib.metadata import distributions
sys.modules["kubernetes"] = None  # the workshop has it, the image does not; kopf does without
importlib.import_module(sys.argv[1] + ".__main__")
files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
owners = {}
for found in distributions():
    owners |= {str(found.locate_file(path)): found.name for path in found.files or ()}
print(json.dumps(sorted({owners[name] for name in files if name in owners})))
"""


def run(*arguments, **options):
    done = subprocess.run(
        arguments, capture_output=True, text=True, timeout=300, check=False, cwd=ROOT, **options
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_recipe_has_no_faults():
    run(BIN / "hadolint", "deploy/Dockerfile")


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("FROM ${BASE} AS build", "FROM python:latest AS build"),
        ("COPY requirements.txt /src/", "ADD requirements.txt /src/"),
        ("WORKDIR /tmp", "WORKDIR tmp"),
        ("ENTRYPOINT [", "ENTRYPOINT sh -c ["),
    ],
)
def test_a_recipe_with_a_fault_is_refused(good, bad, tmp_path):
    text = (ROOT / "deploy" / "Dockerfile").read_text()
    assert good in text
    (tmp_path / "Dockerfile").write_text(text.replace(good, bad))
    done = subprocess.run(
        [BIN / "hadolint", tmp_path / "Dockerfile"], capture_output=True, check=False, timeout=60
    )
    assert done.returncode != 0


def test_the_recipe_runs_as_somebody_with_a_name_and_checks_hashes():
    text = (ROOT / "deploy" / "Dockerfile").read_text()
    assert re.search(r"^USER 10001:10001$", text, re.MULTILINE)
    assert "useradd --uid 10001" in text
    assert "--require-hashes" in text
    assert "syntax=" not in text
    assert text.index("ARG BASE=") < text.index("FROM ${BASE}")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """The wheel as the image has it, in a folder of its own."""
    folder = tmp_path_factory.mktemp("image")
    run(BIN / "python", "-m", "hatchling", "build", "-t", "wheel", "-d", folder)
    (wheel,) = folder.glob("*.whl")
    target = folder / "site"
    run(BIN / "pip", "install", "-q", "--no-deps", "--no-index", "--target", target, wheel)
    return target


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_of_the_image_imports_only_what_is_locked_for_it(name, installed, tmp_path):
    code = f"import sys; sys.path.insert(0, {str(installed)!r})\n" + IMPORTED
    done = subprocess.run(
        [BIN / "python", "-P", "-c", code, f"services.{name}"],
        capture_output=True, text=True, timeout=120, check=True, cwd=tmp_path,
    )  # fmt: skip
    lock = (ROOT / "requirements.txt").read_text()
    locked = re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE)
    locked = {re.sub(r"[-_.]+", "-", found).lower() for found in locked}
    used = {re.sub(r"[-_.]+", "-", found).lower() for found in json.loads(done.stdout)}
    assert {"protobuf", "prometheus-client"} <= used
    assert used - {"tunggu", *HERE_ALONE} <= locked


def test_the_wheel_has_what_is_no_python(installed):
    for path in (
        "services/queue/lua/call_next_ticket.lua",
        "services/chassis/reasons.toml",
        "services/gateway/web/phone/index.html",
        "tunggu/comments.binpb",
        "tunggu/queue/v1/queue_pb2_grpc.py",
    ):
        assert (installed / path).is_file(), path


def test_what_the_image_contains_is_listed(tmp_path):
    run(
        BIN / "cyclonedx-py", "requirements", "--pyproject", "pyproject.toml",
        "--output-reproducible", "--of", "JSON", "-o", tmp_path / "sbom.json", "requirements.txt",
    )  # fmt: skip
    parts = {
        part["name"] for part in json.loads((tmp_path / "sbom.json").read_text())["components"]
    }
    assert {"grpcio", "redis", "protobuf", "uvicorn"} <= parts
