"""The house: what a bare checkout needs, and what `make help` promises."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

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


def install(tools: Path, *arguments: str, **fakes: str) -> subprocess.CompletedProcess[str]:
    """Runs the script where only the named fakes and a few harmless commands exist."""
    for name in ("mktemp", "rm", "cat", "chmod", "head"):
        (tools / name).symlink_to(str(shutil.which(name)))
    for name, body in fakes.items():
        path = tools / name.replace("_", "-")
        path.write_text(f"#!/bin/bash\n{body}\n")
        path.chmod(0o755)
    policy = tools / "policy-rc.d"
    environ = {"PATH": str(tools), "LOG": str(tools / "log"), "POLICY_RC_D": str(policy)}
    return subprocess.run(
        [ROOT / ".ci/install-package", *arguments],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_package_that_is_there_is_left_alone(tmp_path):
    fakes = {"chromium": "exit 0", "apt_get": "exit 9"}
    done = install(tmp_path, "chromium", **fakes)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_without_root_one_line_names_the_package(tmp_path):
    done = install(tmp_path, "chromium", id="echo 1000", apt_get="exit 9")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "install --no-install-recommends chromium" in done.stderr


def test_as_root_a_package_comes_by_apt_without_what_apt_recommends(tmp_path):
    done = install(tmp_path, "chromium", id="echo 0", apt_get='echo "$@" >> "$LOG"')
    assert done.returncode == 0, done.stderr
    assert "install -y -qq --no-install-recommends chromium" in (tmp_path / "log").read_text()


def test_a_daemon_that_a_package_brings_is_not_started_now_or_at_boot(tmp_path):
    note = 'echo "${0##*/} $1" >> "$LOG"'
    asks = f'{note}; "$POLICY_RC_D"; echo "policy $?" >> "$LOG"'
    fakes = {"id": "echo 0", "systemctl": 'echo "systemctl $@" >> "$LOG"', "apt_get": asks}
    done = install(tmp_path, "prometheus", "prometheus.service", **fakes)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "log").read_text().splitlines() == [
        "systemctl mask prometheus.service",
        "apt-get update",
        "policy 101",
        "apt-get install",
        "policy 101",
    ]
    assert not (tmp_path / "policy-rc.d").exists()


def test_a_policy_that_a_machine_has_for_its_daemons_is_kept(tmp_path):
    (tmp_path / "policy-rc.d").write_text("mine")
    install(tmp_path, "prometheus", "prometheus.service", id="echo 0", apt_get="exit 0")
    assert (tmp_path / "policy-rc.d").read_text() == "mine"


def test_a_failed_installation_shows_what_apt_said(tmp_path):
    done = install(tmp_path, "chromium", id="echo 0", apt_get="echo no such package; exit 100")
    assert done.returncode == 1
    assert "no such package" in done.stderr


def test_settings_on_the_command_line_reach_the_processes_and_a_shells_host_does_not(tmp_path):
    make = tmp_path / "Makefile"
    rest = (ROOT / "Makefile").read_text().replace("$(MAKEFILE_LIST)", "Makefile")
    make.write_text(rest + "\nshow:\n\t@env | grep ^TUNGGU_ | sort\n")
    shown = subprocess.run(
        ["make", "show", "PORT=8081", "HOURS=real"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "HOST": "shell"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert shown.stdout.split() == ["TUNGGU_HOURS=real", "TUNGGU_PORT=8081"], shown.stderr


@pytest.mark.parametrize(
    ("given", "missing"),
    [("apply", "FILE"), ("verify", "FILE"), ("verify FILE=day.ndjson", "POLICY")],
)
def test_a_target_without_its_file_says_what_is_missing_and_how_it_looks(given, missing):
    command = ["make", "-o", "setup", *given.split()]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 2
    said = ran.stderr.splitlines()[0]
    assert re.fullmatch(rf"(apply|verify): {missing}= is missing: make \1 FILE=.*", said), ran
    assert ran.stdout == ""
