"""The alerts: their queries are PromQL, and each fires when it should and not before."""

import shutil
import subprocess

import pytest
import yaml

from tests.conftest import missing
from tests.deploy.rendered import K8S, ROOT

RULES = K8S / "components" / "monitoring" / "prometheusrule.yaml"
CASES = ROOT / "tests" / "deploy" / "alerts.yaml"


@pytest.fixture(scope="module")
def groups():
    return yaml.safe_load(RULES.read_text())["spec"]


@pytest.fixture
def promtool(tmp_path, groups):
    """Runs promtool in a folder with the rules as Prometheus reads them, `rules.yaml`."""
    if shutil.which("promtool") is None:
        missing("the alerts' test needs promtool of Debian's prometheus: make prometheus")
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(groups))

    def run(*arguments):
        return subprocess.run(
            ["promtool", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def test_the_rules_are_well_formed(promtool):
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", "rules.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_fires_when_it_should_and_not_before(promtool, tmp_path):
    (tmp_path / "alerts.yaml").write_text(CASES.read_text())
    done = promtool("test", "rules", "alerts.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_is_tried_and_says_what_to_do(groups):
    alerts = [r for group in groups["groups"] for r in group["rules"] if "alert" in r]
    tried = {
        case["alertname"]
        for test in yaml.safe_load(CASES.read_text())["tests"]
        for case in test["alert_rule_test"]
        if case["exp_alerts"]
    }
    assert {alert["alert"] for alert in alerts} == tried
    operations = (ROOT / "docs" / "OPERATIONS.md").read_text()
    for alert in alerts:
        assert {"summary", "description", "runbook_url"} <= set(alert["annotations"])
        assert alert["labels"]["severity"] in ("warning", "critical")
        _, _, anchor = alert["annotations"]["runbook_url"].partition("#")
        assert f"### {alert['alert']}" in operations or anchor in operations.lower()


def test_a_broken_query_is_refused(promtool, tmp_path, groups):
    broken = groups | {"groups": [*groups["groups"], {"name": "x", "rules": []}]}
    broken["groups"][-1]["rules"] = [{"alert": "X", "expr": "sum(rate(tunggu_calls_total[5m])"}]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(broken))
    assert promtool("check", "rules", "rules.yaml").returncode != 0
