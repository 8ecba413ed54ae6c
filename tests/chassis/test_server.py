"""A real gRPC server: admitted, observed, translated, drained."""

import asyncio
import logging
import os
import signal
import subprocess
import sys

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from services.chassis.config import ConfigError, ServerConfig
from services.chassis.errors import Problem
from services.chassis.server import Service, serve
from services.chassis.telemetry import RPC
from tests.chassis.conftest import wait_serving
from tests.chassis.tiny import FILE, NAME, PACKAGE, Word

METHOD = f"{PACKAGE}.{NAME}/GetWord"


async def finished(call):
    return await call


async def refused(call) -> Problem:
    with pytest.raises(Problem) as problem:
        await call
    return problem.value


async def test_a_call_is_answered(own_tiny):
    async with own_tiny.serving(), own_tiny.stub() as stub:
        assert (await stub.GetWord(Word(word="tunggu"))).word == "tunggu"


async def test_a_problem_reaches_the_client_with_reason_and_metadata(own_tiny):
    own_tiny.servicer.failures = [Problem("WRONG_STATE", {"state": "CALLED"}, private="secret")]
    async with own_tiny.serving(), own_tiny.stub() as stub:
        problem = await refused(stub.SayWord(Word()))
    assert (problem.reason, problem.metadata) == ("WRONG_STATE", {"state": "CALLED"})


async def test_a_problem_is_its_grpc_status_for_any_other_client(own_tiny):
    own_tiny.servicer.failures = [Problem("QUOTA_EXHAUSTED", {"service": "A"})]
    async with own_tiny.serving(), grpc.aio.insecure_channel(own_tiny.address) as plain:
        call = plain.unary_unary(f"/{METHOD}", Word.SerializeToString, Word.FromString)
        with pytest.raises(grpc.aio.AioRpcError) as error:
            await call(Word())
    assert error.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "service A" in error.value.details()


async def test_an_unexpected_error_is_internal_and_its_detail_stays_in_the_log(own_tiny, caplog):
    own_tiny.servicer.failures = [ValueError("the inner workings")]
    with caplog.at_level(logging.INFO):
        async with own_tiny.serving(), own_tiny.stub() as stub:
            problem = await refused(stub.SayWord(Word()))
    assert problem.reason == "INTERNAL"
    assert "inner workings" not in str((problem.metadata, problem.private))
    assert "the inner workings" in caplog.text


async def test_a_call_that_takes_too_long_ends_with_a_deadline(own_tiny):
    async with own_tiny.serving(deadline=0.05), own_tiny.stub() as stub:
        problem = await refused(stub.SayWord(Word(word="slow")))
    assert problem.reason == "DEADLINE_EXCEEDED"


async def test_a_timeout_of_the_servicers_own_is_an_unexpected_error(own_tiny):
    own_tiny.servicer.failures = [TimeoutError("of something else")]
    async with own_tiny.serving(), own_tiny.stub() as stub:
        assert (await refused(stub.SayWord(Word()))).reason == "INTERNAL"


async def test_a_staff_method_admits_its_role_in_its_kecamatan_and_knows_the_caller(own_tiny):
    bearer = own_tiny.bearer("OFFICER")
    async with own_tiny.serving(), own_tiny.stub(bearer) as stub:
        answer = await stub.OpenCounter(Word(kecamatan="73.71.03"))
        other = await refused(stub.OpenCounter(Word(kecamatan="73.71.01")))
    assert answer.word == "officer-1"
    assert other.reason == "OTHER_KECAMATAN"


@pytest.mark.parametrize(
    ("authorization", "reason"),
    [("", "UNAUTHENTICATED"), ("Bearer forged", "TOKEN_INVALID"), ("KIOSK", "PERMISSION_DENIED")],
)
async def test_a_staff_method_refuses_everyone_else(own_tiny, authorization, reason):
    bearer = own_tiny.bearer("KIOSK") if authorization == "KIOSK" else lambda: authorization
    async with own_tiny.serving(), own_tiny.stub(bearer) as stub:
        assert (await refused(stub.OpenCounter(Word(kecamatan="73.71.03")))).reason == reason
    assert own_tiny.servicer.calls == []


async def test_an_invalid_token_is_refused_even_where_none_is_needed(own_tiny):
    async with own_tiny.serving(), own_tiny.stub(lambda: "Bearer forged") as stub:
        assert (await refused(stub.GetWord(Word()))).reason == "TOKEN_INVALID"


async def test_a_method_without_roles_keeps_the_server_from_starting(own_tiny):
    service = Service(FILE.services_by_name["UnguardedService"], lambda server: None)
    with pytest.raises(LookupError, match=r"UnguardedService.GetWord lacks"):
        await serve(own_tiny.config(), [service], ready=own_tiny.ready, draining=own_tiny.draining)


async def test_a_taken_address_is_one_clear_line(own_tiny):
    taken = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    async with taken:
        port = taken.sockets[0].getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot serve on 127.0.0.1:{port}"):
            await serve(
                ServerConfig(address=f"127.0.0.1:{port}"),
                [],
                ready=own_tiny.ready,
                draining=own_tiny.draining,
            )


async def test_every_call_is_counted_by_method_and_reason_but_health_is_not(own_tiny):
    def count(reason):
        return RPC.calls.labels(METHOD, reason)._value.get()

    before = count("OK"), count("NOBODY_WAITING")
    async with own_tiny.serving(), own_tiny.stub() as stub:
        await stub.GetWord(Word())
        own_tiny.servicer.failures = [Problem("NOBODY_WAITING")]
        await refused(stub.GetWord(Word()))
    assert (count("OK"), count("NOBODY_WAITING")) == (before[0] + 1, before[1] + 1)
    methods = {sample.labels["method"] for sample in next(iter(RPC.calls.collect())).samples}
    assert not any("grpc.health" in method for method in methods)


async def test_the_log_names_method_reason_and_request_id_but_no_payload(own_tiny, caplog):
    own_tiny.servicer.failures = [Problem("TICKET_NOT_FOUND")]
    with caplog.at_level(logging.INFO, "services.chassis.telemetry"):
        async with own_tiny.serving(), own_tiny.stub() as stub:
            await refused(stub.SayWord(Word(word="737103-260302-abcdefghijklmnopqrstuv")))
    (record,) = [record for record in caplog.records if record.message == "call"]
    assert record.fields["method"] == f"{PACKAGE}.{NAME}/SayWord"
    assert record.fields["reason"] == "TICKET_NOT_FOUND"
    assert "737103" not in str(record.__dict__)


async def test_a_stream_is_passed_on_and_its_problem_too(own_tiny):
    async with own_tiny.serving(), own_tiny.stub() as stub:
        answers = aiter(stub.WatchWords(Word(word="refuse")))
        assert (await anext(answers)).word == "first"
        assert (await refused(anext(answers))).reason == "JOURNAL_REWOUND"


async def test_readiness_follows_the_check_and_liveness_does_not(own_tiny):
    async with own_tiny.serving():
        own_tiny.healthy = False
        await wait_serving(own_tiny.address, "readiness", serving=False)
        await wait_serving(own_tiny.address, "", serving=False)
        await wait_serving(own_tiny.address, "liveness")
        own_tiny.healthy = True
        await wait_serving(own_tiny.address, "readiness")


async def test_reflection_lists_the_service(own_tiny):
    async with own_tiny.serving(), grpc.aio.insecure_channel(own_tiny.address) as plain:
        ask = reflection_pb2_grpc.ServerReflectionStub(plain).ServerReflectionInfo
        requests = [reflection_pb2.ServerReflectionRequest(list_services="")]
        answer = await ask(iter(requests)).read()
    names = {service.name for service in answer.list_services_response.service}
    assert f"{PACKAGE}.{NAME}" in names


async def test_draining_lets_a_running_call_finish_and_ends_streams(own_tiny):
    async with own_tiny.serving() as running, own_tiny.stub() as stub:
        slow = asyncio.create_task(finished(stub.SayWord(Word(word="slow"))))
        await own_tiny.servicer.started.wait()
        stream = stub.WatchWords(Word())
        assert (await anext(aiter(stream))).word == "first"
        own_tiny.stop.set()
        await own_tiny.draining.wait()
        assert (await anext(aiter(stream))).word == "last"
        assert not running.done()
        own_tiny.servicer.release.set()
        assert (await slow).word == "slow"
        await asyncio.wait_for(running, 4)


async def test_background_work_goes_on_until_the_running_calls_have_ended(own_tiny):
    async def release_while_draining() -> None:
        await own_tiny.draining.wait()
        own_tiny.servicer.release.set()

    async with own_tiny.serving([release_while_draining]) as running, own_tiny.stub() as stub:
        slow = asyncio.create_task(finished(stub.SayWord(Word(word="slow"))))
        await own_tiny.servicer.started.wait()
        own_tiny.stop.set()
        assert (await slow).word == "slow"
        await asyncio.wait_for(running, 4)


async def test_a_client_that_watches_health_does_not_hold_up_the_drain(own_tiny):
    plain = grpc.aio.insecure_channel(own_tiny.address)
    async with own_tiny.serving(drain=60.0) as running, plain:
        watch = health_pb2_grpc.HealthStub(plain).Watch
        states = watch(health_pb2.HealthCheckRequest(service="readiness"))
        assert (await states.read()).status == health_pb2.HealthCheckResponse.SERVING
        own_tiny.stop.set()
        await asyncio.wait_for(running, 5)


async def test_a_failing_background_task_ends_the_server(own_tiny):
    async def fails() -> None:
        raise RuntimeError("tick")

    with pytest.raises(ExceptionGroup) as group:
        await serve(
            own_tiny.config(),
            [],
            ready=own_tiny.ready,
            draining=own_tiny.draining,
            background=[fails],
        )
    assert [str(error) for error in group.value.exceptions] == ["tick"]
    assert own_tiny.draining.is_set()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_process_with_status_zero(tmp_path, number):
    address = f"unix:{tmp_path}/tiny.sock"
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "tests.chassis.tiny", address],
        env={name: value for name, value in os.environ.items() if name != "TUNGGU_ADDRESS"},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        await wait_serving(address)
        process.send_signal(number)
        assert await asyncio.to_thread(process.wait, 20) == 0
        lines = process.stderr.read().splitlines()
        assert all(line.startswith("{") for line in lines), lines
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
