#!/usr/bin/env python3
"""compose.yaml is valid, and what it names exists.

The compose specification's JSON Schema comes with Debian's package docker-compose; where that is
missing the test is skipped.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tomllib
import unittest

import jsonschema
import yaml

HERE = pathlib.Path(__file__).resolve().parent
ROOT = pathlib.Path(os.environ.get("RFM_SOURCE_DIR", HERE.parent))
DOCKER = ROOT / "docker"
SCHEMA = pathlib.Path("/usr/lib/python3/dist-packages/compose/config/compose_spec.json")
COMPOSE = yaml.safe_load((DOCKER / "compose.yaml").read_text())
BINARY = pathlib.Path(os.environ.get("RFM_BIN", ""))


class Compose(unittest.TestCase):
    def test_follows_the_compose_specification(self):
        schema = json.loads(SCHEMA.read_text())
        plain = {key: value for key, value in COMPOSE.items() if not key.startswith("x-")}
        jsonschema.Draft7Validator(schema).validate(plain)

    def test_the_schema_refuses_a_mistake(self):
        schema = json.loads(SCHEMA.read_text())
        wrong = json.loads(json.dumps(COMPOSE))
        wrong["services"]["rfmstream"]["depend_on"] = ["kafka"]
        with self.assertRaises(jsonschema.ValidationError):
            jsonschema.Draft7Validator(schema).validate(wrong)

    def test_every_volume_and_dependency_is_declared(self):
        services = COMPOSE["services"]
        for name, service in services.items():
            for dependency in service.get("depends_on", {}):
                self.assertIn(dependency, services, name)
            for volume in service.get("volumes", []):
                source = volume.split(":")[0]
                if source.startswith("."):
                    self.assertTrue((DOCKER / source).exists(), f"{name}: {source}")
                else:
                    self.assertIn(source, COMPOSE["volumes"], name)
            if "build" in service:
                self.assertTrue((ROOT / service["build"]["dockerfile"]).is_file(), name)

    def test_kafka_is_the_version_the_tests_run_against(self):
        pom = (DOCKER / "kafka" / "pom.xml").read_text()
        pinned = re.search(r"kafka_2\.13</artifactId>\s*<version>([^<]+)<", pom).group(1)
        self.assertEqual(COMPOSE["services"]["kafka"]["image"], f"apache/kafka:{pinned}")

    def test_the_settings_name_the_composed_broker(self):
        settings = tomllib.loads((DOCKER / "rfmstream.toml").read_text())
        advertised = COMPOSE["services"]["kafka"]["environment"]["KAFKA_ADVERTISED_LISTENERS"]
        self.assertIn(f"PLAINTEXT://{settings['kafka']['brokers']}", advertised.split(","))


class LocalBroker(unittest.TestCase):
    def test_help_is_given_wherever_it_is_asked_for(self):
        texts = set()
        for words in (["help"], ["--help"], ["start", "--help"], ["stop", "--dir", "x", "-h"]):
            done = subprocess.run([DOCKER / "kafka/broker", *words], capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""), words)
            texts.add(done.stdout)
        self.assertEqual(len(texts), 1)
        self.assertIn("broker start --dir D", texts.pop())


class Image(unittest.TestCase):
    def test_it_does_not_run_as_root_and_the_base_is_an_argument(self):
        text = (DOCKER / "Dockerfile").read_text()
        self.assertRegex(text, r"(?m)^ARG BASE=")
        final = text[text.rindex("FROM ${BASE}") :]
        self.assertRegex(final, r"(?m)^USER [1-9]\d*")
        self.assertNotIn("-dev", final)

    def test_it_is_built_from_all_that_is_tracked(self):
        ignored = (ROOT / ".dockerignore").read_text().split()
        self.assertLessEqual({"build", ".git", "**/node_modules"}, set(ignored))
        tracked = subprocess.run(["git", "-C", ROOT, "ls-files"], check=True, capture_output=True,
                                 text=True).stdout.splitlines()
        self.assertIn("docker/Dockerfile", tracked)
        for path in map(pathlib.PurePath, tracked):
            for pattern in ignored:
                inside = path.parts if pattern.startswith("**/") else path.parts[:1]
                self.assertNotIn(pattern.removeprefix("**/"), inside, path)

    def test_it_has_the_page_and_leaves_what_bundles_it_behind(self):
        text = (DOCKER / "Dockerfile").read_text()
        build, final = text[: text.rindex("FROM ${BASE}")], text[text.rindex("FROM ${BASE}") :]
        self.assertRegex(build, r"(?m)^ARG PAGE=ON$")
        self.assertIn("-DRFM_PAGE=${PAGE}", build)
        self.assertRegex(build, r"\snodejs npm\s")
        self.assertNotRegex(final, r"node|npm")

    def test_it_installs_the_build_packages_of_the_task_script(self):
        text = (DOCKER / "Dockerfile").read_text()
        build = text[: text.rindex("FROM ${BASE}")]
        wanted = re.search(r"build_packages=\((.*?)\)", (ROOT / "dev").read_text(), re.S).group(1)
        only_for_tests = {"ccache", "python3", "libgtest-dev", "librapidcheck-dev",
                          "rapidjson-dev"}
        for package in set(wanted.split()) - only_for_tests:
            self.assertRegex(build, rf"[\s]{re.escape(package)}[\s]", package)


@unittest.skipUnless(BINARY.is_file(), "the binary is not built")
class Commands(unittest.TestCase):
    """The composed commands and settings are ones the binary takes."""

    def commands(self):
        for name, service in COMPOSE["services"].items():
            if service["image"] == "rfmstream:local":
                yield name, service.get("command")

    def health_check(self):
        return COMPOSE["services"]["rfmstream"]["healthcheck"]["test"]

    def run_binary(self, *arguments):
        return subprocess.run(
            [BINARY, *arguments], capture_output=True, text=True, timeout=60, check=False
        )

    def test_the_settings_are_accepted(self):
        done = self.run_binary("config", "check", "--config", str(DOCKER / "rfmstream.toml"))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_commands_in_comments_have_the_settings(self):
        text = (DOCKER / "compose.yaml").read_text().replace("\\\n#", "")
        commands = re.findall(r"(?m)^#.* run --rm rfmstream (.+)$", text)
        self.assertTrue(commands)
        for command in commands:
            self.assertIn("--config /etc/rfmstream/rfmstream.toml", " ".join(command.split()))

    def test_the_service_is_unhealthy_where_it_is_not(self):
        self.assertEqual(self.health_check()[:3], ["CMD", "rfmstream", "health"])
        done = self.run_binary("health", "--config", str(DOCKER / "rfmstream.toml"),
                               "--set", "kafka.brokers=localhost:1")
        self.assertEqual(done.returncode, 1, done.stderr)

    def test_every_option_is_in_the_help(self):
        default = json.loads(
            re.search(r"(?m)^CMD (\[.*\])$", (DOCKER / "Dockerfile").read_text()).group(1)
        )
        for name, words in [*((name, command or default) for name, command in self.commands()),
                            ("its health check", self.health_check()[2:])]:
            subcommands = [word for word in words if re.fullmatch(r"[a-z]+", word)]
            depth = 2 if words[0] == "topics" else 1
            shown = self.run_binary(*subcommands[:depth], "--help")
            self.assertEqual(shown.returncode, 0, f"{name}: {shown.stderr}")
            for option in (word for word in words if word.startswith("--")):
                self.assertIn(option, shown.stdout, name)


if __name__ == "__main__":
    if not SCHEMA.is_file():
        print(f"skipped: no {SCHEMA} (Debian package docker-compose)")
        sys.exit(77)
    result = unittest.main(verbosity=2, exit=False).result
    if not result.wasSuccessful():
        sys.exit(1)
    sys.exit(77 if result.skipped else 0)
