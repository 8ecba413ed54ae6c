"""A file is what it was or what it is to be, never something between."""

import os

import pytest

from services.local.whole import write_whole


def test_it_replaces_what_was_there_and_only_its_owner_can_read_it(tmp_path):
    path = tmp_path / "clock"
    path.write_text("old")
    write_whole(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_writer_left_is_not_in_the_way(tmp_path):
    (tmp_path / ".clock").write_text("hal")
    write_whole(tmp_path / "clock", b"whole")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"whole"]


def test_until_all_is_on_disk_the_old_content_stays(tmp_path, monkeypatch):
    path = tmp_path / "clock"
    path.write_text("old")

    def cut(_):
        raise OSError("no power")

    monkeypatch.setattr(os, "fsync", cut)
    with pytest.raises(OSError, match="no power"):
        write_whole(path, b"new")
    assert path.read_text() == "old"
