"""Files that are there whole or not at all, whatever kills the writer."""

import os
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Replaces the file, mode 0600. After a kill or a power cut it has what it had, or this."""
    fresh = path.with_name(f".{path.name}")
    fresh.unlink(missing_ok=True)  # of a writer that was killed
    fresh.touch(mode=0o600, exist_ok=False)
    with fresh.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    _sync(path.parent)


def _sync(folder: Path) -> None:
    """The name is safe once its folder is on disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
