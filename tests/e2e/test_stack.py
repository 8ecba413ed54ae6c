"""The stack as the durability tests use it: several queues, single processes killed."""

import httpx
import pytest

from services.local.apply import apply, client
from services.local.demo_day import CODE, DATA
from services.local.errors import LocalError
from services.local.office_file import read
from services.local.stack import Stack
from tests.e2e.launched import take_number
from tests.local.dummies import alive, eventually


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stack")
    with Stack(folder, port=0, queue_replicas=3, supervise=False, metrics=False) as started:
        with client(started.url, started.token("ADMIN")) as http:
            (office,) = read(DATA / "bemowo.yaml")
            apply(http, office)
        yield started


def take(stack):
    """The number's number."""
    with httpx.Client(base_url=stack.url, trust_env=False, timeout=10) as http:
        return int(take_number(http, CODE, "B")["number"][1:])


def ready(stack):
    return httpx.get(f"{stack.url}/readyz", trust_env=False).status_code == httpx.codes.OK


def test_its_processes_have_names(stack):
    assert list(stack.pids()) == [
        "redis",
        "queue-1",
        "queue-2",
        "queue-3",
        "survey",
        "notify",
        "gateway",
    ]
    assert all(alive(pid) for pid in stack.pids().values())


def test_two_stacks_run_beside_each_other(stack, tmp_path):
    with Stack(tmp_path, port=0, metrics=False) as other:
        assert other.url != stack.url
        assert not set(other.pids().values()) & set(stack.pids().values())


@pytest.mark.parametrize("name", ["redis", "queue-2", "survey", "notify", "gateway"])
def test_one_process_is_killed_and_started_again_and_numbers_go_on(stack, name):
    before = take(stack)
    stack.kill(name)
    assert name not in stack.pids()
    stack.restart(name)
    assert eventually(lambda: ready(stack))
    assert take(stack) == before + 1


def test_after_a_power_cut_numbers_go_on(stack):
    before = take(stack)
    stack.kill_all()
    assert stack.pids() == {}
    stack.restart_all()
    assert take(stack) == before + 1


def test_a_stack_that_does_not_run_says_so(tmp_path):
    with pytest.raises(LocalError, match="not running"):
        Stack(tmp_path, port=0).pids()
