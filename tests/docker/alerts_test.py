#!/usr/bin/env python3
"""Goal: each alert rule fires when it should and not else, and tells its reader what to do.
Method: promtool over the rules and over cases of this folder (alert_cases.py); annotations against
the runbook; metrics against the documented ones. Without promtool (Debian's package prometheus)
the test is skipped."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

import yaml

from alert_cases import CASES

ROOT = pathlib.Path(os.environ.get("RFM_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
FOLDER = ROOT / "docker/prometheus"
RULES = FOLDER / "alerts.yml"
ALERTS = {rule["alert"]: rule for group in yaml.safe_load(RULES.read_text())["groups"]
          for rule in group["rules"] if "alert" in rule}
PROMTOOL = shutil.which("promtool")


def test_of(alert, values, minute, expected_labels):
    expected = []
    if expected_labels is not None:
        rule = ALERTS[alert]
        labels = {"job": "rfmstream", "instance": "a:7367", **expected_labels}
        labels = {key: value for key, value in labels.items() if value is not None}
        expected = [{"exp_labels": {**labels, **rule["labels"]}}]
    return {"interval": "1m", "input_series": [{"series": name, "values": value}
                                               for name, value in values.items()],
            "alert_rule_test": [{"eval_time": f"{minute}m", "alertname": alert,
                                 "exp_alerts": expected}]}


class Alerts(unittest.TestCase):
    maxDiff = 5000

    def promtool(self, *arguments):
        return subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, check=False)

    def test_rules_and_configuration_are_valid(self):
        for kind, file in (("rules", RULES), ("config", FOLDER / "prometheus.yml")):
            done = self.promtool("check", kind, file)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def tried(self, tests):
        """What promtool says against them; nothing: all as expected."""
        with tempfile.TemporaryDirectory(prefix="rfmstream-alerts-") as directory:
            # Annotations are compared too: without them only who fires is.
            rules = yaml.safe_load(RULES.read_text())
            for group in rules["groups"]:
                for rule in group["rules"]:
                    rule.pop("annotations", None)
            (pathlib.Path(directory) / "alerts.yml").write_text(json.dumps(rules))
            path = pathlib.Path(directory) / "cases.yml"
            path.write_text(json.dumps({"rule_files": ["alerts.yml"], "evaluation_interval": "1m",
                                        "tests": tests}))
            done = self.promtool("test", "rules", path)
            return "" if done.returncode == 0 else done.stdout + done.stderr

    def test_each_fires_when_it_should(self):
        self.assertEqual(set(CASES), set(ALERTS))
        self.assertEqual(self.tried([test_of(alert, *fires)
                                     for alert, (fires, _) in CASES.items()]), "")

    def test_none_fires_when_it_should_not(self):
        tests = []
        for alert, ((_, minute, _), silent) in CASES.items():
            self.assertTrue(silent, alert)
            tests += [test_of(alert, values, minute, None) for values in silent]
        self.assertEqual(self.tried(tests), "")

    def test_each_waits_before_it_fires(self):
        tests = [test_of(alert, values, 0, None)
                 for alert, ((values, _, _), _) in CASES.items()]
        self.assertEqual(self.tried(tests), "")

    def test_a_wrong_expectation_is_seen(self):
        alert, ((values, minute, _), _) = next(iter(CASES.items()))
        self.assertIn(alert, self.tried([test_of(alert, values, minute, None)]))

    def test_what_it_reads_is_documented(self):
        operations = (ROOT / "docs/operations.md").read_text()
        documented = set(re.findall(r"(?m)^\| `(\w+)` \|", operations))
        for alert, rule in ALERTS.items():
            for name in re.findall(r"\b(?:rfmstream|process)_\w+", rule["expr"]):
                plain = re.sub(r"_(bucket|count|sum)$", "", name)
                self.assertTrue({name, plain} & documented, f"{alert}: {name}")

    def test_each_has_an_entry_in_the_runbook_and_names_it(self):
        runbook = (ROOT / "docs/runbook.md").read_text()
        entries = re.findall(r"(?m)^### (Rfmstream\w+)$", runbook)
        self.assertEqual(sorted(entries), sorted(ALERTS))
        for alert, rule in ALERTS.items():
            self.assertEqual(rule["annotations"]["runbook"], f"docs/runbook.md#{alert.lower()}")
            self.assertIn(rule["labels"]["severity"], ("page", "warning"))
            self.assertTrue(rule["annotations"]["summary"], alert)
            entry = runbook.split(f"### {alert}\n", 1)[1].split("\n#", 1)[0]
            for part in ("*Means*", "*Look at*", "*Do*"):
                self.assertIn(part, entry, alert)


if __name__ == "__main__":
    if PROMTOOL is None:
        print("skipped: no promtool (Debian package prometheus)")
        sys.exit(77)
    unittest.main(verbosity=2)
