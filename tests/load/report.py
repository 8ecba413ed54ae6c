"""Where results go: the terminal, build/bench.json and docs/PERFORMANCE.md."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from tests.load.rows import Row, markdown

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"


def text(rows: Sequence[Row], machine: Mapping[str, str]) -> str:
    """The table and what it was measured on."""
    about = "\n".join(f"- {name}: {value}" for name, value in machine.items())
    return f"{markdown(rows)}\n\n{about}\n"


def write_json(path: Path, rows: Sequence[Row], machine: Mapping[str, str]) -> None:
    path.parent.mkdir(exist_ok=True)
    found = {**machine, "rows": [asdict(row) for row in rows]}
    path.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", "utf-8")


def write_page(path: Path, table: str) -> None:
    """Between the page's two marks. ValueError: it has none."""
    page = path.read_text("utf-8")
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{path} has no {BEGIN} … {END}")
    path.write_text(f"{before}{BEGIN}\n{table}{END}{after}", "utf-8")
