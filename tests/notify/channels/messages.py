"""Messages as the channels are given them."""

import time
from dataclasses import replace

from services.notify.channels import Kind, Language, Message

CALLED = Message(
    id="msg_0123456789abcdef",
    kind=Kind.CALLED,
    language=Language.ID,
    title="Nomor A012 dipanggil",
    body="Silakan menuju loket 3.",
    path="/t/737103-260302-AAAAAAAAAAAAAAAAAAAAAA",
    url="https://tunggu.example/t/737103-260302-AAAAAAAAAAAAAAAAAAAAAA",
    expires_at=0,
    topic="4xTQ7yHn0a-_",
    kecamatan="73.71.03",
    service_day="2026-03-02",
    number="A012",
    due_at=1_772_416_800_000,
    counter="3",
)


def message(seconds: float = 600, **more):
    """A message of use for so many seconds."""
    return replace(CALLED, expires_at=int((time.time() + seconds) * 1000), **more)
