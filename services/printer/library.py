"""python-escpos, loaded when it is needed.

Its import reads a table of printers and leaves a folder with a copy of it in the system's place
for temporary files, at each start anew; here the folder goes again at once.
"""

import importlib
import tempfile
from functools import cache
from typing import Any

from services.chassis.config import ConfigError


@cache
def escpos() -> Any:
    """The module escpos.printer. ConfigError: it is not installed."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder
        try:
            return importlib.import_module("escpos.printer")
        except ModuleNotFoundError as error:
            raise ConfigError(
                f"printer: {error.name} is missing: pip install tunggu[printer]"
            ) from None
        finally:
            tempfile.tempdir = before
