"""A tiny service, made at run time, on which servers and clients are tested.

`python -m tests.chassis.tiny ADDRESS` serves it until SIGTERM.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from services.chassis import access
from services.chassis.config import ServerConfig, load
from services.chassis.errors import Problem
from services.chassis.server import Service, serve
from services.chassis.telemetry import REQUEST_ID, start
from tunggu.access.v1 import access_pb2

PACKAGE, NAME = "tunggu.tiny.v1", "TinyService"
METHODS = {
    "GetWord": (["ROLE_PUBLIC"], False),
    "SayWord": (["ROLE_PUBLIC"], False),
    "WatchWords": (["ROLE_PUBLIC"], True),
    "OpenCounter": (["ROLE_OFFICER", "ROLE_SUPERVISOR"], False),
}


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(
        name="tunggu/tiny/v1/tiny.proto",
        package=PACKAGE,
        syntax="proto3",
        dependency=["tunggu/access/v1/access.proto"],
    )
    message = file.message_type.add(name="Word")
    for number, field in enumerate(("kecamatan", "word", "request_id"), 1):
        kind = descriptor_pb2.FieldDescriptorProto
        message.field.add(
            name=field, number=number, type=kind.TYPE_STRING, label=kind.LABEL_OPTIONAL
        )
    service = file.service.add(name=NAME)
    for name, (roles, stream) in METHODS.items():
        word = f".{PACKAGE}.Word"
        method = service.method.add(
            name=name, input_type=word, output_type=word, server_streaming=stream
        )
        option = method.options.Extensions[access_pb2.requires]
        option.roles.extend(access_pb2.Role.Value(role) for role in roles)
    service = file.service.add(name="UnguardedService")
    service.method.add(name="GetWord", input_type=word, output_type=word)
    return file


POOL = descriptor_pool.Default()
try:
    FILE = POOL.FindFileByName("tunggu/tiny/v1/tiny.proto")
except KeyError:
    FILE = POOL.AddSerializedFile(_file().SerializeToString())
Word: Any = message_factory.GetMessageClass(FILE.message_types_by_name["Word"])


class Servicer:
    """Does what the word says; `calls` counts the calls of each method."""

    def __init__(self, draining: asyncio.Event) -> None:
        self.draining = draining
        self.calls: list[str] = []
        self.failures: list[Exception] = []
        self.started = asyncio.Event()
        self.release = asyncio.Event()

    async def GetWord(self, request: Any, context: Any) -> Any:
        return await self._answer("GetWord", request)

    async def SayWord(self, request: Any, context: Any) -> Any:
        return await self._answer("SayWord", request)

    async def OpenCounter(self, request: Any, context: Any) -> Any:
        self.calls.append("OpenCounter")
        return Word(word=access.caller().subject)

    async def WatchWords(self, request: Any, context: Any) -> AsyncIterator[Any]:
        yield Word(word="first")
        if request.word == "refuse":
            raise Problem("JOURNAL_REWOUND")
        self.started.set()
        await self.draining.wait()
        yield Word(word="last")

    async def _answer(self, method: str, request: Any) -> Any:
        self.calls.append(method)
        if self.failures:
            raise self.failures.pop(0)
        if request.word == "slow":
            self.started.set()
            await self.release.wait()
        if request.word == "request id":
            return Word(word=REQUEST_ID.get())
        return Word(word=request.word)


def service(servicer: Servicer) -> Service:
    """The guarded service as `serve` takes it."""

    kinds = (grpc.unary_unary_rpc_method_handler, grpc.unary_stream_rpc_method_handler)

    def register(server: grpc.aio.Server) -> None:
        handlers = {
            name: kinds[stream](getattr(servicer, name), Word.FromString, Word.SerializeToString)
            for name, (_, stream) in METHODS.items()
        }
        generic = grpc.method_handlers_generic_handler(f"{PACKAGE}.{NAME}", handlers)
        server.add_generic_rpc_handlers((generic,))

    return Service(FILE.services_by_name[NAME], register)


class Stub:
    """Each method as a callable on a channel."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        for name, (_, stream) in METHODS.items():
            kind = channel.unary_stream if stream else channel.unary_unary
            path = f"/{PACKAGE}.{NAME}/{name}"
            setattr(self, name, kind(path, Word.SerializeToString, Word.FromString))


async def main(address: str) -> None:
    config = load(ServerConfig, os.environ | {"TUNGGU_ADDRESS": address})
    start("tiny", config)
    draining = asyncio.Event()

    async def ready() -> bool:
        return True

    servicer = Servicer(draining)
    servicer.release.set()
    await serve(config, [service(servicer)], ready=ready, draining=draining)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
