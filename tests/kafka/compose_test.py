"""Goal: what docker/compose.yaml starts works together: topics, generator, service, reader.
Method: its commands and its settings file as plain processes against a broker of the test's own."""

import json
import re
import signal
import subprocess
import tempfile
import pathlib
import unittest

import yaml

from application import BINARY, DEADLINE_SECONDS, Broker, SOURCE

DOCKER = SOURCE / "docker"
MOUNTED = "/etc/rfmstream/rfmstream.toml"
STATE = "/var/lib/rfmstream/state"


class ComposeTest(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.broker = self.enterContext(Broker())
        services = yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]
        default = re.search(r"(?m)^CMD (\[.*\])$", (DOCKER / "Dockerfile").read_text()).group(1)
        self.commands = {name: service.get("command", json.loads(default))
                         for name, service in services.items()
                         if service["image"] == "rfmstream:local"}
        composed = (DOCKER / "rfmstream.toml").read_text()
        for composed_address, address in (("kafka:9092", self.broker.endpoint),
                                          ("0.0.0.0:7367", "127.0.0.1:0")):
            self.assertEqual(composed.count(f'"{composed_address}"'), 1)
            composed = composed.replace(f'"{composed_address}"', f'"{address}"')
        self.settings = self.directory / "rfmstream.toml"
        self.settings.write_text(composed)

    def arguments(self, command):
        places = {MOUNTED: self.settings, STATE: self.directory / "state"}
        words = [str(places.get(word, word)) for word in command]
        self.assertFalse([word for word in words if word.startswith(("/etc/", "/var/"))])
        return [BINARY, *words]

    def start(self, command):
        """In the background; killed at the end of the test if it still runs."""
        process = subprocess.Popen(self.arguments(command), stdin=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def run_to_end(self, command):
        return subprocess.run(self.arguments(command), check=True, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=DEADLINE_SECONDS).stdout

    def test_transitions_come_out(self):
        created = self.run_to_end(self.commands["topics"])
        self.assertEqual({line.split()[0] for line in created.splitlines()}, {"created"})
        generator = self.start(self.commands["generator"])
        service = self.start(self.commands["rfmstream"])
        shown = self.run_to_end(
            ["tail", "--config", MOUNTED, "--from-beginning", "--count", "20"]).splitlines()
        self.assertEqual(len(shown), 20)
        for line in shown:
            self.assertRegex(line, r"^\S+Z  \S+ +(churn|cluster|rfm) +.+ -> .+\(\w+\) .+")
        self.assertIsNone(generator.poll(), "at its rate it has most of the year before it")
        generator.send_signal(signal.SIGINT)
        self.assertEqual(generator.wait(DEADLINE_SECONDS), 130)
        service.send_signal(signal.SIGTERM)
        self.assertEqual(service.wait(DEADLINE_SECONDS), 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
