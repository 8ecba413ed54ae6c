"""Pages of other sites: none may call us unless its origin is in the configuration (CORS)."""

from collections.abc import Collection, Mapping

from services.gateway.exchange import Headers, Reply

ADMITTED = (
    b"Accept-Language, Authorization, Content-Type, Idempotency-Key, If-None-Match, "
    b"Last-Event-ID, Tunggu-Holder, X-Request-Id"
)
EXPOSED = b"ETag, Retry-After, X-Request-Id"
MAX_AGE = b"600"  # seconds that a browser may remember a preflight


class Origins:
    """The origins that may call; "*" admits all, which is safe as there are no cookies."""

    def __init__(self, allowed: Collection[str]) -> None:
        self._allowed = frozenset(origin.encode() for origin in allowed)

    def headers(self, request: Mapping[bytes, bytes]) -> Headers:
        """What a reply to this request carries."""
        if not self._allowed:
            return []
        origin = request.get(b"origin", b"")
        vary = [(b"vary", b"Origin")]
        if not origin or not self._allowed & {origin, b"*"}:
            return vary
        return [
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", EXPOSED),
            *vary,
        ]

    def options(self, request: Mapping[bytes, bytes], methods: Collection[str]) -> Reply:
        """The reply to OPTIONS, preflight or not."""
        allow = ", ".join(methods).encode()
        headers: Headers = [(b"allow", allow)]
        granted = any(name == b"access-control-allow-origin" for name, _ in self.headers(request))
        if granted and b"access-control-request-method" in request:
            headers += [
                (b"access-control-allow-methods", allow),
                (b"access-control-allow-headers", ADMITTED),
                (b"access-control-max-age", MAX_AGE),
            ]
        return Reply(204, headers)
