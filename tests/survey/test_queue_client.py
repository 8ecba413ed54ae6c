"""How the survey asks the queue: seldom, not for long, and with its own token."""

from types import SimpleNamespace

import pytest

from services.chassis.errors import Problem
from services.queue_link import link
from services.survey.queue_client import QueueClient
from tunggu.queue.v1 import queue_pb2
from tunggu.queue.v1.kecamatan_pb2 import GetKecamatanResponse, Office
from tunggu.queue.v1.ticket_pb2 import Counter, Ticket


class FakeStub:
    """Answers by RPC; a Problem is raised."""

    def __init__(self, **answers):
        self.answers = answers
        self.asked = {}

    def __getattr__(self, name):
        async def call(request, timeout):
            self.asked[name] = request
            answer = self.answers[name]
            if isinstance(answer, Problem):
                raise answer
            return answer

        return call


@pytest.fixture
def client(monkeypatch):
    """A client of a queue that gives these answers."""

    def make(**answers):
        stub = FakeStub(**answers)
        makes = lambda channel: stub  # noqa: E731
        monkeypatch.setattr(link.queue_pb2_grpc, "QueueServiceStub", makes)
        monkeypatch.setattr(link.kecamatan_pb2_grpc, "KecamatanServiceStub", makes)
        return QueueClient(SimpleNamespace()), stub

    return make


OFFICE = GetKecamatanResponse(office=Office(code="73.71.03", timezone="Asia/Makassar"))


def a_ticket(state):
    ticket = Ticket(
        kecamatan="73.71.03", service_day="2026-03-02", number="A001", service="B", counter="2",
        state=state,
    )  # fmt: skip
    ticket.issued_at.FromJsonString("2026-03-02T01:59:59.999Z")
    ticket.closed_at.FromJsonString("2026-03-02T02:30:00Z")
    return queue_pb2.GetTicketResponse(ticket=ticket)


async def test_a_served_ticket_is_known_by_the_local_hour_of_its_issue(client):
    queue, _ = client(GetTicket=a_ticket(Ticket.STATE_COMPLETED), GetKecamatan=OFFICE)
    served = await queue.served("id")
    assert (served.service, served.counter, served.hour) == ("B", "2", 9)
    assert served.completed_at == 1_772_418_600_000


@pytest.mark.parametrize("state", ["WAITING", "CALLED", "SERVING", "NO_SHOW", "LAPSED"])
async def test_a_ticket_in_any_other_state_is_not_served(client, state):
    queue, _ = client(GetTicket=a_ticket(f"STATE_{state}"), GetKecamatan=OFFICE)
    with pytest.raises(Problem) as caught:
        await queue.served("id")
    assert (caught.value.reason, caught.value.metadata["state"]) == ("NOT_SERVED", state)


async def test_the_ticket_just_served_is_the_counters_of_that_day(client):
    desk = Counter(service_day="2026-03-02")
    desk.last_completed.number = "A001"
    queue, stub = client(
        GetCounter=queue_pb2.GetCounterResponse(counter=desk),
        GetTicket=a_ticket(Ticket.STATE_COMPLETED),
        GetKecamatan=OFFICE,
    )
    assert (await queue.just_served("73.71.03", "2")).number == "A001"
    asked = stub.asked["GetTicket"]
    assert (asked.number, asked.service_day, asked.ticket_id) == ("A001", "2026-03-02", "")


async def test_that_our_own_token_is_refused_is_not_the_callers_fault(client):
    queue, _ = client(GetCounter=Problem("TOKEN_EXPIRED"))
    with pytest.raises(Problem) as caught:
        await queue.just_served("73.71.03", "2")
    assert caught.value.reason == "SERVICE_UNAVAILABLE"
    assert "TOKEN_EXPIRED" in caught.value.private
