"""Every RPC has tests of success and refusal, and every reason that its proto names is tried."""

import ast
import re
from pathlib import Path

import pytest

from tests.queue.servicing import METHODS
from tests.queue.test_servicer_counters import AT_A_COUNTER

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PROTOS = [ROOT / "protos/tunggu/queue/v1" / name for name in ("queue.proto", "kecamatan.proto")]


def written():
    """Name and node of every test of the gRPC surface."""
    for path in (*HERE.glob("test_servicer_*.py"), HERE / "test_admin.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            named = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            if named and node.name.startswith("test_"):
                yield node.name, path, node


def helpers_of(path, node):
    """The source of a test, with that of the functions of its module that it calls."""
    functions = {
        f.name: f
        for f in ast.parse(path.read_text("utf-8")).body
        if isinstance(f, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    called = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} & functions.keys()
    return " ".join(ast.unparse(part) for part in (node, *(functions[name] for name in called)))


def tried_by_all(rpc, node):
    """Whether it is a test of what every verb at a counter refuses, this one included."""
    return rpc in AT_A_COUNTER and any(
        "AT_A_COUNTER" in ast.unparse(d) for d in node.decorator_list
    )


def snake(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def documented():
    """The comment above each rpc."""
    for proto in PROTOS:
        for comment, rpc in re.findall(
            r"((?:^ *//.*\n)+) *rpc (\w+)\(", proto.read_text("utf-8"), re.MULTILINE
        ):
            yield rpc, comment


REASONS = {
    rpc: set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", comment)) for rpc, comment in documented()
}


@pytest.mark.parametrize("rpc", METHODS)
def test_every_rpc_has_tests_of_success_and_refusal(rpc):
    names = [name for name, _, _ in written() if name.startswith(f"test_{snake(rpc)}_")]
    refusals = [name for name in names if name.startswith(f"test_{snake(rpc)}_refuses_")]
    assert refusals, f"no test_{snake(rpc)}_refuses_…"
    assert set(names) - set(refusals), f"no test_{snake(rpc)}_…"


@pytest.mark.parametrize("rpc", METHODS)
def test_every_reason_that_a_proto_names_is_tried(rpc):
    tried = set()
    for name, path, node in written():
        if name.startswith(f"test_{snake(rpc)}_refuses_") or tried_by_all(rpc, node):
            tried |= set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", helpers_of(path, node)))
    missing = REASONS[rpc] - tried
    assert not missing, f"{rpc} names {', '.join(sorted(missing))}"


def test_the_protos_name_reasons_for_nearly_every_rpc():
    assert REASONS.keys() == METHODS.keys()
    assert sum(map(bool, REASONS.values())) >= 28
