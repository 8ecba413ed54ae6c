"""A slip as the bytes that an ESC/POS printer takes, from its reset to its cut."""

import textwrap
from dataclasses import dataclass
from typing import Any

import segno

from services.chassis.config import ConfigError
from services.printer.letters import plain
from services.printer.library import escpos
from services.printer.slip import Slip

CODE = 34  # mm that a side of the code has about
INCH = 25.4  # mm
LARGE, SMALL = 12, 9  # dots of a character of fonts A and B
MEDIUM = 1  # escpos' error correction M, of which a crumpled slip may lose 15 %


@dataclass(frozen=True, slots=True)
class Paper:
    """The printer as it is set up: profile and code page by python-escpos' names, dots in a line,
    dots per inch."""

    profile: str
    code_page: str
    width: int
    dpi: int

    def check(self) -> None:
        """ConfigError: python-escpos knows no such printer or page."""
        try:
            printer = escpos().Dummy(profile=self.profile)
        except KeyError:
            raise ConfigError(f"configuration: TUNGGU_PROFILE: no {self.profile!r}") from None
        _figure("A000", self)  # loads what draws, before somebody waits for it
        try:
            printer.magic.force_encoding(self.code_page)
        except (KeyError, LookupError, ValueError):
            told = f"{self.profile} has no {self.code_page!r}"
            raise ConfigError(f"configuration: TUNGGU_CODE_PAGE: {told}") from None


def receipt(slip: Slip, paper: Paper) -> bytes:
    """Everything of a slip in one piece."""
    printer = _printer(paper)
    printer.hw("INIT")
    printer.magic.force_encoding(paper.code_page)
    printer.set(align="center")
    _head(printer, slip, paper)
    _body(printer, slip, paper)
    _foot(printer, slip, paper)
    printer.cut(mode="PART")
    return bytes(printer.output)


def _printer(paper: Paper) -> Any:
    """Of that profile, with the width that this one has; the library would print that it is not
    known."""
    printer = escpos().Dummy(profile=paper.profile)
    width = {"pixels": paper.width, "mm": round(paper.width * INCH / paper.dpi)}
    media = {"dpi": paper.dpi, "width": width}
    printer.profile.profile_data = printer.profile.profile_data | {"media": media}
    return printer


def _head(printer: Any, slip: Slip, paper: Paper) -> None:
    printer.set(bold=True)
    _lines(printer, slip.office, paper)
    printer.set(bold=False)
    _lines(printer, slip.when, paper)
    printer.ln()
    _lines(printer, slip.lead, paper)
    printer.ln()
    printer.image(_figure(slip.number, paper))
    printer.ln()


def _body(printer: Any, slip: Slip, paper: Paper) -> None:
    printer.set(bold=True, double_height=True)
    _lines(printer, slip.service, paper)
    printer.set(bold=False, normal_textsize=True)
    _lines(printer, slip.ahead, paper)
    _lines(printer, slip.wait, paper)
    printer.ln()


def _foot(printer: Any, slip: Slip, paper: Paper) -> None:
    native = bool(printer.profile.supports("qrCode"))
    printer.qr(slip.address, ec=MEDIUM, size=_dots(slip.address, paper), native=native)
    printer.ln()
    _lines(printer, slip.keep, paper)
    if slip.promise:
        printer.set(font="b")
        printer.ln()
        _lines(printer, slip.promise, paper, SMALL)
        printer.set(font="a")


def _figure(number: str, paper: Paper) -> Any:
    from services.printer.figure import figure  # noqa: PLC0415  (Pillow comes with the extra)

    return figure(number, paper.width, paper.dpi)


def _lines(printer: Any, text: str, paper: Paper, size: int = LARGE) -> None:
    """The text in whole words, no line longer than the paper is wide; nothing for an empty one."""
    known = plain(text, lambda one: printer.magic.encoder.can_encode(paper.code_page, one))
    for line in textwrap.wrap(known, paper.width // size):
        printer.textln(line)


def _dots(address: str, paper: Paper) -> int:
    """Of a module, so that the code has its size whatever the address's length."""
    modules, _ = segno.make(address, error="m", micro=False).symbol_size(border=0)
    return max(3, min(16, round(CODE * paper.dpi / INCH / modules)))
