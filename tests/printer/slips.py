"""A slip as a kiosk's page sends it."""

from typing import Any

ORIGIN = "https://antrean.example"
TICKET = "737103-260302-0123456789abcdefABCD_-"


def wish(**changed: Any) -> dict[str, Any]:
    """What the page puts into its JSON."""
    origin = changed.pop("origin", ORIGIN)
    ticket = changed.get("ticket", TICKET)
    return {
        "ticket": ticket,
        "copy": 1,
        "number": "A012",
        "address": f"{origin}/t/{ticket}",
        "office": "Kecamatan Makassar",
        "when": "Senin, 2 Maret 2026, 10.05",
        "lead": "Nomor Anda",
        "service": "Kartu Keluarga",
        "ahead": "9 orang di depan Anda",
        "wait": "Perkiraan tunggu 45–80 menit",
        "keep": "Simpan struk ini. Pindai untuk mengikuti giliran di ponsel.",
        "promise": "Nomor dipanggil hanya menurut aturan yang diumumkan.",
    } | changed
