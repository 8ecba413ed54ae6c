"""Whatever a request says: never INTERNAL, and what is refused writes nothing."""

import asyncio

import grpc
import pytest
from google.protobuf.descriptor import FieldDescriptor as Field
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.chassis.errors import from_rpc_error
from tests.queue.servicing import (
    ADMIN,
    METHODS,
    MONDAY,
    Who,
    checked,
    file_of,
    message_class,
    stub_method,
)
from tunggu.queue.v1 import kecamatan_pb2

EXAMPLES = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
ODD = (
    "", " ", "|", "}", "{", "\n", "\r\n", "\0", "\x7f", "é", "\u202e", "\U0001f600", "A|1", '"',
    "73.71.03\n", "A001\n", "x" * 20_000, "é" * 3_000, "../../x", "*", "-1", "9" * 400, "start",
    "{{k}}", "-", "0", "999999-999999-" + "A" * 22, "2026-02-30", "24:00", "99:99",
)  # fmt: skip
HOLDER = "a-long-holders-key"
MEANT = ("A", "B", "Z", "A001", "A002", "A003", "1", "2", MONDAY, "Asia/Makassar", HOLDER)
NUMBERS = (0, 1, 2, 3, -1, 7, 500, 5000, 2**31 - 1, -(2**31))

texts = st.sampled_from(ODD) | st.sampled_from(MEANT) | st.text(max_size=12)


def values(field, own):
    """What a field may hold; a text of `own` has the office's code, ids and hashes among them."""
    if field.type == Field.TYPE_MESSAGE:
        return messages(field.message_type, own)
    if field.type == Field.TYPE_STRING:
        return st.sampled_from(own) | texts
    if field.type == Field.TYPE_ENUM:
        return st.integers(0, 9)
    if field.type == Field.TYPE_BOOL:
        return st.booleans()
    assert field.type in (Field.TYPE_INT32, Field.TYPE_INT64), field.full_name
    return st.sampled_from(NUMBERS)


def is_map(field):
    return field.message_type is not None and field.message_type.GetOptions().map_entry


@st.composite
def messages(draw, descriptor, own):
    fields = {}
    for field in descriptor.fields:
        if draw(st.integers(0, 4)) == 0:
            continue
        if is_map(field):
            fields[field.name] = {draw(texts): draw(texts)}
        elif field.is_repeated:
            fields[field.name] = draw(st.lists(values(field, own), max_size=2))
        else:
            fields[field.name] = draw(values(field, own))
    return fields


class Asked:
    """An office with a few tickets, and what it answers."""

    def __init__(self, office):
        self.office = office
        self.who = Who("KIOSK,OFFICER,SUPERVISOR,ADMIN,INTERNAL,WAR_ROOM", office.code, "all")

    async def begin(self):
        held = await self.office.take("A", holder=HOLDER)
        await self.office.take("A")
        await self.office.open()
        await self.office.call_next()
        digest = self.office.leaves()[0]["pol"]
        return (self.office.code, self.office.code, held.id, digest)

    async def ask(self, rpc, request, who):
        before = self.office.state()
        problem = await self._problem(rpc, request, who)
        if problem:
            checked(problem)
            assert self.office.state() == before, (problem.reason, request)

    async def _problem(self, rpc, request, who):
        try:
            await self._answer(rpc, request, who)
        except grpc.aio.AioRpcError as error:
            return from_rpc_error(error)  # a bare UNKNOWN reads as INTERNAL
        return None

    async def _answer(self, rpc, request, who):
        metadata = [("authorization", who.bearer)] if who else []
        call = stub_method(self.office.channel, rpc)(request, metadata=metadata, timeout=15)
        if METHODS[rpc].server_streaming:
            await self._first(call)
        else:
            await call

    async def _first(self, call):
        """What a stream begins with, unless it has nothing to say yet."""
        reading = asyncio.ensure_future(call.read())
        done, _ = await asyncio.wait([reading], timeout=0.1)
        if done:
            reading.result()
        else:
            call.cancel()
            await asyncio.gather(reading, return_exceptions=True)


@pytest.mark.parametrize("rpc", sorted(set(METHODS) - {"ApplyKecamatan"}))
async def test_no_request_is_answered_with_internal_and_no_refused_one_is_written(office, rpc):
    asked = Asked(office)
    own = await asked.begin()
    cls = message_class(f"{rpc}Request")

    @EXAMPLES
    @given(messages(cls.DESCRIPTOR, own), st.booleans())
    def collect(fields, staff):
        requests.append((cls(**fields), asked.who if staff else None))

    requests = []
    collect()
    for request, who in requests:
        await asked.ask(rpc, request, who)
        if rpc == "DeleteKecamatan":
            await office.apply()
    await the_office_still_works(office)


async def the_office_still_works(office):
    async with office.watch("WatchEvents", cursor="start") as stream:
        await stream.until_event(len(office.leaves()) - 1)
    assert [m.leaf for m in stream.messages] == [
        fields[b"l"] for _, fields in office.redis.xrange(office.key("journal"))
    ]
    await office.do("GetBoard")
    await office.do("ListKecamatan")


async def test_no_file_is_answered_with_internal_and_no_refused_one_is_kept(office):
    """A good file with anything put over a part of it."""
    asked = Asked(office)
    own = await asked.begin()
    spec = kecamatan_pb2.KecamatanSpec.DESCRIPTOR
    requests = []

    @settings(EXAMPLES, max_examples=100)
    @given(st.sampled_from(list(spec.fields)).flatmap(lambda f: parts(f, own)), st.booleans())
    def collect(part, replaced):
        file = file_of(office.code)
        if replaced:
            file.spec.ClearField(next(iter(part)))
        file.spec.MergeFrom(kecamatan_pb2.KecamatanSpec(**part))
        requests.append(office.request("ApplyKecamatan", file=file))

    collect()
    kept = 0
    for request in requests:
        await asked.ask("ApplyKecamatan", request, ADMIN)
        kept += (await office.do("GetKecamatan")).name != ""
    assert kept == len(requests)
    await office.apply()
    await the_office_still_works(office)


def parts(field, own):
    if field.is_repeated:
        return st.fixed_dictionaries({field.name: st.lists(values(field, own), max_size=3)})
    return st.fixed_dictionaries({field.name: values(field, own)})
