"""QR codes as SVG, and the address that the one of a ticket shows."""

import io

import segno

from services.gateway.exchange import Exchange, Reply

LONGEST = 512  # bytes of an address that a phone still reads off paper


def address_of(exchange: Exchange, suffix: str = "") -> str:
    """The asked address as the citizen knows it, without `suffix` and query; a proxy in front
    says whether it was https."""
    host = exchange.headers.get(b"host", b"localhost").decode("ascii", "replace")
    scheme = "https" if exchange.headers.get(b"x-forwarded-proto") == b"https" else "http"
    return f"{scheme}://{host}{exchange.raw_path.decode('ascii').removesuffix(suffix)}"


def qr(text: str) -> str:
    """An SVG element of class `qr` without a size of its own; nothing if the text is too long."""
    if len(text) > LONGEST:
        return ""
    out = io.BytesIO()
    look = {"border": 2, "svgclass": "qr", "lineclass": None}
    segno.make(text, error="m", micro=False).save(
        out, kind="svg", xmldecl=False, omitsize=True, **look
    )
    return out.getvalue().decode()


async def qr_of_ticket(exchange: Exchange) -> Reply:
    """`/t/{ticket}/qr.svg`: what a kiosk prints. Whether there is such a ticket is not asked."""
    body = qr(address_of(exchange, "/qr.svg")).encode()
    return Reply(200, [(b"content-type", b"image/svg+xml"), (b"cache-control", b"no-store")], body)
