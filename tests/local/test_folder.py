"""Who may open a data folder, and which Redis may read it."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from services.local.errors import LocalError
from services.local.folder import Folder, version_of
from services.local.redis_binary import redis_binary


@pytest.fixture
def folder(tmp_path):
    opened = Folder(tmp_path / "data")
    yield opened
    opened.close()


def test_a_second_stack_on_the_same_folder_is_refused_with_the_remedy(folder):
    with pytest.raises(LocalError, match=rf"in use by process {os.getpid()}: .*DATA=\.tunggu-2"):
        Folder(folder.root)


def test_the_folder_is_free_again_after_it_was_closed(tmp_path):
    Folder(tmp_path).close()
    Folder(tmp_path).close()


def test_the_folder_is_free_again_after_its_process_was_killed(tmp_path):
    code = f"""
import os, pathlib, signal
from services.local.folder import Folder
Folder(pathlib.Path({str(tmp_path)!r}))
os.kill(os.getpid(), signal.SIGKILL)
"""
    subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[2])
    Folder(tmp_path).close()


def test_only_its_owner_can_look_inside(folder):
    assert all(
        path.stat().st_mode & 0o077 == 0
        for path in (folder.root, folder.keys, folder.tokens, folder.redis, folder.logs)
    )


def test_the_version_of_the_server_is_recorded(folder):
    folder.admit_redis((6, 2, 14))
    assert (folder.root / "redis-version").read_text() == "6.2.14\n"


def test_an_older_server_is_refused_with_the_remedy_and_the_record_stays(folder):
    folder.admit_redis((7, 4, 1))
    with pytest.raises(
        LocalError, match=r"written by Redis 7\.4\.1.*6\.2\.14 would start empty.*or newer"
    ):
        folder.admit_redis((6, 2, 14))
    assert (folder.root / "redis-version").read_text() == "7.4.1\n"


def test_a_newer_server_is_admitted_and_recorded(folder):
    folder.admit_redis((6, 2, 14))
    folder.admit_redis((7, 0, 15))
    assert (folder.root / "redis-version").read_text() == "7.0.15\n"


def test_data_in_the_form_of_redis_7_without_a_record_is_refused_to_redis_6(folder):
    (folder.redis / "appendonlydir").mkdir()
    with pytest.raises(LocalError, match=r"written by Redis 7\.0\.0"):
        folder.admit_redis((6, 2, 14))


def test_a_record_that_is_no_version_is_one_clear_line(folder):
    (folder.root / "redis-version").write_text("new\n")
    with pytest.raises(LocalError, match="does not hold a version"):
        folder.admit_redis((6, 2, 14))


def test_the_version_is_what_the_server_itself_says():
    assert version_of(redis_binary()) >= (6, 2, 0)


def test_a_program_that_names_no_version_is_refused():
    with pytest.raises(LocalError, match="does not name a version"):
        version_of(Path("/bin/true"))


def test_the_socket_lies_in_the_folder_where_its_path_fits():
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        folder = Folder(Path(short))
        assert folder.socket() == folder.redis / "redis.sock"
        folder.close()


def test_a_path_too_long_for_a_socket_falls_back_to_a_short_private_folder(tmp_path):
    folder = Folder(tmp_path / ("long" * 30))
    socket = folder.socket()
    assert socket == folder.socket()
    assert len(os.fsencode(socket)) <= 107
    assert socket.parent.stat().st_mode & 0o077 == 0
    folder.close()
    assert not socket.parent.exists()


def test_real_time_is_no_clock_and_is_remembered(folder):
    assert folder.admit_speed(1) is None
    assert (folder.root / "clock").read_text() == "real\n"
    assert folder.admit_speed(1) is None


def test_a_fast_folder_keeps_its_clock_from_start_to_start(folder):
    clock = folder.admit_speed(300)
    assert clock is not None
    assert clock.speed == 300
    assert folder.admit_speed(300) == clock


def test_another_speed_is_refused_with_the_remedy(folder):
    folder.admit_speed(300)
    with pytest.raises(LocalError, match=r"kept with SPEED=300: use that again, or .* DATA="):
        folder.admit_speed(1)


@pytest.mark.parametrize("content", [b"", b"soon\n", b"1,2\n", b"1,2,fast\n", b"\xff\xfe"])
def test_a_record_that_is_no_clock_is_one_line_with_the_remedy_and_stays(folder, content):
    (folder.root / "clock").write_bytes(content)
    for speed in (1, 300):
        with pytest.raises(LocalError, match=r"clock does not say .*write the word real .*DATA="):
            folder.admit_speed(speed)
    assert (folder.root / "clock").read_bytes() == content


def test_a_lock_that_cannot_be_opened_is_one_line_with_the_remedy(tmp_path):
    (tmp_path / "lock").mkdir()
    with pytest.raises(LocalError, match=r"cannot use .*/lock: Is a directory: .*DATA="):
        Folder(tmp_path)


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(LocalError, match="cannot use DATA="):
        Folder(tmp_path / "file" / "data")
