"""ESC/POS read back: what stands on the paper that a printer would make of it."""

from dataclasses import dataclass, field

from PIL import Image

FIXED = {  # commands of a fixed length: their bytes with parameters
    b"\x1b@": 2, b"\x1bt": 3, b"\x1ba": 3, b"\x1bE": 3, b"\x1b!": 3, b"\x1bM": 3, b"\x1bd": 3,
}  # fmt: skip


@dataclass
class Paper:
    """`page` is the number of the code page; `lines` what is text, CP437 for all of it."""

    text: str = ""
    pages: list[int] = field(default_factory=list)
    pictures: list[Image.Image] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    cuts: int = 0

    @property
    def lines(self) -> list[str]:
        return [line for line in self.text.splitlines() if line]


def decoded(data: bytes) -> Paper:
    """AssertionError: a command that we do not send."""
    paper, stored = Paper(), ""
    while data:
        head = data[:2]
        if head in FIXED:
            if head == b"\x1bt":
                paper.pages.append(data[2])
            data = data[FIXED[head] :]
        elif head == b"\x1dV":
            paper.cuts += 1
            data = data[3:]
        elif data[:3] == b"\x1dv0":
            width, height = (int.from_bytes(data[at : at + 2], "little") for at in (4, 6))
            end = 8 + width * height
            paper.pictures.append(Image.frombytes("1", (width * 8, height), data[8:end]))
            data = data[end:]
        elif data[:3] == b"\x1d(k":
            end = 5 + int.from_bytes(data[3:5], "little")
            if data[6:7] == b"P":
                stored = data[8:end].decode()
            elif data[6:7] == b"Q":
                paper.codes.append(stored)
            data = data[end:]
        else:
            assert data[0] >= 0x20 or data[:1] == b"\n", data[:8]
            paper.text += data[:1].decode("cp437")
            data = data[1:]
    return paper
