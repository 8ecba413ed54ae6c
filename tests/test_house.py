"""The house: what a bare checkout needs, and what `make help` promises."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent


def test_help_is_the_default_goal_and_lists_every_target_with_a_line():
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert re.findall(r"^  make (\w+) +\S", listed, re.MULTILINE) == targets


def test_a_python_that_is_not_there_is_one_line_naming_what_to_install():
    found = subprocess.run(
        [ROOT / ".ci/find-python", "/nowhere/python3"], capture_output=True, text=True, check=False
    )
    assert found.returncode == 1
    assert found.stdout == ""
    assert len(found.stderr.splitlines()) == 1
    assert "python3.11-venv" in found.stderr


def test_lock_files_pin_every_package_with_hashes_and_name_no_address():
    for lock in (ROOT / "requirements.txt", ROOT / "requirements-dev.txt"):
        text = lock.read_text()
        assert "://" not in text
        for entry in re.split(r"\n(?=\S)", text.strip()):
            assert re.match(r"[a-z0-9.-]+==\S+", entry), entry
            assert "--hash=sha256:" in entry, entry
