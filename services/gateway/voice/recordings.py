"""A person's voice in the place of the machine's: recordings that an office brings itself."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

from services.chassis.config import ConfigError
from services.gateway.assets import KINDS, File

SUFFIXES = (".opus", ".wav")  # the former wins


def recorded(clips: Path, folder: str) -> dict[str, File]:
    """What stands in the place of `clips`: the recordings in `folder`, each named as the word that
    it says, and the manifest that names them. A word that nobody has recorded keeps its clip.

    ConfigError: the folder cannot be read, or holds no word at all. "" is no folder.
    """
    if not folder:
        return {}
    manifest = json.loads((clips / "manifest.json").read_text("utf-8"))
    found = dict(_found(Path(folder), manifest["words"]))
    if not found:
        raise ConfigError(f"TUNGGU_RECORDINGS: no recording of a word in {folder}")
    files = {f"voice/{path.name}": File.at(path) for path in found.values()}
    manifest["words"] |= {word: _entry(path) for word, path in found.items()}
    told = json.dumps(manifest | {"voice": "recorded"}).encode()
    return files | {"voice/manifest.json": File.of(told, KINDS[".json"])}


def _found(folder: Path, words: dict[str, object]) -> Iterator[tuple[str, Path]]:
    for word in words:
        paths = [folder / f"{word}{suffix}" for suffix in SUFFIXES]
        if path := next((path for path in paths if path.is_file()), None):
            yield word, path


def _entry(path: Path) -> dict[str, str]:
    return {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
