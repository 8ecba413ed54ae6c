"""What a printer says of itself: bytes that answer DLE EOT n (real-time status). Pure.

A printer that cannot speak (many on USB, some in the network) says nothing; then nothing is known.
"""

from dataclasses import dataclass

PAPER = b"\x10\x04\x04"
ONLINE = b"\x10\x04\x01"
OFFLINE_BIT = 0x08
NO_PAPER_BITS = 0x60


@dataclass(frozen=True, slots=True)
class State:
    """None: it did not say."""

    online: bool | None
    paper: bool | None

    @property
    def ready(self) -> bool:
        """As far as it says."""
        return self.online is not False

    @property
    def speaks(self) -> bool:
        return self.paper is not None


SILENT = State(None, None)


def is_status(byte: int) -> bool:
    """Bits 1 and 4 are always set, 0 and 7 never; anything else is no answer to DLE EOT."""
    return byte & 0b1001_0011 == 0b0001_0010


def has_paper(byte: int) -> bool:
    """Near its end is not at its end."""
    return not byte & NO_PAPER_BITS


def is_online(byte: int) -> bool:
    return not byte & OFFLINE_BIT
