#!/usr/bin/env python3
"""Goal: the Kubernetes manifests are ones that a cluster takes, and what they name fits together.
Method: Kubernetes' own schemas, strict, as the package kubernetes-validate carries them (./dev test
puts it into build/python; RFM_PYTHON_PACKAGES may name another place), for an old and a new
version; names, labels and ports against each other; settings and commands by the binary. Without
the package the test is skipped."""

import copy
import functools
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import jsonschema
import yaml

ROOT = pathlib.Path(os.environ.get("RFM_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
FOLDER = ROOT / "docker/kubernetes"
PACKAGES = pathlib.Path(os.environ.get("RFM_PYTHON_PACKAGES", ROOT / "build/python"))
SCHEMAS = PACKAGES / "kubernetes_validate/kubernetes-json-schema"
VERSIONS = ("v1.25.0", "v1.37.0")
BINARY = pathlib.Path(os.environ.get("RFM_BIN", ""))
MANIFESTS = {document["kind"]: document
             for document in yaml.safe_load_all((FOLDER / "rfmstream.yaml").read_text())}


@functools.cache
def schema_file(path):
    """Its references lead to the file that holds them, once that has the definitions too."""
    schema = json.loads(re.sub(r'"\$ref": "[^"#]*#', '"$ref": "#', path.read_text()))
    schema.pop("$id", None)
    return schema


def refusals(manifest, version):
    group, _, api = manifest["apiVersion"].rpartition("/")
    folder = SCHEMAS / f"{version}-local-strict"
    name = "-".join(filter(None, (manifest["kind"].lower(), group.split(".")[0], api)))
    schema = {**schema_file(folder / "_definitions.json"), **schema_file(folder / f"{name}.json")}
    return [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(manifest)]


def pods():
    """Name -> the pod that a manifest makes."""
    for kind in ("Job", "StatefulSet"):
        yield kind, MANIFESTS[kind]["spec"]["template"]


class Manifests(unittest.TestCase):
    def test_they_follow_the_schemas(self):
        self.assertEqual(len(MANIFESTS), 6)
        for version in VERSIONS:
            for kind, manifest in MANIFESTS.items():
                self.assertEqual(refusals(manifest, version), [], f"{kind}, {version}")

    def test_the_schemas_refuse_mistakes(self):
        for change in (lambda spec: spec.update(replica=1),
                       lambda spec: spec.update(replicas="one"),
                       lambda spec: spec["template"]["spec"]["containers"][0].pop("name"),
                       lambda spec: spec.pop("serviceName") and spec.pop("selector")):
            wrong = copy.deepcopy(MANIFESTS["StatefulSet"])
            change(wrong["spec"])
            for version in VERSIONS:
                self.assertTrue(refusals(wrong, version), version)

    def test_whatever_asks_the_broker_has_the_secrets(self):
        for kind, pod in pods():
            (container,) = pod["spec"]["containers"]
            self.assertEqual(container["envFrom"],
                             [{"secretRef": {"name": "rfmstream", "optional": True}}], kind)

    def test_the_token_is_a_file_where_the_settings_would_have_it(self):
        spec = MANIFESTS["StatefulSet"]["spec"]["template"]["spec"]
        (volume,) = [v for v in spec["volumes"] if v["name"] == "token"]
        self.assertEqual(volume["secret"], {"secretName": "rfmstream-token", "optional": True,
                                            "defaultMode": 0o400})
        (mount,) = [m for m in spec["containers"][0]["volumeMounts"] if m["name"] == "token"]
        self.assertIn(f'# token_file = "{mount["mountPath"]}/token"',
                      MANIFESTS["ConfigMap"]["data"]["rfmstream.toml"])

    def test_labels_and_names_fit(self):
        stateful = MANIFESTS["StatefulSet"]["spec"]
        labels = stateful["template"]["metadata"]["labels"]
        for selector in (stateful["selector"]["matchLabels"],
                         MANIFESTS["Service"]["spec"]["selector"],
                         MANIFESTS["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
                         MANIFESTS["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"]):
            self.assertLessEqual(selector.items(), labels.items())
        self.assertFalse(set(labels.items())
                         <= set(MANIFESTS["Job"]["spec"]["template"]["metadata"]["labels"].items()))
        self.assertEqual(stateful["serviceName"], MANIFESTS["Service"]["metadata"]["name"])
        claims = {claim["metadata"]["name"] for claim in stateful["volumeClaimTemplates"]}
        for kind, pod in pods():
            volumes = {volume["name"]: volume for volume in pod["spec"]["volumes"]}
            self.assertEqual(volumes["settings"]["configMap"]["name"],
                             MANIFESTS["ConfigMap"]["metadata"]["name"])
            for container in pod["spec"]["containers"]:
                for mount in container["volumeMounts"]:
                    self.assertIn(mount["name"], {*volumes, *claims}, kind)

    def test_probes_ask_the_port_that_the_settings_listen_at(self):
        container = MANIFESTS["StatefulSet"]["spec"]["template"]["spec"]["containers"][0]
        port = {port["name"]: port["containerPort"] for port in container["ports"]}["admin"]
        self.assertIn(f'listen = "0.0.0.0:{port}"',
                      MANIFESTS["ConfigMap"]["data"]["rfmstream.toml"])
        paths = {}
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            self.assertEqual(container[probe]["httpGet"]["port"], "admin")
            paths[probe] = container[probe]["httpGet"]["path"]
        self.assertEqual(paths, {"startupProbe": "/healthz", "livenessProbe": "/healthz",
                                 "readinessProbe": "/readyz"})
        served = {port["name"]: port["port"] for port in MANIFESTS["Service"]["spec"]["ports"]}
        self.assertEqual(served, {"admin": port})

    def test_a_monitor_finds_the_service(self):
        monitor = yaml.safe_load((FOLDER / "monitoring.yaml").read_text())
        service = MANIFESTS["Service"]
        self.assertLessEqual(monitor["spec"]["selector"]["matchLabels"].items(),
                             service["metadata"]["labels"].items())
        self.assertEqual(service["metadata"]["labels"][monitor["spec"]["jobLabel"]], "rfmstream")
        for endpoint in monitor["spec"]["endpoints"]:
            self.assertIn(endpoint["port"], [port["name"] for port in service["spec"]["ports"]])

    def test_it_stops_in_time_and_runs_as_nobody(self):
        for kind, pod in pods():
            # Variables of a service rfmstream begin with RFMSTREAM_, as settings do.
            self.assertIs(pod["spec"]["enableServiceLinks"], False, kind)
            self.assertTrue(pod["spec"]["securityContext"]["runAsNonRoot"])
            for container in pod["spec"]["containers"]:
                self.assertTrue(container["securityContext"]["readOnlyRootFilesystem"])
                self.assertIn("memory", container["resources"]["limits"])
        # The service ends itself after 9 s.
        self.assertGreater(
            MANIFESTS["StatefulSet"]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"],
            10)
        self.assertEqual(MANIFESTS["StatefulSet"]["spec"]["replicas"], 1)

    @unittest.skipUnless(BINARY.is_file(), "the binary is not built")
    def test_the_binary_takes_settings_and_commands(self):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(MANIFESTS["ConfigMap"]["data"]["rfmstream.toml"])
            file.flush()
            done = subprocess.run([BINARY, "config", "check", "--config", file.name],
                                  capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
        for kind, pod in pods():
            words = pod["spec"]["containers"][0]["args"]
            commands = words[:next(i for i, word in enumerate(words) if word.startswith("--"))]
            shown = subprocess.run([BINARY, *commands, "--help"], capture_output=True, text=True,
                                   check=False)
            self.assertEqual(shown.returncode, 0, kind)
            for option in (word for word in words if word.startswith("--")):
                self.assertIn(option, shown.stdout, kind)


if __name__ == "__main__":
    if not SCHEMAS.is_dir():
        print(f"skipped: no {SCHEMAS} (./dev test installs it)")
        sys.exit(77)
    result = unittest.main(verbosity=2, exit=False).result
    sys.exit(1 if not result.wasSuccessful() else 77 if result.skipped else 0)
