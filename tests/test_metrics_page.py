"""docs/METRICS.md names exactly the metrics that there are."""

import re

import pytest

from tests.metrics_page import declared, documented, rows

QUEUE, GATEWAY = "services.queue.compose", "services.gateway.compose"
SURVEY, NOTIFY = "services.survey.compose", "services.notify.compose"
CONTROLLER = "services.controller.compose"
PRINTER = "services.printer.compose"


@pytest.fixture(scope="module")
def queue():
    return declared(QUEUE)


@pytest.fixture(scope="module")
def gateway():
    return declared(GATEWAY)


def test_every_metric_of_a_process_stands_on_the_page_as_it_is_declared(queue, gateway):
    shared = documented("Of every process")
    assert shared == {name: queue[name] for name in queue.keys() & gateway.keys()}
    own = documented("Of an office") | documented("Of a queue process")
    own |= documented("Of a display of the hall")
    assert own | shared == queue
    assert documented("Of a gateway process") | shared == gateway
    assert shared == declared(SURVEY)
    assert documented("Of a notify process") | shared == declared(NOTIFY)
    assert documented("Of a controller process") | shared == declared(CONTROLLER)
    assert documented("Of a kiosk's printing agent") == declared(PRINTER)


def test_every_metric_says_how_replicas_are_put_together(queue, gateway):
    unsaid = [name for name, metric in (queue | gateway).items() if not metric[2]]
    assert unsaid == ["tunggu_build_info"]


def test_what_comes_from_the_journal_is_equal_on_all_replicas(queue):
    own = {"tunggu_office_followed", "tunggu_journal_rewinds_total"}
    own |= {"tunggu_board_builds_total", "tunggu_board_built_bytes_total"}
    offices = documented("Of an office")
    assert {name for name, metric in offices.items() if metric[2] != "max"} == own


def test_queries_ask_only_for_metrics_that_there_are(queue, gateway):
    known = queue.keys() | gateway.keys() | documented("Of a notify process").keys()
    known |= {f"{name}_bucket" for name in known}
    for heading in ("What the War Room asks", "What operations ask"):
        for question, query in rows(heading):
            assert set(re.findall(r"tunggu_\w+", query)) <= known, question
