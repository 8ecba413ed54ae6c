"""What Prometheus is shown of a kiosk's printer; never what was printed."""

from prometheus_client import Counter, Gauge

from services.printer.status import State

UP = Gauge(
    "tunggu_printer_up",
    "1 if the printer was there when it was last looked at, and ready as far as it says.",
)
PAPER_OK = Gauge(
    "tunggu_printer_paper_ok",
    "1 if the printer said that it has paper, 0 that it has none; NaN if it says nothing.",
)
PRINTED = Counter("tunggu_printer_printed", "Slips that left whole.")
FAILED = Counter("tunggu_printer_failed", "Slips that did not, by what was answered.", ["reason"])


def show(state: State | None) -> None:
    """None: there is no way to the printer."""
    UP.set(state is not None and state.ready)
    known = None if state is None else state.paper
    PAPER_OK.set(float("nan") if known is None else known)
