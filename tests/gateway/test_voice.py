"""The clips of the hall's voice: whole, small, and replaced by a person's where there are any."""

import hashlib
import json
import tomllib

import pytest

from services.chassis.config import ConfigError
from services.gateway.pages import WEB
from services.gateway.voice.recordings import recorded

CLIPS = WEB / "voice"
WORDS = WEB.parent / "voice" / "words.toml"


def manifest():
    return json.loads((CLIPS / "manifest.json").read_text("utf-8"))


def test_there_is_a_clip_for_every_word_and_each_is_the_one_that_is_noted():
    words = manifest()["words"]
    assert list(words) == list(tomllib.loads(WORDS.read_text("utf-8"))["words"])
    for word, entry in words.items():
        body = (CLIPS / entry["file"]).read_bytes()
        assert hashlib.sha256(body).hexdigest() == entry["sha256"], word
        assert body.startswith(b"OggS")
    assert {path.name for path in CLIPS.glob("*.opus")} == {e["file"] for e in words.values()}


def test_all_clips_together_are_small():
    assert sum(path.stat().st_size for path in CLIPS.iterdir()) <= 200 * 1024


def test_a_clip_is_served_as_sound(client):
    found = client.get("/web/-/voice/satu.opus")
    assert found.status_code == 200
    assert found.headers["content-type"] == "audio/ogg"
    assert "content-encoding" not in found.headers or found.content.startswith(b"OggS")


def test_a_persons_recording_stands_in_the_place_of_the_clip(tmp_path):
    (tmp_path / "satu.opus").write_bytes(b"OggS a person")
    (tmp_path / "satu.wav").write_bytes(b"RIFF is not chosen")
    (tmp_path / "dua.wav").write_bytes(b"RIFF a person")
    (tmp_path / "notes.txt").write_text("not a word")
    files = recorded(CLIPS, str(tmp_path))
    told = json.loads(files["voice/manifest.json"].body)["words"]
    assert files.keys() == {"voice/manifest.json", "voice/satu.opus", "voice/dua.wav"}
    assert files["voice/satu.opus"].body == b"OggS a person"
    assert told["dua"]["file"] == "dua.wav"
    assert told["tiga"] == manifest()["words"]["tiga"]
    assert told["dua"]["sha256"] == hashlib.sha256(b"RIFF a person").hexdigest()


def test_without_a_folder_the_clips_stay():
    assert recorded(CLIPS, "") == {}


@pytest.mark.parametrize("name", ["", "nowhere"])
def test_a_folder_without_a_recording_is_a_mistake_that_is_named(tmp_path, name):
    with pytest.raises(ConfigError, match="TUNGGU_RECORDINGS"):
        recorded(CLIPS, str(tmp_path / name))
