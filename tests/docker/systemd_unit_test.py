#!/usr/bin/env python3
"""Goal: systemd takes the unit, the binary takes its command, and the service has the time and the
room that it needs.
Method: systemd's own checks (systemd-analyze, Debian's package systemd; without it the test is
skipped); the values against those of the binary, the alert rules and the manifests."""

import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

import yaml

ROOT = pathlib.Path(os.environ.get("RFM_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
UNIT = ROOT / "docker/systemd/rfmstream.service"
TEXT = UNIT.read_text().replace("\\\n", "")
BINARY = pathlib.Path(os.environ.get("RFM_BIN", ""))
ANALYZE = shutil.which("systemd-analyze")
EXPOSURE_MAX = 20  # In tenths; 100 is a service without any protection.
GIBIBYTE = 1 << 30


def value(name):
    return re.search(rf"(?m)^{name}=(.*)$", TEXT).group(1)


class Unit(unittest.TestCase):
    def analyze(self, *arguments, text=None):
        with tempfile.TemporaryDirectory(prefix="rfmstream-unit-") as directory:
            path = pathlib.Path(directory) / UNIT.name
            path.write_text(text or UNIT.read_text().replace("/usr/local/bin/rfmstream",
                                                             "/bin/true"))
            return subprocess.run([ANALYZE, *arguments, str(path)], capture_output=True, text=True,
                                  check=False, env={**os.environ, "SYSTEMD_PAGER": ""})

    def test_systemd_takes_it(self):
        done = self.analyze("verify", "--man=no")
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_systemd_takes_the_token_of_the_readme(self):
        (added,) = re.findall(r"(?s)```ini\n(\[Service\]\n.*?)```",
                              (ROOT / "docker/README.md").read_text())
        unit = UNIT.read_text().replace("/usr/local/bin/rfmstream", "/bin/true")
        done = self.analyze("verify", "--man=no", text=f"{unit}\n{added}")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("LoadCredential=token:", added)

    def test_systemd_sees_a_mistake(self):
        wrong = UNIT.read_text().replace("/usr/local/bin/rfmstream", "/bin/true").replace(
            "WatchdogSec=", "WatchdogSecs=")
        self.assertIn("WatchdogSecs", self.analyze("verify", "--man=no", text=wrong).stderr)

    def test_it_is_shut_in(self):
        done = self.analyze("security", "--offline=true", f"--threshold={EXPOSURE_MAX}")
        self.assertEqual(done.returncode, 0, done.stdout[-500:] + done.stderr)

    def test_it_has_the_time_that_the_service_takes(self):
        self.assertEqual(value("Type"), "notify")
        # The service ends itself after 9 s.
        self.assertGreater(int(value("TimeoutStopSec").removesuffix("s")), 10)
        self.assertGreaterEqual(int(value("WatchdogSec").removesuffix("s")), 10)
        self.assertEqual(value("RestartPreventExitStatus"), "2")

    def test_its_memory_is_that_of_the_alert_and_of_the_pod(self):
        unit = int(value("MemoryMax").removesuffix("G")) * GIBIBYTE
        rules = yaml.safe_load((ROOT / "docker/prometheus/alerts.yml").read_text())
        (limit,) = [rule["expr"] for group in rules["groups"] for rule in group["rules"]
                    if rule.get("record") == "rfmstream:memory_limit_bytes"]
        self.assertEqual(limit, f"vector({unit})")
        manifests = yaml.safe_load_all((ROOT / "docker/kubernetes/rfmstream.yaml").read_text())
        (stateful,) = [manifest for manifest in manifests if manifest["kind"] == "StatefulSet"]
        container = stateful["spec"]["template"]["spec"]["containers"][0]
        self.assertEqual(container["resources"]["limits"]["memory"], f"{unit // GIBIBYTE}Gi")

    @unittest.skipUnless(BINARY.is_file(), "the binary is not built")
    def test_the_binary_takes_its_command(self):
        program, *words = shlex.split(value("ExecStart"))
        self.assertEqual(program, "/usr/local/bin/rfmstream")
        shown = subprocess.run([BINARY, words[0], "--help"], capture_output=True, text=True,
                               check=True).stdout
        for option in (word for word in words if word.startswith("--")):
            self.assertIn(option, shown)


if __name__ == "__main__":
    if ANALYZE is None:
        print("skipped: no systemd-analyze (Debian package systemd)")
        sys.exit(77)
    result = unittest.main(verbosity=2, exit=False).result
    sys.exit(1 if not result.wasSuccessful() else 77 if result.skipped else 0)
