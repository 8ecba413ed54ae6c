"""A request as the queue's store knows it."""

from dataclasses import dataclass

from services.redis_link import request


@dataclass(frozen=True)
class Request(request.Request):
    """`subject` is for the audit and the counter's officer, empty for citizens."""

    subject: str = ""
    supervisor: bool = False
