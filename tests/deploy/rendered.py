"""What kustomize makes of deploy/k8s: overlays as they stand, and base with chosen components."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from services.chassis.token import make_key

ROOT = Path(__file__).parents[2]
K8S = ROOT / "deploy" / "k8s"
OVERLAYS = ("dev", "makassar")
COMPONENTS = tuple(sorted(path.name for path in (K8S / "components").iterdir()))
SECRETS = """
configMapGenerator:
  - {name: jwks, literals: ["jwks.json={}"]}
secretGenerator:
  - {name: internal-key, literals: [private.pem=x]}
  - {name: admin-key, literals: [private.pem=x]}
  - {name: redis-auth, literals: [password=x, "auth.conf=requirepass x"]}
"""

Object = dict[str, Any]


@cache
def overlay(name: str) -> list[Object]:
    """An overlay. `dev` gets keys of its own, as `make deploy` would make them."""
    keys = K8S / "overlays" / name / "keys"
    if name == "dev" and not (keys / "jwks.json").exists():
        make_key(keys)
        (keys / "password").write_text("x")
        (keys / "auth.conf").write_text("requirepass x\n")
    return _kustomize(K8S / "overlays" / name)


@cache
def with_components(*names: str) -> list[Object]:
    """The base with these components, and with what each overlay brings."""
    with tempfile.TemporaryDirectory() as folder:
        here = Path(folder).resolve()
        parts = [("resources", [K8S / "base"])]
        parts += [("components", [K8S / "components" / name for name in names])] if names else []
        text = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
        text += "namespace: tunggu\n"
        for key, paths in parts:
            text += f"{key}: {[os.path.relpath(path, here) for path in paths]}\n"
        (here / "kustomization.yaml").write_text(text + SECRETS)
        return _kustomize(here)


def _kustomize(folder: Path) -> list[Object]:
    kubectl = Path(sys.executable).with_name("kubectl")
    done = subprocess.run(
        [kubectl, "kustomize", folder], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return [found for found in yaml.safe_load_all(done.stdout) if found]


def of(objects: Sequence[Object], kind: str, name: str = "") -> list[Object]:
    """Those of a kind, by name if one is given; names of generated ones lose their hash."""
    return [
        found
        for found in objects
        if found["kind"] == kind and name in ("", found["metadata"]["name"])
    ]
