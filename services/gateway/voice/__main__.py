"""`make voice`: a clip for every word of words.toml, and the manifest beside them.

Needed only after words.toml has changed: the clips are in the checkout. Runs espeak-ng, sox and
opusenc, one word after the other.
"""

import hashlib
import json
import subprocess
import tempfile
import tomllib
from pathlib import Path

WORDS = Path(__file__).with_name("words.toml")
CLIPS = Path(__file__).parents[1] / "web" / "voice"
# Silence is cut at both ends of a clip, for the player sets the pauses; no end clicks (seconds of
# a fade); the loudest sample stands at -3 dB.
CUT = ("silence", "1", "0.01", "0.5%")
CLEAN = (*CUT, "reverse", *CUT, "fade", "t", "0.015", "reverse", "fade", "t", "0.005", "norm", "-3")
ENCODE = ("opusenc", "--quiet", "--bitrate", "32", "--serial", "1", "--discard-comments")


def main() -> None:
    """Writes all clips anew. CalledProcessError names a tool that failed."""
    told = tomllib.loads(WORDS.read_text("utf-8"))
    CLIPS.mkdir(exist_ok=True)
    for old in CLIPS.glob("*.opus"):
        old.unlink()
    words = {word: _made(word, text) for word, text in told["words"].items()}
    manifest = {"lang": told["language"], "voice": told["voice"], "words": words}
    (CLIPS / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", "utf-8")
    total = sum(path.stat().st_size for path in CLIPS.iterdir())
    print(f"{len(words)} clips, {total / 1024:.0f} KB")


def _made(word: str, text: str) -> dict[str, str]:
    """The manifest's entry of one word."""
    path = CLIPS / f"{word}.opus"
    with tempfile.TemporaryDirectory() as folder:
        raw, clean = f"{folder}/raw.wav", f"{folder}/clean.wav"
        _run("espeak-ng", "-v", "id", "-s", "140", "-p", "45", "-w", raw, text)
        _run("sox", raw, clean, *CLEAN)
        _run(*ENCODE, clean, str(path))
    return {"file": path.name, "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
