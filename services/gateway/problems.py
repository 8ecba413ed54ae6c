"""A Problem as problem+json (RFC 9457), in the language the client asks for."""

import random
from collections.abc import Mapping

import grpc

from services.chassis.errors import LANGUAGES, Problem, texts
from services.gateway.encode import dumped

MEDIA_TYPE = "application/problem+json"
URN = "urn:tunggu:problem:"

Code = grpc.StatusCode
STATUSES = {
    Code.INVALID_ARGUMENT: 400,
    Code.OUT_OF_RANGE: 400,
    Code.UNAUTHENTICATED: 401,
    Code.PERMISSION_DENIED: 403,
    Code.NOT_FOUND: 404,
    Code.ALREADY_EXISTS: 409,
    Code.FAILED_PRECONDITION: 409,
    Code.ABORTED: 409,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.UNAVAILABLE: 503,
    Code.DEADLINE_EXCEEDED: 504,
}
# Where HTTP has a better word than the gRPC status, or the cause is ours.
BY_REASON = {
    "METHOD_NOT_ALLOWED": 405,
    "BODY_TOO_SLOW": 408,
    "BODY_TOO_LARGE": 413,
    "URL_TOO_LONG": 414,
    "UNSUPPORTED_MEDIA_TYPE": 415,
    "HEADERS_TOO_LARGE": 431,
    "OVERLOADED": 503,
}
RETRY_AFTER = {429: (30, 60), 503: (1, 3)}  # seconds; spread, so that not all come back at once


def status_of(problem: Problem) -> int:
    """The HTTP status of a reason; 500 for what has none."""
    return BY_REASON.get(problem.reason) or STATUSES.get(problem.status, 500)


def body_of(problem: Problem, language: str, request_id: str) -> bytes:
    """The document. Metadata become members, but never replace one of RFC 9457's."""
    title, detail = texts(problem, language)
    status = status_of(problem)
    members: dict[str, object] = {
        "type": URN + problem.reason,
        "title": title,
        "status": status,
        "reason": problem.reason,
        "detail": detail,
        "instance": request_id,
    }
    if status == 500:
        del members["detail"]
        return dumped(members)
    more = {name: value for name, value in problem.metadata.items() if name not in members}
    return dumped(members | more)


def headers_of(problem: Problem, language: str) -> list[tuple[bytes, bytes]]:
    """What the status demands besides the body."""
    status = status_of(problem)
    headers = [
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-language", language.encode()),
        (b"vary", b"Accept-Language"),
        (b"cache-control", b"no-store"),
    ]
    if status in RETRY_AFTER:
        headers.append((b"retry-after", b"%d" % _retry_after(problem, status)))
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if status == 405:
        headers.append((b"allow", problem.metadata["allow"].encode()))
    return headers


def _retry_after(problem: Problem, status: int) -> int:
    """What the service asks for (`retryAfter`, seconds), else a spread default."""
    asked = problem.metadata.get("retryAfter", "")
    if asked.isascii() and asked.isdigit():
        return int(asked)
    return random.randint(*RETRY_AFTER[status])  # noqa: S311  (spread, no secret)


def language_of(headers: Mapping[bytes, bytes]) -> str:
    """`id` or `en`, whichever Accept-Language weighs more; `id` if in doubt."""
    weights = dict.fromkeys(LANGUAGES, 0.0)
    for part in headers.get(b"accept-language", b"").decode("latin-1").split(",")[:20]:
        tag, _, quality = part.strip().lower().partition(";q=")
        language = tag.partition("-")[0].strip()
        if language in weights:
            weights[language] = max(weights[language], _weight(quality))
    return max(LANGUAGES, key=lambda language: weights[language])


def _weight(text: str) -> float:
    try:
        return min(1.0, float(text)) if text else 1.0
    except ValueError:
        return 0.0
