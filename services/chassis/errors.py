"""The one way to refuse a request.

Code raises `Problem` with a reason of the catalogue (reasons.toml). It is
translated once on the way out of a server (`to_status`) and once on the way into
a client (`from_rpc_error`); between processes it travels as google.rpc.ErrorInfo
of the domain "tunggu". Absent: HTTP; the gateway derives it from the status.
"""

import tomllib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from string import Formatter
from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

DOMAIN = "tunggu"
LANGUAGES = ("id", "en")

# What a status says that carries no reason of ours: it comes from gRPC itself.
BARE = {
    grpc.StatusCode.RESOURCE_EXHAUSTED: "OVERLOADED",
    grpc.StatusCode.DEADLINE_EXCEEDED: "DEADLINE_EXCEEDED",
}


@dataclass(frozen=True)
class Reason:
    """An entry of the catalogue; title and detail by language (`id`, `en`)."""

    name: str
    status: grpc.StatusCode
    title: Mapping[str, str]
    detail: Mapping[str, str]

    @property
    def placeholders(self) -> frozenset[str]:
        """The metadata that the detail wants."""
        parts = [part for text in self.detail.values() for part in Formatter().parse(text)]
        return frozenset(name for _, name, _, _ in parts if name)


@cache
def _document() -> Mapping[str, Any]:
    return tomllib.loads(Path(__file__).with_name("reasons.toml").read_text("utf-8"))


@cache
def catalogue() -> Mapping[str, Reason]:
    """All reasons by name. Read once, at the first use."""
    return {
        name: Reason(name, grpc.StatusCode[entry["status"]], entry["title"], entry["detail"])
        for name, entry in _document().items()
        if name != "words"
    }


class Problem(Exception):  # noqa: N818  (the word of RFC 9457, and of our pages)
    """A refusal with a reason of the catalogue.

    `metadata` is public and travels with it; `private` goes only to the log and
    holds no ticket id, token or holder either. KeyError: no such reason.
    """

    def __init__(
        self, reason: str, metadata: Mapping[str, str] | None = None, private: str = ""
    ) -> None:
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.private = private
        self.status = catalogue()[reason].status
        super().__init__(reason, self.metadata)


def texts(problem: Problem, language: str) -> tuple[str, str]:
    """Title and detail for people. Another language than id or en reads Indonesian."""
    language = language if language in LANGUAGES else LANGUAGES[0]
    entry, words = catalogue()[problem.reason], _document()["words"][language]
    title = entry.title[language]
    if not entry.placeholders <= problem.metadata.keys():
        return title, title
    plain = {name: words.get(value, value) for name, value in problem.metadata.items()}
    return title, entry.detail[language].format_map(plain)


def to_status(problem: Problem) -> Status:
    """The problem as google.rpc.Status with one ErrorInfo; the message is English."""
    info = AnyMessage()
    info.Pack(ErrorInfo(reason=problem.reason, domain=DOMAIN, metadata=problem.metadata))
    return Status(code=problem.status.value[0], message=texts(problem, "en")[1], details=[info])


def from_status(status: Status) -> Problem | None:
    """The problem that a status carries; None if it has no reason of ours."""
    for detail in status.details:
        info = ErrorInfo()
        if detail.Unpack(info) and info.domain == DOMAIN and info.reason in catalogue():
            return Problem(info.reason, info.metadata)
    return None


def from_rpc_error(error: grpc.RpcError, broken: str = "SERVICE_UNAVAILABLE") -> Problem:
    """The problem behind a failed call; one for its status if it carries none.

    `broken` is the reason for a connection that failed without an answer.
    """
    status = rpc_status.from_call(error)
    if status is not None and (problem := from_status(status)):
        return problem
    if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
        return Problem(broken, private=str(error.details()))
    return Problem(BARE.get(error.code(), "INTERNAL"), private=str(error.details()))


@asynccontextmanager
async def translated(context: grpc.aio.ServicerContext[Any, Any]) -> AsyncIterator[None]:
    """Ends the call with the status of the Problem raised inside; anything else is INTERNAL."""
    try:
        yield
    except Exception as error:  # noqa: BLE001  (it is in the log; gRPC would send its text)
        problem = error if isinstance(error, Problem) else Problem("INTERNAL")
        status = rpc_status.to_status(to_status(problem))
        await context.abort(status.code, status.details, status.trailing_metadata)
