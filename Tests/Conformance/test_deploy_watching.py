"""The alert rules and the dashboard of deploy/: tried by Prometheus' own tool, and held against what there is to be seen."""

import json
import re

import yaml

from deploying import run, text_of
from processes import BINARY, ROOT
from tls_front import DEPLOY


def test_R120_the_alert_rules_are_sound_and_fire_when_they_should():
    folder = DEPLOY / "prometheus"
    run("promtool", "check", "rules", folder / "parley.rules.yml")
    run("promtool", "check", "config", folder / "prometheus.yml")
    run("promtool", "test", "rules", "parley.rules.test.yml", cwd=folder)


def rules() -> list[dict]:
    return [rule for group in yaml.safe_load(text_of("prometheus/parley.rules.yml"))["groups"] for rule in group["rules"]]


def test_every_alert_is_tried_on_a_calm_day_and_on_the_worst():
    calm, worst = yaml.safe_load(text_of("prometheus/parley.rules.test.yml"))["tests"]
    names = [rule["alert"] for rule in rules()]
    assert [case["alertname"] for case in calm["alert_rule_test"]] == names and len(names) > 20
    assert [case["alertname"] for case in worst["alert_rule_test"] if case["exp_alerts"]] == names


def test_every_alert_has_a_section_that_says_what_to_do():
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    sections = re.findall(r"^### (Parley\w+)$", page, re.MULTILINE)
    assert sections == [rule["alert"] for rule in rules()]
    for rule in rules():
        assert rule["annotations"]["runbook_url"] == f"docs/operations.md#{rule['alert'].lower()}"


def expressions() -> list[str]:
    """All that the rules and the dashboard ask Prometheus."""
    board = json.loads(text_of("grafana/parley.json"))
    asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    assert len(asked) > 30
    return [rule["expr"] for rule in rules()] + asked + [note["expr"] for note in board["annotations"]["list"]]


def test_every_metric_that_is_watched_exists():
    listed = set(re.findall(r"\b(?:parley|process)_\w+", run(BINARY, "reference", "metrics")))
    watched = {name for text in expressions() for name in re.findall(r"\b(?:parley|process)_\w+", text)}
    assert {name.removesuffix("_bucket") for name in watched} <= listed


def test_the_dashboard_asks_what_prometheus_understands(tmp_path):
    asked = [re.sub(r"\$__rate_interval", "5m", text) for text in expressions()]
    asked = [re.sub(r"\$(instance|provider)", ".*", text) for text in asked]
    file = tmp_path / "asked.yml"
    groups = [{"name": "asked", "rules": [{"record": f"asked:{n}", "expr": text} for n, text in enumerate(asked)]}]
    file.write_text(yaml.safe_dump({"groups": groups}))
    run("promtool", "check", "rules", file)
    board = json.loads(text_of("grafana/parley.json"))
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert all(panel["description"] for panel in board["panels"] if panel["type"] != "row")
