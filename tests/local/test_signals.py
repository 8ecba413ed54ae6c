"""Ctrl-C at any moment of a start is no error."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# Runs a module as `python -m` does, and asks it to end while it imports httpx.
_ASKED_WHILE_IMPORTING = """
import os, runpy, signal, sys

class Asking:
    def find_spec(self, name, path=None, target=None):
        if name == "httpx":
            os.kill(os.getpid(), getattr(signal, sys.argv[2]))

sys.meta_path.insert(0, Asking())
runpy.run_module(sys.argv[1], run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize(
    ("module", "status"), [("services.local", 0), ("services.local.demo", 130)]
)
def test_asked_to_end_while_its_modules_load_it_ends_with_one_word(module, status, name, tmp_path):
    command = [sys.executable, "-P", "-c", _ASKED_WHILE_IMPORTING, module, name]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (status, "\nStopped.\n", "")
    assert list(tmp_path.iterdir()) == []
