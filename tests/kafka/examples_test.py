"""Goal: the examples for consumers do what docs/consumers.md says, on what the service really
publishes, which another implementation of CloudEvents reads.
Method: a generated history with returns and erasures through the service on a broker of the test's
own, with output.publish as all and as actionable; each example as a process on its topics, and on
copies of them from which something was taken, or to which something was added."""

import collections
import http.server
import json
import os
import subprocess
import sys
import threading
import unittest

import jsonschema

from admin import create_topic
from application import SOURCE, BrokerTest, invoice, FIRST_DAY, by_customer, file_line, read_lines
from pipeline_test import generate, read_history

# The packages that `./dev test` puts there (tests/python-packages.txt).
PACKAGES = os.environ.get("RFM_PYTHON_PACKAGES", str(SOURCE / "build/python"))
sys.path.append(PACKAGES)
try:
    from cloudevents.kafka import KafkaMessage, from_binary
except ImportError:
    from_binary = None


class Receiver(http.server.ThreadingHTTPServer):
    """Takes events at first from nobody, then from all; the first answers are lost."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers = collections.deque()  # A status, None: no answer after it was taken.
        self.taken = []  # (headers, body)
        self.url = f"http://127.0.0.1:{self.server_port}/transitions"

    def __enter__(self):
        self.thread = threading.Thread(target=self.serve_forever, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.thread.join()
        self.server_close()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.answers.popleft() if self.server.answers else 204
        if status in (204, None):
            self.server.taken.append((dict(self.headers), json.loads(body)))
        if status is None:
            self.close_connection = True
            return
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class ExamplesTest(BrokerTest):
    settings = {"model.cluster_history": "7d"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        path = cls.directory / "history.jsonl"
        generate(path, "--format", "invoices", "--customers", "300", "--days", "120", "--seed", "7",
                 "--return-share", "0.1", "--tombstones", "20")
        cls.records = [record for record in read_history(path) if record[0] != "nobody"]
        again = [key for key, value in cls.records if value is None][0]
        # One who was erased comes back.
        cls.records.append((again, invoice("again", again, FIRST_DAY.replace(month=5))))
        cls.published = {}
        for publish in ("all", "actionable"):
            application = cls.application(cls, f"examples-{publish}", output__publish=publish)
            application.produce([("first", invoice("first", "first", FIRST_DAY))])
            application.catch_up()  # What comes after it is live.
            application.produce(cls.records)
            application.catch_up()
            cls.published[publish] = application
        cls.all = cls.published["all"].read("transitions")
        cls.actionable = [r for r in cls.all if r.json()["actionable"]]

    def example(self, name, *arguments, application=None, topic=None, check=True):
        application = application or self.published["all"]
        done = subprocess.run(
            ["/usr/bin/python3", SOURCE / "examples" / name, self.broker.endpoint, "--once",
             "--topic", topic or application.topic("transitions"), *map(str, arguments)],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120, check=False)
        if check:
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done

    def copy(self, name, records):
        """A topic with these records."""
        create_topic(self.broker.endpoint, name, 3)
        self.published["all"].produce(
            [(r.key, r.value, list(r.headers)) for r in records], topic=name)
        return name

    # --- completeness ---

    def complete(self, records=None, *arguments, application=None, name=None):
        application = application or self.published["all"]
        topic = None if records is None else self.copy(name, records)
        done = self.example("complete.py", "--segments-topic", application.topic("segments"),
                            *arguments, application=application, topic=topic, check=False)
        self.assertEqual(done.stderr, "")
        *findings, last = done.stdout.splitlines()
        self.assertEqual(done.returncode, 1 if findings else 0, done.stdout)
        self.assertIn(f"{len(findings)} findings", last)
        return findings, last

    def test_what_is_published_is_complete(self):
        findings, said = self.complete()
        self.assertEqual(findings, [])
        self.assertIn(f"{len(self.all)} transitions", said)
        self.assertGreater(len(self.all), 1000)
        self.assertIn("erasure", {r.json()["reason"] for r in self.all})
        findings, _ = self.complete(None, "--publish", "actionable",
                                    application=self.published["actionable"])
        self.assertEqual(findings, [])

    def test_a_missing_one_is_found(self):
        chains = collections.defaultdict(list)
        for i, record in enumerate(self.all):
            body = record.json()
            chains[record.key, body["birth"], body["segmentation"]].append(i)
        long = next(chain for chain in chains.values() if len(chain) >= 4)
        for name, missing in (("first", long[0]), ("middle", long[1]), ("last", long[-1])):
            with self.subTest(name):
                findings, _ = self.complete(self.all[:missing] + self.all[missing + 1:],
                                            name=f"without-{name}")
                self.assertEqual(len(findings), 1, findings)
                self.assertTrue(findings[0].startswith(self.all[missing].key.decode()))
                self.assertIn("missing", findings[0])

    def test_a_double_one_is_found(self):
        findings, _ = self.complete(self.all + [self.all[5]], name="double")
        self.assertEqual(len(findings), 1, findings)
        self.assertIn("doubled", findings[0])

    def test_who_joins_late_sees_what_comes_from_there_on(self):
        half = self.all[len(self.all) // 2:]  # A whole partition, and a part of one.
        findings, _ = self.complete(half, "--joined-late", name="late")
        self.assertEqual(findings, [])

    # --- output.publish = actionable ---

    def test_only_actionable_ones_are_published_and_all_current_segments(self):
        all_of, some_of = (self.published[name] for name in ("all", "actionable"))
        some = some_of.read("transitions")
        lines = {name: by_customer(self.without_source(records))
                 for name, records in (("all", self.actionable), ("some", some))}
        self.assertEqual(lines["some"], lines["all"])
        self.assertGreater(len(some), 300)
        self.assertLess(len(some), len(self.all) / 2)
        segments = [{r.key: r.value for r in application.read("segments")}
                    for application in (all_of, some_of)]
        self.assertEqual(*segments)

    def test_a_recorded_replay_gives_the_ids_of_what_was_published(self):
        for application in self.published.values():
            audit = application.directory / "audit"
            application.command("replay", "--input", f"kafka:{application.topic('input')}",
                                "--recorded", "--output", audit)
            ids = [line["headers"]["ce_id"] for line in read_lines(audit / "transitions.jsonl")]
            published = [r.header("ce_id") for r in application.read("transitions")]
            self.assertEqual(sorted(ids), sorted(published))

    @staticmethod
    def without_source(records):
        for line in map(file_line, records):
            line["headers"].pop("ce_source")
            yield line

    # --- audiences ---

    def test_audience_events_lead_to_the_current_segments(self):
        events = [json.loads(line) for line in self.example("audience.py").stdout.splitlines()]
        self.assertEqual(len({event["messageId"] for event in events}), len(events))
        members = collections.defaultdict(set)
        for event in events:
            key = event["properties"]["audience_key"]
            audience = members[event["userId"]]
            if event["event"] == "Audience Entered":
                self.assertIs(event["properties"][key], True)
                self.assertNotIn(key, audience)
                audience.add(key)
            else:
                self.assertEqual(event["event"], "Audience Exited")
                self.assertIs(event["properties"][key], False)
                audience.remove(key)  # It was there.
        current = {r.key.decode(): r.value and r.json()["segments"]
                   for r in self.published["all"].read("segments")}
        for customer, segments in current.items():
            expected = {f"{name}_{segment}" for name, segment in (segments or {}).items()
                        if segment != "none"}
            self.assertEqual(len(members[customer]), len(expected), customer)
            self.assertEqual({name.split("_")[0] for name in members[customer]},
                             {name.split("_")[0] for name in expected})

    # --- webhook ---

    def test_the_webhook_gets_each_actionable_one_and_retries_are_known_by_their_id(self):
        with Receiver() as receiver:
            receiver.answers.extend([503, None, 429, 204, 410, 204, None, None])
            done = self.example("webhook.py", "--url", receiver.url, "--pause", "0.001")
            taken = list(receiver.taken)
            # The second attempts of what was taken without an answer.
            ids = [headers["Ce-Id"] for headers, _ in taken]
            self.assertEqual(len(ids) - len(set(ids)), 3)
            self.assertEqual(ids, [headers["Idempotency-Key"] for headers, _ in taken])
            expected = {r.header("ce_id") for r in self.actionable}
            refused = {line.split()[0] for line in done.stderr.splitlines()}
            self.assertEqual(len(refused), 1, done.stderr)
            self.assertEqual(set(ids) | refused, expected)
            self.assertEqual(set(ids) & refused, set())
            self.assertTrue(all(body["actionable"] and body["action"] for _, body in taken))
            for headers, _ in taken:
                self.assertEqual(headers["Ce-Type"], "rfmstream.segment.transition.v2")
            self.assertEqual(self.order(body for _, body in taken),
                             self.order(r.json() for r in self.actionable
                                        if r.header("ce_id") not in refused))
            # The offsets are committed: there is nothing more to send.
            self.example("webhook.py", "--url", receiver.url)
            self.assertEqual(len(receiver.taken), len(taken))

    def test_a_webhook_that_stays_down_loses_nothing(self):
        topic = self.copy("down", self.actionable[:50])
        with Receiver() as receiver:
            receiver.answers.extend([204] * 10 + [500] * 3)
            done = self.example("webhook.py", "--url", receiver.url, "--pause", "0.001",
                                "--attempts", 3, topic=topic, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("the next start goes on at", done.stderr)
            self.example("webhook.py", "--url", receiver.url, topic=topic)
            self.assertEqual(sorted(headers["Ce-Id"] for headers, _ in receiver.taken),
                             sorted(r.header("ce_id") for r in self.actionable[:50]))

    @staticmethod
    def order(bodies):
        """By customer, without repetitions that follow each other."""
        chains = collections.defaultdict(list)
        for body in bodies:
            one = (body["segmentation"], body["seq"])
            if one not in chains[body["customer_id"]]:
                chains[body["customer_id"]].append(one)
        return dict(chains)

    # --- CloudEvents ---

    @unittest.skipIf(from_binary is None and os.environ.get("RFM_REQUIRE_ALL") != "1",
                     f"the package cloudevents is not in {PACKAGES}")
    def test_another_implementation_of_cloudevents_reads_them(self):
        schema = json.loads((SOURCE / "config/schemas/segment-transition.schema.json").read_text())
        validator = jsonschema.Draft202012Validator(schema)
        for record in self.all:
            event = from_binary(KafkaMessage(dict(record.headers), record.key, record.value))
            attributes = dict(event.get_attributes())
            attributes.pop("time")  # When it was read, where a record does not say.
            self.assertEqual(attributes, {
                "specversion": "1.0", "id": record.header("ce_id"),
                "source": "/rfmstream/examples-all", "type": "rfmstream.segment.transition.v2",
                "datacontenttype": "application/json", "partitionkey": record.key})
            self.assertEqual(event.data, record.json())
            validator.validate(event.data)


if __name__ == "__main__":
    unittest.main(verbosity=2)
