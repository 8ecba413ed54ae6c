"""Log lines and metrics."""

import json
import logging
import socket
import urllib.request

import pytest

from services.chassis import telemetry
from services.chassis.config import ConfigError, ProcessConfig
from services.chassis.errors import Problem
from tests.e2e.launched import free_port


@pytest.fixture(name="free_port")
def _free_port() -> int:
    return free_port()


@pytest.fixture
def root_logger():
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    yield root
    root.handlers[:], root.level = before, level


def test_a_log_line_is_one_json_object_with_the_request_id(capsys, root_logger):
    telemetry.start("queue", ProcessConfig())
    telemetry.adopt_request_id("from-the-gateway")
    logging.getLogger("x").info("two\nlines", extra={"fields": {"method": "M", "ms": 1.5}})
    (line,) = capsys.readouterr().err.splitlines()
    entry = json.loads(line)
    assert entry.pop("time").endswith("+00:00")
    assert entry == {
        "level": "info",
        "logger": "x",
        "message": "two\nlines",
        "request_id": "from-the-gateway",
        "method": "M",
        "ms": 1.5,
    }


def test_an_exception_stays_on_its_line(capsys, root_logger):
    telemetry.start("queue", ProcessConfig())
    try:
        raise ValueError("inner")
    except ValueError:
        logging.getLogger("x").exception("unexpected")
    (line,) = capsys.readouterr().err.splitlines()
    assert "ValueError: inner" in json.loads(line)["exception"]


def test_lines_below_the_level_are_not_written(capsys, root_logger):
    telemetry.start("queue", ProcessConfig(log_level="warning"))
    logging.getLogger("x").info("quiet")
    assert capsys.readouterr().err == ""


def test_metrics_are_served_on_a_port_of_their_own(free_port, root_logger):
    end = telemetry.start("queue", ProcessConfig(metrics_port=free_port))
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{free_port}/metrics") as answer:
            text = answer.read().decode()
    finally:
        end()
    assert 'tunggu_build_info{python="3.' in text
    assert 'service="queue"' in text


def test_a_taken_metrics_port_is_one_clear_line(root_logger):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot serve /metrics on 127.0.0.1:{port}"):
            telemetry.start("queue", ProcessConfig(metrics_port=port))


async def test_streams_are_counted_but_not_timed():
    meter = telemetry.Meter("test")
    async with telemetry.observed(meter, "Get"):
        assert meter.running.labels("Get")._value.get() == 1
    async with telemetry.observed(meter, "Watch", stream=True):
        pass
    with pytest.raises(Problem):
        async with telemetry.observed(meter, "Get"):
            raise Problem("NOBODY_WAITING")
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for metric in (*meter.calls.collect(), *meter.seconds.collect(), *meter.running.collect())
        for sample in metric.samples
    }
    assert samples["tunggu_test_calls_total", "Get", "OK"] == 1
    assert samples["tunggu_test_calls_total", "Get", "NOBODY_WAITING"] == 1
    assert samples["tunggu_test_calls_total", "Watch", "OK"] == 1
    assert samples["tunggu_test_seconds_count", "Get"] == 2
    assert ("tunggu_test_seconds_count", "Watch") not in samples
    assert samples["tunggu_test_running", "Get"] == 0


@pytest.mark.parametrize("given", ["", "short", "a" * 65, "with space here", "x\ny" * 4])
def test_a_request_id_of_another_form_is_replaced(given):
    assert telemetry.adopt_request_id(given) != given
    assert telemetry.REQUEST_ID.get() != given
