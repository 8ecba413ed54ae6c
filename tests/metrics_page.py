"""docs/METRICS.md as tests read it, and what the processes really declare."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "METRICS.md"
REPLICAS = {
    "Equal on all replicas: max without (instance).": "max",
    "Sum.": "sum",
    "Min.": "min",
}

_DECLARED = """
import importlib, json, sys
from prometheus_client import REGISTRY
importlib.import_module(sys.argv[1])
declared = {}
for collector in set(REGISTRY._collector_to_names):
    for family in collector.collect():
        names = list(getattr(collector, "_labelnames", ()))
        declared[family.name] = [family.type, names, family.documentation]
if sys.argv[1] == "services.queue.compose":
    from services.queue.metrics import FAMILIES
    for family in FAMILIES:
        declared[family.name] = [family.kind, ["kecamatan", *family.labels], family.help]
print(json.dumps({k: v for k, v in declared.items() if k.startswith("tunggu_")}))
"""

Metrics = dict[str, tuple[str, str, str, str]]
"""Type, labels, how replicas are put together, meaning; by the name that queries use."""


def declared(module: str) -> Metrics:
    """What importing the composition of a service declares."""
    command = [sys.executable, "-P", "-c", _DECLARED, module]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {
        name + "_total" * (kind == "counter"): (kind, ", ".join(labels), *_split(text))
        for name, (kind, labels, text) in json.loads(said).items()
    }


def _split(text: str) -> tuple[str, str]:
    for words, replicas in REPLICAS.items():
        if text.endswith(words):
            return replicas, text.removesuffix(words).strip()
    return "", text


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading of the page, backticks removed."""
    section = re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    (text,) = [part for part in section if part.startswith(f"{heading}\n")]
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [
        [cell.strip().strip("`").replace(r"\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        for line in lines
    ]


def documented(heading: str) -> Metrics:
    return {
        name: (kind, labels, replicas, text) for name, kind, labels, replicas, text in rows(heading)
    }


def questions() -> dict[str, str]:
    """The War Room's queries by question."""
    return {row[0]: row[1] for row in rows("What the War Room asks")}
