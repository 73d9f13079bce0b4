"""Goal: over HTTP an operator sees what the service does: ready or why not, and what adds up.
Method: the binary against a broker of the test's own; its answers are compared with its log and its
topics, checked by promtool and scraped by a real Prometheus."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.parse

from application import DEADLINE_SECONDS, Broker, BrokerTest
from stop_test import invoices


def port_of(application):
    """Of the process that was started last."""
    found = re.findall(r"are at http://127\.0\.0\.1:(\d+)/", application.log.read_text())
    return int(found[-1])


def ask(port, path):
    with contextlib.closing(
            http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def get(application, path):
    """Status and body; status 0: nobody listens."""
    try:
        return ask(port_of(application), path)
    except (OSError, IndexError, http.client.HTTPException):
        return 0, ""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def metrics(application):
    """Sample with its labels -> value."""
    status, text = get(application, "/metrics")
    assert status == 200, status
    lines = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def total(found, family):
    return sum(value for name, value in found.items()
               if re.match(rf"{family}(\{{|$)", name))


def reasons(application):
    status, text = get(application, "/readyz")
    if status not in (200, 503):
        return {"nobody"}
    found = {reason["reason"] for reason in json.loads(text)["reasons"]}
    assert (status == 200) == (not found), text
    return found


class AdminTest(BrokerTest):
    partitions = 2

    def ready(self, application):
        application.wait_for(lambda: not reasons(application), "readiness")

    def test_metrics_add_up_to_the_summary(self):
        application = self.application("figures")
        application.produce(invoices(200))
        application.produce(invoices(50))  # Duplicates.
        application.produce([("c1", b"not json"), ("c2", b"{}")])
        self.start(application)
        self.ready(application)
        application.wait_for(
            lambda: total(metrics(application), "rfmstream_records_total") == 252, "all records")
        # Some that time alone moves, over a boundary.
        application.produce(invoices(20, days=40))
        application.wait_for(
            lambda: total(metrics(application), "rfmstream_records_total") == 272, "the rest")
        application.wait_for(
            lambda: total(metrics(application), "rfmstream_partition_lag_records") == 0, "the end")
        found = metrics(application)
        status, text = get(application, "/metrics")
        application.stop()
        published = application.read("transitions")
        said = re.findall(r"of ([\d,]+) records in all: ([\d,]+) applied, ([\d,]+) duplicate, "
                          r"([\d,]+) ignored, ([\d,]+) erased, ([\d,]+) dead-lettered",
                          application.log.read_text())[-1]
        records, *outcomes = (int(count.replace(",", "")) for count in said)
        names = ("applied", "duplicate", "ignored", "erased", "dead_letter")
        for name, count in zip(names, outcomes):
            self.assertEqual(found[f'rfmstream_records_total{{outcome="{name}"}}'], count, name)
        self.assertEqual(records, 272)
        self.assertEqual(total(found, "rfmstream_dead_letters_total"), 2)
        self.assertEqual(total(found, "rfmstream_resident_customers"), 200)
        self.assertEqual(total(found, "rfmstream_event_to_commit_seconds_count"), 272)
        by_label = {}
        for record in published:
            value = record.json()
            label = (f'segmentation="{value["segmentation"]}",reason="{value["reason"]}",'
                     f'actionable="{str(value["actionable"]).lower()}"')
            by_label[label] = by_label.get(label, 0) + 1
        self.assertGreater(len(by_label), 1)
        for label, count in by_label.items():
            self.assertEqual(found[f"rfmstream_transitions_total{{{label}}}"], count, label)
        self.assertEqual(total(found, "rfmstream_transitions_total"), len(published))
        self.assertNotIn("c1", text)
        self.assert_clean(text)

    def test_customers_are_asked_of_the_running_service(self):
        application = self.application("asked", run__lanes=2)
        application.produce(invoices(200))
        self.start(application)
        self.ready(application)
        application.wait_for(
            lambda: total(metrics(application), "rfmstream_records_total") == 200, "all records")

        def answer(path):
            found = {}

            def is_there():
                status, text = get(application, path)
                found["answer"] = json.loads(text) if status == 200 else None
                return status == 200
            application.wait_for(is_there, path)
            return found["answer"]

        listed = answer("/customers?size=500")
        self.assertEqual(listed["total"], 200)
        self.assertEqual({c["customer_id"] for c in listed["customers"]},
                         {f"c{i}" for i in range(200)})
        self.assertEqual(listed["partitions"], {"held": 2, "total": 2})
        self.assertEqual(answer("/segments")["customers"], 200)
        self.assertEqual(answer("/customers/c7")["frequency"], 1)
        self.assertEqual(get(application, "/customers/nobody")[0], 404)
        # Lanes report some times a second.
        application.wait_for(
            lambda: metrics(application)['rfmstream_queries_total{outcome="answered"}'] > 0,
            "counts what it has answered")
        found = metrics(application)
        self.assertGreater(found["rfmstream_lane_cpu_seconds_total"],
                           found["rfmstream_query_cpu_seconds_total"])
        application.stop()
        self.assertNotIn("nobody", application.log.read_text())

    def assert_clean(self, text):
        promtool = shutil.which("promtool")
        if promtool is None:
            self.skipTest("no promtool: Debian's package prometheus has it")
        checked = subprocess.run([promtool, "check", "metrics"], input=text, text=True,
                                 capture_output=True, check=False)
        self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))

    def test_readiness_follows_the_broker(self):
        with Broker() as broker:
            application = self.application("probed", broker=broker)
            application.produce(invoices(500))
            broker._command("kill")
            # The start waits for a broker: alive, not ready.
            self.start(application)
            application.wait_for(lambda: "no_broker" in reasons(application), "no broker")
            self.assertEqual(get(application, "/healthz")[0], 200)
            broker._command("restart")
            self.ready(application)
            before = metrics(application)
            broker._command("kill")
            application.wait_for(lambda: "no_broker" in reasons(application), "the broker's end")
            self.assertEqual(get(application, "/healthz")[0], 200)
            after = metrics(application)
            for name, value in before.items():
                if "_total" in name:
                    self.assertGreaterEqual(after[name], value, name)

    def test_dead_letters_hold_it_back(self):
        application = self.application("pausing")
        application.produce((f"c{i}", b"secret-customer") for i in range(200))
        self.start(application)
        application.wait_for(lambda: "held_back" in reasons(application), "the pause")
        self.assertNotIn("secret-customer", get(application, "/readyz")[1])
        self.assertEqual(get(application, "/healthz")[0], 200)

    def test_settings_are_shown_without_secrets(self):
        application = self.application(
            "settings", **{"kafka__properties.sasl.password": "hunter2"})
        self.start(application)
        self.ready(application)
        settings = json.loads(get(application, "/config")[1])
        self.assertEqual(settings["app.name"], {"value": "settings", "from": "--set"})
        self.assertEqual(settings["kafka.properties.sasl.password"]["value"], "(not shown)")
        self.assertNotIn("hunter2", json.dumps(settings))

    def test_a_port_in_use_is_refused(self):
        application = self.application("taken", log__format="json")
        with socket.create_server(("127.0.0.1", 0)) as taken:
            listen = f"127.0.0.1:{taken.getsockname()[1]}"
            said = self.assert_refused(application, extra={"admin.listen": listen})
        self.assertIn(f"admin.listen = {listen}: cannot listen there: Address already in use", said)

    def test_logs_are_json_on_demand(self):
        application = self.application("logging", log__format="json")
        application.produce(invoices(10))
        application.catch_up()
        lines = [json.loads(line) for line in application.log.read_text().splitlines()]
        self.assertIn(0, [line.get("lane") for line in lines])
        for line in lines:
            self.assertLessEqual({"time", "level", "message"}, set(line))

    @contextlib.contextmanager
    def prometheus(self, target):
        """The port of a real one that scrapes the service at that port."""
        binary = shutil.which("prometheus")
        if binary is None:
            self.skipTest("no prometheus: Debian's package of that name")
        with tempfile.TemporaryDirectory(prefix="rfmstream-prometheus-") as directory:
            config = f"{directory}/prometheus.yml"
            with open(config, "w", encoding="utf-8") as file:
                json.dump({"global": {"scrape_interval": "1s"}, "scrape_configs": [
                    {"job_name": "rfmstream", "static_configs": [
                        {"targets": [f"127.0.0.1:{target}"]}]}]}, file)
            port = free_port()
            process = subprocess.Popen(
                [binary, f"--config.file={config}", f"--storage.tsdb.path={directory}/data",
                 f"--web.listen-address=127.0.0.1:{port}"],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
            try:
                yield port
            finally:
                process.kill()
                process.wait()

    def test_a_real_prometheus_scrapes_it(self):
        application = self.application("scraped")
        application.produce(invoices(100))
        self.start(application)
        self.ready(application)
        with self.prometheus(port_of(application)) as port:
            self.assert_scraped(port, 'sum(rfmstream_records_total)', "100")
            self.assert_scraped(port, 'up{job="rfmstream"}', "1")

    def test_health_and_readiness_are_those_of_each_state(self):
        with Broker() as broker:
            here = free_port()
            application = self.application("states", broker=broker, admin__stuck_after="1s",
                                           admin__listen=f"127.0.0.1:{here}")
            application.produce(invoices(500))
            application.catch_up()
            shutil.rmtree(application.state)
            # Each answer to a fetch waits, so that what is short otherwise is seen.
            slow = {"kafka.properties.fetch.min.bytes": "50000000",
                    "kafka.properties.fetch.wait.max.ms": "2000"}
            process = application.start(extra=slow)
            self.addCleanup(lambda: process.poll() is None and process.kill())
            with self.prometheus(here) as port:
                for state in ("starting", "restoring"):
                    application.wait_for(lambda: state in reasons(application), state)
                    self.assertEqual(get(application, "/healthz")[0], 200, state)
                self.assert_scraped(port, "rfmstream_ready", "0")
                application.stop()
                self.start(application)
                self.ready(application)
                self.assertEqual(get(application, "/healthz")[0], 200)
                self.assert_scraped(port, "rfmstream_ready", "1")
                # Its commit waits for an answer: nothing else does the lane meanwhile.
                pid = int((pathlib.Path(broker.directory.name) / "pid").read_text())
                day = 1
                while "stuck" not in reasons(application):
                    os.kill(pid, signal.SIGCONT)
                    application.produce(invoices(500, days=day))
                    os.kill(pid, signal.SIGSTOP)
                    day += 1
                    with contextlib.suppress(AssertionError):  # All was committed before.
                        application.wait_for(lambda: "stuck" in reasons(application), "", 5)
                try:
                    status, text = get(application, "/healthz")
                    self.assertEqual(status, 503)
                    self.assertEqual(json.loads(text)["stuck"][0]["lane"], 0)
                    self.assert_scraped(port, "rfmstream_ready", "0")
                finally:
                    os.kill(pid, signal.SIGCONT)
                self.ready(application)
                self.assertEqual(get(application, "/healthz")[0], 200)
                self.assert_scraped(port, "rfmstream_ready", "1")
                application.produce((f"c{i}", b"no invoice") for i in range(1_500))
                application.wait_for(lambda: "held_back" in reasons(application), "the pause")
                self.assertEqual(get(application, "/healthz")[0], 200)
                self.assert_scraped(port, "rfmstream_ready", "0")
                [dead] = json.loads(get(application, "/pipeline")[1])["dead_letters"]
                self.assertEqual(dead["reason"], "malformed")
                self.assertRegex(dead["sample"], r"^partition [01], offset \d+$")
                broker._command("kill")
                application.wait_for(lambda: "no_broker" in reasons(application), "its end")
                self.assert_scraped(port, 'max_over_time(up{job="rfmstream"}[1m])', "1")

    def test_a_flood_of_questions_does_not_stop_the_lanes(self):
        application = self.application("flooded", run__lanes=2)
        self.start(application)
        self.ready(application)
        port = port_of(application)
        done = threading.Event()
        statuses = set()

        def flood(number):
            while not done.is_set():
                for path in (f"/customers/secret-{number}%00%ff", "/segments", "/metrics",
                             "/customers?sort=frequency", "/" + "x" * 2_000):
                    with contextlib.suppress(OSError, http.client.HTTPException):
                        statuses.add(ask(port, path)[0])

        slow = [socket.create_connection(("127.0.0.1", port)) for _ in range(50)]
        for connection in slow:
            connection.sendall(b"GET /healthz HT")
        floods = [threading.Thread(target=flood, args=(number,)) for number in range(6)]
        for each in floods:
            each.start()
        try:
            application.produce(invoices(5_000))

            def all_read():
                with contextlib.suppress(OSError, AssertionError, http.client.HTTPException):
                    return total(metrics(application), "rfmstream_records_total") == 5_000
            application.wait_for(all_read, "all records")
        finally:
            done.set()
            for each in floods:
                each.join()
            for connection in slow:
                connection.close()
        self.assertLessEqual(statuses, {200, 202, 404, 414, 503})
        self.assertLessEqual({404, 414}, statuses)
        application.wait_for(lambda: json.loads(get(application, "/segments")[1] or "{}").get(
            "customers") == 5_000, "all customers in an answer")
        application.stop()
        self.assertNotIn("secret-", application.log.read_text())

    def assert_scraped(self, port, query, expected):
        deadline = time.monotonic() + DEADLINE_SECONDS
        answer = None
        while time.monotonic() < deadline:
            try:
                answer = json.loads(
                    ask(port, "/api/v1/query?query=" + urllib.parse.quote(query))[1])
                if [r["value"][1] for r in answer["data"]["result"]] == [expected]:
                    return
            except (OSError, http.client.HTTPException, ValueError):
                pass
            time.sleep(0.2)
        self.fail(f"{query}: {answer}")


if __name__ == "__main__":
    unittest.main(verbosity=2)
