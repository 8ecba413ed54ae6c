"""A real Prometheus that scrapes a running stack, and what it answers."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.e2e.launched import free_port

REMEDY = "the metrics test needs Debian's prometheus: make prometheus"
PATIENCE = 60.0  # seconds for what takes a few
EVERY = "2s"  # between scrapes, and until one that gets no answer counts as failed

Answer = dict[tuple[str, ...], float]
"""Values by those of the labels, in order of the labels' names."""


@dataclass(frozen=True)
class Prometheus:
    """`url` is its API's."""

    url: str

    def ask(self, query: str) -> Answer:
        """The instant vector, in the order in which it came."""
        answer = httpx.get(f"{self.url}/query", params={"query": query}, trust_env=False).json()
        assert answer["status"] == "success", (query, answer)
        return {
            tuple(value for _, value in sorted(row["metric"].items())): float(row["value"][1])
            for row in answer["data"]["result"]
        }

    def until(self, query: str, wanted: Answer) -> None:
        """Returns once that is the answer."""
        deadline = time.monotonic() + PATIENCE
        while (answer := self.ask(query)) != wanted:
            assert time.monotonic() < deadline, (query, answer, wanted)
            time.sleep(0.1)


def installed() -> bool:
    return shutil.which("prometheus") is not None


@contextmanager
def running(folder: Path, targets: Mapping[str, list[int]]) -> Iterator[Prometheus]:
    """With its data in `folder`; `targets` are metrics ports of 127.0.0.1 by job."""
    port = free_port()
    command = [
        "prometheus",
        f"--config.file={_config(folder, targets)}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=warn",
    ]
    log = folder / "prometheus.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        _await_ready(process, f"http://127.0.0.1:{port}/-/ready", log)
        yield Prometheus(f"http://127.0.0.1:{port}/api/v1")
    finally:
        process.kill()
        process.wait()


def _config(folder: Path, targets: Mapping[str, list[int]]) -> Path:
    """JSON is YAML too."""
    jobs = [
        {"job_name": job, "static_configs": [{"targets": [f"127.0.0.1:{p}" for p in ports]}]}
        for job, ports in targets.items()
    ]
    config = folder / "prometheus.yml"
    config.write_text(
        json.dumps({"global": {"scrape_interval": EVERY}, "scrape_configs": jobs}), "utf-8"
    )
    return config


def _await_ready(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, "prometheus did not come up"
        try:
            if httpx.get(url, trust_env=False).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)


def checked(text: str) -> str:
    """What promtool finds wrong with an answer of /metrics."""
    check = ["promtool", "check", "metrics"]
    done = subprocess.run(check, input=text, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr
