"""What comes at a port that is open to the world: halves, floods, other protocols, tricks."""

from tests.gateway.fake_queue import CODE

TICKETS = f"/v1/kecamatan/{CODE}/tickets"
GET = b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"


def post(length, body=b""):
    """A request for a number that says how long its body is."""
    head = f"POST {TICKETS} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    return head.encode() + b"content-length: %d\r\n\r\n" % length + body


BOTH = b"transfer-encoding: chunked\r\ncontent-length: 5\r\n\r\n"
SMUGGLED = BOTH + b"0\r\n\r\nGET /x HTTP/1.1\r\n\r\n"
UPGRADE = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: "
GARBAGE = {
    "HTTP/0.9": b"GET /\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9),
    "HTTP/3.7": b"GET / HTTP/3.7\r\nhost: x\r\n\r\n",
    "TLS": bytes.fromhex("16030100a5010000a10303") + bytes(range(160)),
    "NULs": bytes(4096),
    "NUL in a header": b"GET / HTTP/1.1\r\nhost: a\0b\r\n\r\n",
    "NUL in the path": b"GET /\0 HTTP/1.1\r\nhost: x\r\n\r\n",
    "TE and CL": f"POST {TICKETS} HTTP/1.1\r\nhost: x\r\n".encode() + SMUGGLED,
    "TE twice": b"POST / HTTP/1.1\r\ntransfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n",
    "TE with a space": b"POST / HTTP/1.1\r\ntransfer-encoding : chunked\r\n\r\n0\r\n\r\n",
    "CL twice": b"POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nx",
    "CL below 0": b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\nx",
    "CL without end": b"POST / HTTP/1.1\r\ncontent-length: " + b"9" * 40 + b"\r\n\r\n",
    "chunk of no size": b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\nxx\r\n",
    "chunk of negative size": b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n-1\r\nxx",
    "folded header": b"GET / HTTP/1.1\r\nhost: x\r\n folded: y\r\n\r\n",
    "bare LF": b"GET / HTTP/1.1\nhost: x\n\n",
    "no path": b"GET HTTP/1.1\r\n\r\n",
    "authority": b"CONNECT example:443 HTTP/1.1\r\nhost: x\r\n\r\n",
    "asterisk": b"OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n",
    "upgrade": UPGRADE + b"websocket\r\n\r\nxx",
    "upgrade to HTTP/2": UPGRADE + b"h2c\r\n\r\n",
    "long line": b"GET /" + b"a" * 1_000_000,
    "long method": b"A" * 1_000_000,
    "many headers": b"GET / HTTP/1.1\r\n" + b"a:b\r\n" * 100_000,
    "half a head": b"GET / HTTP/1.1\r\nhost:",
    "half a body": post(100, b'{"service"'),
    "a body after GET": GET[:-2] + b"content-length: 3\r\n\r\nabc",
    "request after garbage": b"\x00\r\n\r\n" + GET,
    "garbage after a request": GET + b"\x00\x01\x02",
}
