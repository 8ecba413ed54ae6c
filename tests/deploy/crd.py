"""A Kecamatan as an API server would judge it: the CRD's structural schema and its CEL rules.

Unknown fields are refused, as `kubectl apply` does by default. Transition rules (oldSelf) hold
between `old` and the new object. Absent: what needs a real API server, such as the cost of rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import celpy
import jsonschema
import yaml
from celpy.adapter import json_to_cel

from tests.deploy.rendered import K8S

FILE = K8S / "crd" / "kecamatan.yaml"
Schema = dict[str, Any]


@cache
def schema() -> Schema:
    (version,) = yaml.safe_load(FILE.read_text())["spec"]["versions"]
    return version["schema"]["openAPIV3Schema"]  # type: ignore[no-any-return]


def refusals(item: Schema, old: Schema | None = None) -> list[str]:
    """A line a fault, with the path; none = the API server takes it."""
    found = [f"{error.json_path[2:]}: {error.message}" for error in _validator().iter_errors(item)]
    found = found or _lists(schema(), item, "")
    return found or [*_rules(schema(), item, old, "")]


@cache
def _validator() -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(
        _strict(schema()), format_checker=jsonschema.FormatChecker(["date"])
    )


def _strict(node: Any) -> Any:
    """With no more fields than it names, where it names any; labels and the like stay free."""
    if isinstance(node, dict):
        strict = {key: _strict(value) for key, value in node.items()}
        if "properties" in node and set(node["properties"]) != {"name"}:
            strict["additionalProperties"] = False
        return strict
    return [_strict(item) for item in node] if isinstance(node, list) else node


def _lists(node: Schema, value: Any, path: str) -> list[str]:
    """What x-kubernetes-list-type asks for: no entry, or no key, twice."""
    found = []
    if isinstance(value, dict):
        for name, below in node.get("properties", {}).items():
            if name in value:
                found += _lists(below, value[name], f"{path}.{name}")
    if isinstance(value, list):
        keys = node.get("x-kubernetes-list-map-keys")
        kind = node.get("x-kubernetes-list-type")
        marks = [tuple(item.get(k) for k in keys) if keys else item for item in value if kind]
        if len(set(map(str, marks))) != len(marks):
            found.append(f"{path}: an entry stands twice")
        for i, item in enumerate(value):
            found += _lists(node["items"], item, f"{path}[{i}]")
    return found


def _rules(node: Schema, value: Any, old: Any, path: str) -> Iterator[str]:
    for rule in node.get("x-kubernetes-validations", []):
        before = "oldSelf" in rule["rule"]
        if (not before or old is not None) and not _holds(rule["rule"], value, old):
            yield f"{path}: {rule['message']}"
    if isinstance(value, dict):
        for name, below in node.get("properties", {}).items():
            if name in value:
                former = old.get(name) if isinstance(old, dict) else None
                yield from _rules(below, value[name], former, f"{path}.{name}")
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from _rules(node["items"], item, None, f"{path}[{i}]")


def _holds(rule: str, value: Any, old: Any) -> bool:
    given = {"self": json_to_cel(value)}
    if old is not None:
        given["oldSelf"] = json_to_cel(old)
    return bool(_program(rule).evaluate(given))


@cache
def _program(rule: str) -> Any:
    environment = celpy.Environment()
    return environment.program(environment.compile(rule))
