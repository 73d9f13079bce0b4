"""Goal: every query of the Grafana board and every alert rule means something to a real Prometheus.
Method: the configuration of docker/prometheus, its target replaced, scrapes a service that has read
a history with a model, transitions and dead letters; each query must give samples with the labels
that its legend names, and each rule must be evaluated and silent."""

import http.client
import json
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.parse

import yaml

from admin_test import ask, metrics, port_of, reasons, total
from application import DEADLINE_SECONDS, SOURCE, BrokerTest

DOCKER = SOURCE / "docker"
BOARD = json.loads((DOCKER / "grafana/boards/rfmstream.json").read_text())
VARIABLES = {"$instance": ".+", "$job": "rfmstream", "$__rate_interval": "1m"}


def filled(query):
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    assert "$" not in query, query
    return query


def queries():
    """Panel, query and legend."""
    for panel in BOARD["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], filled(target["expr"]), target["legendFormat"]


class Prometheus:
    """Of the configuration in docker/, for one target; ended at the end of the block."""

    def __init__(self, program, target):
        self.program, self.target = program, target

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory(prefix="rfmstream-prometheus-")
        here = pathlib.Path(self.directory.name)
        shutil.copy(DOCKER / "prometheus/alerts.yml", here)
        configuration = yaml.safe_load((DOCKER / "prometheus/prometheus.yml").read_text())
        configuration["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        (scraped,) = configuration["scrape_configs"]
        (group,) = scraped["static_configs"]
        group["targets"] = [self.target]
        (here / "prometheus.yml").write_text(yaml.safe_dump(configuration))
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.process = subprocess.Popen(
            [self.program, f"--config.file={here}/prometheus.yml",
             f"--storage.tsdb.path={here}/data", f"--web.listen-address=127.0.0.1:{self.port}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.directory.cleanup()

    def get(self, path):
        answer = json.loads(ask(self.port, path)[1])
        if answer["status"] != "success":
            raise AssertionError(f"{path}: {answer}")
        return answer["data"]

    def query(self, text):
        return self.get("/api/v1/query?" + urllib.parse.urlencode({"query": text}))["result"]

    def wait_for(self, condition, what):
        deadline = time.monotonic() + DEADLINE_SECONDS
        while True:
            try:
                if condition():
                    return
            except (OSError, http.client.HTTPException, ValueError, IndexError):
                pass
            assert time.monotonic() < deadline, what
            time.sleep(0.2)


class BoardTest(BrokerTest):
    partitions = 2

    def test_every_query_and_rule_is_answered(self):
        program = shutil.which("prometheus")
        if program is None:
            self.skipTest("no prometheus: Debian's package of that name")
        application = self.application("board")
        application.command("generate", "--kafka", "--format", "invoices", "--customers", "800",
                            "--days", "120", "--seed", "3")
        application.produce([("c1", b"not json")])
        self.start(application)
        application.wait_for(lambda: not reasons(application), "readiness")
        application.wait_for(
            lambda: total(metrics(application), "rfmstream_partition_lag_records") == 0
            and metrics(application)["rfmstream_model_version"] > 0, "the end and a model")
        with Prometheus(program, f"127.0.0.1:{port_of(application)}") as prometheus:
            # Rates need two scrapes.
            prometheus.wait_for(
                lambda: float(prometheus.query("count_over_time(rfmstream_ready[1m])")
                              [0]["value"][1]) >= 3, "scrapes")
            prometheus.wait_for(
                lambda: all(rule["health"] == "ok" for rule in self.rules(prometheus)),
                "evaluated rules")
            self.assert_answered(prometheus)
            firing = [rule["name"] for rule in self.rules(prometheus)
                      if rule["type"] == "alerting" and rule["state"] != "inactive"]
            self.assertEqual(firing, [], "a service that works")
            application.stop()
            prometheus.wait_for(
                lambda: any(rule["name"] == "RfmstreamDown" and rule["state"] == "pending"
                            for rule in self.rules(prometheus)), "the stop is noticed")

    @staticmethod
    def rules(prometheus):
        return [rule for group in prometheus.get("/api/v1/rules")["groups"]
                for rule in group["rules"]]

    def assert_answered(self, prometheus):
        asked = list(queries())
        self.assertGreater(len(asked), 50)
        for panel, query, legend in asked:
            found = prometheus.query(query)
            self.assertTrue(found, f"{panel}: {query}")
            for label in re.findall(r"\{\{(\w+)\}\}", legend):
                for sample in found:
                    self.assertIn(label, sample["metric"], f"{panel}: {query}")
        # A variable's values are those of a label.
        for variable in BOARD["templating"]["list"]:
            for series, label in re.findall(r"label_values\((\w+), (\w+)\)",
                                            variable.get("definition", "")):
                self.assertIn(label, prometheus.query(series)[0]["metric"])
        for annotation in BOARD["annotations"]["list"]:
            prometheus.query(annotation["expr"])


class BoardFile(unittest.TestCase):
    def test_what_an_operator_asks_has_its_panel(self):
        shown = " ".join(query for _, query, _ in queries())
        for name in ("lag_records", "lag_seconds", "watermark_timestamp", "commit_duration_seconds",
                     "event_to_commit_seconds", "records_total", "dead_letters_total",
                     "transitions_total", "rebuilds_total", "process_resident_memory_bytes",
                     "write_stops_total", "write_slowdowns_total", "model_age_seconds", "_ready"):
            self.assertIn(name, shown)
        for label in ("segmentation", "reason", "actionable"):
            self.assertIn(f"sum by ({label}) (rate(rfmstream_transitions_total", shown)

    def test_panels_lie_beside_each_other(self):
        taken = set()
        for panel in BOARD["panels"]:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                     for y in range(place["y"], place["y"] + place["h"])}
            self.assertFalse(cells & taken, panel["title"])
            taken |= cells
        ids = [panel["id"] for panel in BOARD["panels"]]
        self.assertEqual(len(ids), len(set(ids)))

    def test_grafana_finds_board_and_source(self):
        provisioning = DOCKER / "grafana/provisioning"
        (source,) = yaml.safe_load(
            (provisioning / "datasources/prometheus.yml").read_text())["datasources"]
        services = yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]
        host, port = re.fullmatch(r"http://(\w+):(\d+)", source["url"]).groups()
        self.assertIn(f"127.0.0.1:{port}:{port}", services[host]["ports"])
        (provider,) = yaml.safe_load(
            (provisioning / "dashboards/rfmstream.yml").read_text())["providers"]
        self.assertIn(f"./grafana/boards:{provider['options']['path']}:ro",
                      services["grafana"]["volumes"])
        self.assertIn("./prometheus:/etc/prometheus:ro", services["prometheus"]["volumes"])
        (scraped,) = yaml.safe_load(
            (DOCKER / "prometheus/prometheus.yml").read_text())["scrape_configs"]
        (target,) = scraped["static_configs"][0]["targets"]
        name, port = target.split(":")
        self.assertIn(f"127.0.0.1:{port}:{port}", services[name]["ports"])
        self.assertIn(f'listen = "0.0.0.0:{port}"', (DOCKER / "rfmstream.toml").read_text())


if __name__ == "__main__":
    unittest.main(verbosity=2)
