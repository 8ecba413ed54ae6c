"""`python -m services.gateway` as a process: its start, its end, and a queue that is away."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import httpx

from tests.e2e.launched import free_port
from tests.gateway.fake_queue import CODE


def environ(**settings):
    own = {f"TUNGGU_{name.upper()}": str(value) for name, value in settings.items()}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TUNGGU_")}
    return kept | own


def started(**settings):
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "services.gateway"],
        env=environ(**settings),
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def running(**settings):
    port = free_port()
    process = started(port=port, **settings)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            for _ in range(100):
                try:
                    client.get("/healthz")
                    break
                except httpx.ConnectError:
                    time.sleep(0.1)
            yield process, client
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=20)


def test_without_a_queue_it_is_alive_and_not_ready_and_says_so():
    with running(queue=f"ipv4:127.0.0.1:{free_port()}", stale=0.1) as (_, client):
        assert client.get("/healthz").status_code == 200
        assert client.get("/").status_code == 200
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["reason"]) == (503, "SERVICE_UNAVAILABLE")
        for path in (f"/v1/kecamatan/{CODE}", "/v1/streams/city"):
            answer = client.get(path)
            assert (answer.status_code, answer.json()["reason"]) == (503, "SERVICE_UNAVAILABLE")
            assert answer.headers["retry-after"]
        taken = client.post(f"/v1/kecamatan/{CODE}/tickets", json={"service": "A"})
        assert (taken.status_code, taken.json()["reason"]) == (503, "OUTCOME_UNKNOWN")


def test_sigterm_ends_it_with_status_0_and_json_lines():
    with running() as (process, client):
        client.get("/version", headers={"X-Request-Id": "trace-0001"})
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=20)
        assert process.returncode == 0
        lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
        requests = [line for line in lines if line["message"] == "request"]
        assert requests[-1]["route"] == "/version"
        assert requests[-1]["request_id"] == "trace-0001"
        assert requests[-1]["status"] == 200
        assert "Traceback" not in log


def test_metrics_have_a_port_of_their_own():
    metrics = free_port()
    with running(metrics_port=metrics) as (_, client):
        client.get(f"/v1/nothing/{CODE}")
        text = httpx.get(f"http://127.0.0.1:{metrics}/metrics", trust_env=False).text
        assert 'tunggu_http_calls_total{method="GET (none)",reason="ROUTE_NOT_FOUND"} 1.0' in text
        assert "tunggu_gateway_watchers" in text
        assert CODE not in text


def test_a_port_in_use_is_one_clear_line():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = started(port=taken.getsockname()[1])
        _, log = process.communicate(timeout=20)
    assert process.returncode == 1
    assert len(log.splitlines()) == 1
    assert "cannot serve on 127.0.0.1:" in log


def test_a_setting_that_is_none_is_one_clear_line():
    process = started(prot=8080)
    _, log = process.communicate(timeout=20)
    assert process.returncode == 1
    assert log == "configuration: TUNGGU_PROT is not a setting\n"
