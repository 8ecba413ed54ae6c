"""The servicer with a queue that is played and a real Redis: what happens while one subscribes, and
phones that write."""

import time
from types import SimpleNamespace

import pytest

from services.chassis.errors import Problem
from services.notify.bindings import Bindings
from services.notify.catching_up import CatchingUp
from services.notify.channels.log import Log
from services.notify.offices import Offices
from services.notify.servicer import NotifyServicer
from services.notify.store import Store
from services.redis_link.clock import Clock
from tests.notify.kept import CODE, DAY, everything, outbox, said
from tunggu.notify.v1 import notify_pb2 as pb
from tunggu.queue.v1.kecamatan_pb2 import CounterSpec, NotifySpec, Office
from tunggu.queue.v1.ticket_pb2 import Ticket

ID = "737103-260302-AAAAAAAAAAAAAAAAAAAAAA"
PHONE = "6281234567890"


class WhatsApp(Log):
    """As WhatsApp's channel, without WhatsApp."""

    name = "whatsapp"

    def link(self, text):
        return f"https://wa.example/?text={text}"


class FakeQueue:
    """One ticket; `then` is what it becomes after the first look."""

    def __init__(self):
        self.now = Ticket(
            kecamatan=CODE, service_day=DAY, number="A012", state=Ticket.STATE_WAITING, ahead=9,
            event=40,
        )  # fmt: skip
        self.then = None

    async def ticket(self, ticket_id):
        if ticket_id != ID:
            raise Problem("TICKET_NOT_FOUND")
        found, self.now = self.now, self.then or self.now
        return found

    async def office(self, code):
        counters = [CounterSpec(id="1", name="Loket 1")]
        return Office(code=CODE, counters=counters, notify=NotifySpec(thresholds=[5, 2]))


@pytest.fixture
def queue():
    return FakeQueue()


@pytest.fixture
def notify(redis, queue):
    store, offered = Store(redis), {"log": Log(), "whatsapp": WhatsApp()}
    offices = Offices(store, queue, None, 1.0)
    offices._offices[CODE] = SimpleNamespace(woken=SimpleNamespace(set=lambda: None))
    catching_up = CatchingUp(store, queue, offices, Clock())
    bindings = Bindings(store, offices, offered, catching_up)
    return NotifyServicer(store, queue, offered, catching_up, bindings, Clock())


async def subscribe(notify, **target):
    request = pb.CreateSubscriptionRequest(ticket_id=ID, **(target or {"log": pb.LogTarget()}))
    return (await notify.CreateSubscription(request, None)).subscription


async def test_a_call_that_comes_while_one_subscribes_is_told(redis, queue, notify):
    queue.then = Ticket(
        kecamatan=CODE, service_day=DAY, number="A012", state=Ticket.STATE_CALLED, counter="1",
        event=57,
    )  # fmt: skip
    await subscribe(notify)
    assert await said(redis) == ["A012 CALLED.57"]


async def test_nearness_that_comes_while_one_subscribes_is_told(redis, queue, notify):
    queue.then = Ticket()
    queue.then.CopyFrom(queue.now)
    queue.then.ahead = 2
    await subscribe(notify)
    assert await said(redis) == ["A012 NEAR.2.0"]
    assert abs((await outbox(redis))[0]["due"] - time.time() * 1000) < 60_000


async def test_what_the_page_shows_at_subscribing_is_not_told(redis, queue, notify):
    queue.now.ahead = 4
    await subscribe(notify)
    await subscribe(notify)
    assert await said(redis) == []


async def test_a_ticket_that_closes_while_one_subscribes_leaves_no_trace(redis, queue, notify):
    queue.then = Ticket()
    queue.then.CopyFrom(queue.now)
    queue.then.state, queue.then.event = Ticket.STATE_CANCELLED, 41
    await subscribe(notify)
    assert ID.encode() not in await everything(redis)


async def test_a_phone_that_writes_its_code_is_told_from_then_on(redis, queue, notify):
    made = await subscribe(notify, whatsapp=pb.WhatsAppTarget(), language=pb.LANGUAGE_EN)
    assert made.state == pb.Subscription.STATE_WAITING_FOR_CODE
    assert made.link == f"https://wa.example/?text=Tunggu A012 {made.code}"
    queue.now.ahead = 1
    written = pb.BindPhoneRequest(text=f"Tunggu A012 {made.code.lower()}", phone=PHONE)
    reply = (await notify.BindPhone(written, None)).reply
    assert reply.startswith("Thank you. Number A012")
    assert await said(redis) == ["A012 NEAR.2.0"], "who writes does not see the page"
    assert (await notify.BindPhone(written, None)).reply == reply
    listed = await notify.ListDeliveries(pb.ListDeliveriesRequest(ticket_id=ID), None)
    (shown,) = listed.subscriptions
    assert (shown.state, shown.code, shown.link) == (pb.Subscription.STATE_ACTIVE, "", "")
    assert PHONE not in str(listed)
    released = await notify.ReleasePhone(pb.ReleasePhoneRequest(phone=PHONE), None)
    assert "deleted" in released.reply
    assert PHONE.encode() not in await everything(redis)
    again = await notify.ReleasePhone(pb.ReleasePhoneRequest(phone=PHONE), None)
    assert again.reply == ""


async def test_a_code_of_another_office_or_none_is_refused(notify):
    for text in ("737101-7Q4K9M2X", "halo"):
        with pytest.raises(Problem) as caught:
            await notify.BindPhone(pb.BindPhoneRequest(text=text, phone=PHONE), None)
        assert caught.value.reason == "CODE_NOT_FOUND"


async def test_of_a_ticket_that_nobody_knows_nothing_is_told(notify):
    for ask, request in (
        (notify.CreateSubscription, pb.CreateSubscriptionRequest(log=pb.LogTarget())),
        (notify.DeleteSubscription, pb.DeleteSubscriptionRequest(ticket_id="x")),
        (notify.ListDeliveries, pb.ListDeliveriesRequest(ticket_id="x")),
    ):
        with pytest.raises(Problem) as caught:
            await ask(request, None)
        assert caught.value.reason == "TICKET_NOT_FOUND"


async def test_a_ticket_without_subscriptions_lists_nothing(notify):
    listed = await notify.ListDeliveries(pb.ListDeliveriesRequest(ticket_id=ID), None)
    assert listed == pb.ListDeliveriesResponse()
