"""The embedded Redis, as the launcher starts it."""

import os

import pytest
import redis

from services.local import contract
from services.local.crew import Crew
from services.local.folder import Folder
from services.local.redis_binary import redis_binary


@pytest.fixture
def folder(tmp_path):
    opened = Folder(tmp_path / "a folder")
    yield opened
    opened.close()


@pytest.fixture
def crew(folder):
    program = contract.redis(redis_binary(), folder.redis, folder.socket())
    started = Crew([[program]], folder.logs, print, supervise=False)
    started.start()
    yield started
    started.stop()


@pytest.fixture
def client(crew, folder):
    with redis.Redis(unix_socket_path=str(folder.socket()), decode_responses=True) as connected:
        yield connected


def test_it_persists_every_write_before_it_answers_and_evicts_nothing(client):
    settings = client.config_get("*")
    wanted = {
        "appendonly": "yes",
        "appendfsync": "always",
        "maxmemory-policy": "noeviction",
        "save": "",
        "aof-load-truncated": "yes",
    }
    assert {name: settings[name] for name in wanted} == wanted


def test_it_listens_on_no_port_and_only_its_owner_may_connect(client, folder):
    assert client.config_get("port") == {"port": "0"}
    assert folder.socket().stat().st_mode & 0o077 == 0


def test_what_was_acknowledged_is_there_after_a_kill(client, crew):
    client.set("number", "A001")
    crew.kill("redis")
    crew.restart("redis")
    assert client.get("number") == "A001"


def test_what_was_written_is_there_after_an_orderly_stop(client, crew, folder):
    client.set("number", "A001")
    crew.stop()
    program = contract.redis(redis_binary(), folder.redis, folder.socket())
    again = Crew([[program]], folder.logs, print)
    again.start()
    try:
        assert client.get("number") == "A001"
    finally:
        again.stop()


def test_the_settings_of_the_launcher_reach_no_child(monkeypatch, folder):
    monkeypatch.setenv("TUNGGU_PORT", "8081")
    program = contract.redis(redis_binary(), folder.redis, folder.socket())
    assert "TUNGGU_PORT" not in program.environ
    assert program.environ["PATH"] == os.environ["PATH"]
