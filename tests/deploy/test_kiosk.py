"""A kiosk's machine: its unit starts the agent, and its browser's policy names the same page."""

import json
import re

from services.printer.config import read
from tests.deploy.rendered import ROOT

OPERATIONS = (ROOT / "docs" / "OPERATIONS.md").read_text("utf-8")


def unit():
    lines = (ROOT / "deploy" / "tunggu-printer.service").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and line[0] not in "#[")


def settings():
    return read(dict(given.split("=", 1) for given in unit()["Environment"].split()))


def test_the_unit_starts_the_agent_with_settings_that_there_are():
    assert unit()["ExecStart"].endswith("python -P -m services.printer")
    assert settings().printer == "/dev/usb/lp0"
    assert settings().address is None
    assert int(unit()["TimeoutStopSec"]) > 2 * settings().patience


def test_the_image_has_nothing_of_what_draws_and_prints():
    locked = (ROOT / "requirements.txt").read_text()
    assert not re.search(r"^(python-escpos|pillow|qrcode|python-barcode)==", locked, re.MULTILINE)
    assert re.search(r"^python-escpos==", (ROOT / "requirements-dev.txt").read_text(), re.MULTILINE)


def test_the_page_and_the_policy_that_operators_are_told_of_are_the_units():
    policy = json.loads(re.search(r"echo '(\{.*?\})'", OPERATIONS)[1])
    assert policy == {"LoopbackNetworkAllowedForUrls": list(settings().origins)}
    assert f"{settings().origins[0]}/kiosk/73.71.03?printer={settings().port}" in OPERATIONS
