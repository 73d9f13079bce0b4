"""Goal: the service on a real broker does what file replay does, record by record, and what only a
running service does: ticks, go-live, restart.
Method: the binary as a process against a broker of the test's own; its topics are read back with
read_committed and compared with file replay's output and with the input."""

import collections
import datetime
import json
import subprocess
import unittest

from confluent_kafka import Consumer, Producer, TopicPartition

from admin import delete_topic
from application import (BINARY, FIRST_DAY, BrokerTest, apart_from_go_live, by_customer, file_line,
                         invoice, read_lines, rfc3339)

# So that the clock has passed all that the history opens, in file and topic alike: one more
# invoice, three days later, whose customer is left out of comparisons.
CLOSING = "closing"


def generate(path, *arguments):
    subprocess.run([BINARY, "generate", "--output", path, *arguments], check=True,
                   stderr=subprocess.DEVNULL)


def event_time(value):
    """When the event of a generated record happened; nothing if it is none that counts."""
    try:
        when = parsed(json.loads(value)["invoice_time"])
    except (ValueError, KeyError, TypeError):
        return None
    return when if when.year < 2099 else None


def read_history(path):
    """(key, value) of each record of a generated file. Values are bytes as they are."""
    records = []
    with open(path, "rb") as file:
        for line in file.read().splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                record = None
            if isinstance(record, dict) and "headers" in record:
                value = record["value"]
                records.append((record["key"], None if value is None else value.encode()))
            elif isinstance(record, dict) and record.get("customer_id"):
                records.append((str(record["customer_id"]), line))
            else:
                records.append(("nobody", line))
    return records


def parsed(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


class PipelineTest(BrokerTest):
    settings = {"model.cluster_history": "7d"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.history = cls.directory / "history.jsonl"
        cls.records, cls.end = cls.make_history(
            cls.history, "--late-share", "0.02", "--tombstones", "20")

    @staticmethod
    def make_history(path, *arguments):
        """A generated history and the closing record after it; returns records and end."""
        generate(path, "--format", "invoices", "--customers", "800", "--days", "120", "--seed",
                 "3", "--bad-share", "0.01", *arguments)
        # Records of nobody have no key that a file would know, so they stay out.
        records = [(key, value) for key, value in read_history(path) if key != "nobody"]
        times = filter(None, (event_time(value) for _, value in records if value))
        end = max(times) + datetime.timedelta(days=3)
        records.append((CLOSING, invoice("last", CLOSING, end)))
        with open(path, "wb") as file:
            for key, value in records:
                if value is None:
                    value = json.dumps({"key": key, "headers": {}, "value": None}).encode()
                file.write(value + b"\n")
        return records, end

    def replayed(self, application, history=None, **more):
        """Transitions of file replay under the application's settings, and the files' folder."""
        output = application.directory / "replay"
        arguments = ["replay", "--input", str(history or self.history), "--format", "invoices",
                     "--output", str(output)]
        for option, value in more.items():
            arguments += ["--" + option.replace("_", "-"), str(value)]
        application.command(*arguments, extra={"kafka.brokers": "unused:1"})
        return read_lines(output / "transitions.jsonl"), output

    def comparable(self, lines):
        watermark = rfc3339(self.end - datetime.timedelta(minutes=1))
        return by_customer([line for line in apart_from_go_live(lines) if line["key"] != CLOSING
                            and line["value"]["effective_at"][:19] <= watermark[:19]])

    def assert_same_transitions(self, actual, expected):
        actual, expected = self.comparable(actual), self.comparable(expected)
        self.assertGreater(sum(map(len, expected.values())), 3000)
        for customer in sorted(actual.keys() | expected.keys()):
            self.assertEqual(actual.get(customer), expected.get(customer), customer)

    def dump_model_log(self, application):
        path = application.directory / "model.jsonl"
        with open(path, "w", encoding="utf-8") as file:
            for record in application.read("model"):
                value = json.loads(record.value)
                file.write(json.dumps({"key": record.key.decode(), "headers": {}, "value": value})
                           + "\n")
        return path

    def test_one_partition_equals_file_replay(self):
        application = self.application("one")
        application.catch_up()  # Live from the first record on.
        application.produce(self.records)
        application.catch_up()
        expected, output = self.replayed(application)
        self.assert_same_transitions(map(file_line, application.read("transitions")), expected)
        # Training is part of it.
        versions = {r.key: json.loads(r.value) for r in application.read("model")}
        recorded = {line["key"].encode(): line["value"]
                    for line in read_lines(output / "model.jsonl")}
        for key in versions.keys() & recorded.keys():
            if key.startswith(b"version/"):
                self.assertEqual(versions[key], recorded[key])
        self.assertGreater(len(versions.keys() & recorded.keys()), 100)

    def test_many_partitions_and_lanes_equal_file_replay_given_the_model_log(self):
        # What is late, and when an erasure takes effect, is told by the partition's own clock, so
        # this history is in order.
        history = self.directory / "in-order.jsonl"
        records, _ = self.make_history(history, "--return-share", "0.05")
        for partitions, lanes in ((8, 1), (8, 2)):
            with self.subTest(partitions=partitions, lanes=lanes):
                application = self.application(f"many{lanes}", partitions, run__lanes=lanes)
                application.catch_up()
                application.produce(records)
                application.catch_up()
                model_log = self.dump_model_log(application)
                expected, _ = self.replayed(application, history, model_log=model_log)
                # A partition is as far as its own last event, so of each customer some last ones
                # may be missing, and no others.
                actual = self.comparable(map(file_line, application.read("transitions")))
                expected = self.comparable(expected)
                missing = 0
                for customer in sorted(actual.keys() | expected.keys()):
                    mine, theirs = actual.get(customer, []), expected.get(customer, [])
                    self.assertEqual(mine, theirs[:len(mine)], customer)
                    missing += len(theirs) - len(mine)
                self.assertGreater(sum(map(len, actual.values())), 3000)
                self.assertLess(missing, 600)

    def test_restarts_repeat_nothing_and_lose_nothing(self):
        application = self.application("restarts")
        application.catch_up()
        third = len(self.records) // 3
        application.produce(self.records[:third])
        application.catch_up()
        application.start()
        application.produce(self.records[third:2 * third])
        application.wait_for(lambda: len(application.read("transitions")) > 2500, "transitions")
        application.stop()  # SIGTERM, in the middle.
        application.produce(self.records[2 * third:])
        application.catch_up()
        expected, _ = self.replayed(application)
        self.assert_same_transitions(map(file_line, application.read("transitions")), expected)

    def test_dead_letters_keep_their_bytes_and_headers(self):
        application = self.application("letters")
        broken = b'{"customer_id": "1", "invoice_no": \xff\x00'
        application.produce([
            ("1", broken, [("origin", b"till 7"), ("origin", b"again")]),
            ("2", invoice(7, "3", FIRST_DAY)),
            (None, invoice(8, "4", FIRST_DAY)),
            ("5", invoice(9, "5", FIRST_DAY.replace(year=2099))),
            ("6", invoice(10, "6", FIRST_DAY)),
        ])
        application.catch_up()
        letters = application.read("dead-letters")
        reasons = {letter.offset_of_input: letter for letter in map(Letter, letters)}
        self.assertEqual({offset: letter.reason for offset, letter in reasons.items()},
                         {0: "malformed", 1: "key_mismatch", 2: "key_missing",
                          3: "future_event_time"})
        self.assertEqual(reasons[0].record.value, broken)
        self.assertEqual(reasons[0].record.key, b"1")
        self.assertEqual(reasons[0].record.headers[:2],
                         (("origin", b"till 7"), ("origin", b"again")))
        self.assertIsNone(reasons[2].record.key)
        self.assertEqual(reasons[3].record.header("__streams.errors.topic"),
                         application.settings["input.topic"])
        shown = application.command("tail", "--topic", "dead-letters", "--from-beginning",
                                    "--count", "4").stdout.splitlines()
        self.assertEqual({line.split()[0] for line in shown},
                         {letter.reason for letter in reasons.values()})
        # A year-2099 invoice moves no clock and a poison record stops nothing.
        self.assertEqual({r.key for r in application.read("transitions")}, {b"6"})

    def test_a_tombstone_erases_everywhere(self):
        application = self.application("erasure")
        application.produce([("a", invoice(1, "a", FIRST_DAY)), ("b", invoice(2, "b", FIRST_DAY))])
        application.catch_up()
        application.produce([("a", None)])
        application.catch_up()
        segments = {r.key: r.value for r in application.read("segments")}
        self.assertIsNone(segments[b"a"])
        self.assertIsNotNone(segments[b"b"])
        changelog = {r.key: r.value for r in application.read("changelog")}
        self.assertIsNone(changelog[b"ra"])
        receipts = application.read("receipts")
        self.assertEqual([(r.key.decode(), r.json()["offset"], r.json()["invoices"])
                          for r in receipts], [(receipts[0].json()["customer_hash"], 2, 1)])
        transitions = [r.json() for r in application.read("transitions")]
        shown = application.command("tail", "--from-beginning", "--count",
                                    str(len(transitions))).stdout.splitlines()
        self.assertEqual([line.split()[:3] for line in shown],
                         [[t["effective_at"], t["customer_id"], t["segmentation"]]
                          for t in transitions])
        shown = application.command("tail", "--topic", "segments", "--from-beginning", "--count",
                                    "1").stdout
        self.assertTrue(shown.startswith(("a", "b")), shown)
        last = [t for t in transitions if t["customer_id"] == "a"]
        self.assertEqual({t["reason"] for t in last if t["to"] == "none"}, {"erasure"})
        exported = application.command("export", "customers", "--all", "--state",
                                       application.state).stdout
        self.assertEqual([line.split(",")[0] for line in exported.splitlines()[1:]], ["b"])
        # Who comes back begins anew; nobody's erasure has its receipt too.
        application.produce([("a", invoice(3, "a", FIRST_DAY)), ("nobody", None)])
        application.catch_up()
        back = [t for t in (r.json() for r in application.read("transitions"))
                if t["customer_id"] == "a" and t["segmentation"] == "rfm"]
        self.assertEqual([t["seq"] for t in back], [1, 2, 1])
        self.assertNotEqual(back[0]["birth"], back[2]["birth"])
        receipts = application.read("receipts")
        self.assertEqual([(r.json()["found"], r.json()["offset"]) for r in receipts],
                         [(True, 2), (False, 4)])

    def test_silence_changes_segments_at_the_exact_instants(self):
        # New ends when the only purchase is 60 days old (fixed thresholds), plus 1 ms.
        application = self.application("silence", input__lateness="0s", tick__idle="100ms")
        self.running(application)
        now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        cut = datetime.timedelta(days=60)
        due = {f"c{i}": now + datetime.timedelta(milliseconds=2500 + 700 * i) for i in range(4)}
        history = [(customer, invoice(customer, customer, at - cut, "500.00"))
                   for customer, at in due.items()]
        # The clock of the partition is that of its last event: an hour ago and yet today.
        application.produce(sorted(history, key=lambda r: r[1]) + [
            ("other", invoice("other", "other", now))])
        def changes():
            return [r for r in application.read("transitions")
                    if r.json()["reason"] == "inactivity"]
        application.wait_for(lambda: len(changes()) >= len(due), "transitions by time alone", 30)
        found = changes()
        seen_at = datetime.datetime.now(datetime.timezone.utc)
        application.stop()
        self.assertEqual(
            {r.key.decode(): r.json()["effective_at"] for r in found},
            {customer: rfc3339(at + datetime.timedelta(milliseconds=1))
             for customer, at in due.items()})
        for record in found:
            transition = record.json()
            self.assertEqual(transition["to"], "About to Sleep")
            self.assertEqual([transition[side]["scores"]["r"] for side in ("before", "after")],
                             [4, 3])
            self.assertTrue(transition["actionable"], transition)
            self.assertNotIn("cause", transition)
        ticks = [r.json() for r in application.read("ticks")]
        self.assertIn(len(due) + 1, [tick["offset"] for tick in ticks])
        for tick in ticks:
            self.assertLessEqual(parsed(tick["time"]), seen_at)
            # A commit while "other" waits for the model says how far its time has led already.
            if tick["offset"] != len(due) + 1:
                self.assertEqual(tick["offset"], len(due))
                self.assertLessEqual(parsed(tick["time"]), now)
        # No event and no restart makes them come again.
        application.catch_up()
        self.assertEqual(len(changes()), len(due))

    def test_a_recorded_replay_follows_ticks_and_go_live(self):
        application = self.application("recorded", partitions=2, input__lateness="0s",
                                       tick__idle="100ms")
        now = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        cut = datetime.timedelta(days=60)
        due = now + datetime.timedelta(milliseconds=2500)
        application.produce([("old", invoice("old", "old", due - cut, "500.00")),
                             ("other", invoice("other", "other", now))])
        application.catch_up({"tick.idle": "1h"})
        application.start()
        application.wait_for(lambda: any(r.json()["reason"] == "inactivity"
                                         for r in application.read("transitions")), "a tick", 30)
        # The clock is past this one, which nothing but the tick tells.
        application.produce([("old", invoice("late", "old", now))])
        application.wait_for(lambda: any(r.json()["reason"] == "late_event"
                                         for r in application.read("transitions")), "it", 30)
        application.stop()
        audit = application.directory / "audit"
        application.command("replay", "--input", f"kafka:{application.settings['input.topic']}",
                            "--format", "invoices", "--recorded", "--output", audit)
        live = by_customer(map(file_line, application.read("transitions")))
        self.assertEqual(by_customer(read_lines(audit / "transitions.jsonl")), live)
        self.assertEqual({line["value"]["actionable"] for line in live["old"]}, {False, True})
        refused = application.command("replay", "--input", self.history, "--format", "invoices",
                                      "--recorded", check=False)
        self.assertEqual(refused.returncode, 2)
        self.assertIn("--input kafka:TOPIC", refused.stderr)

    def test_only_what_comes_after_the_first_start_is_actionable(self):
        application = self.application("golive")
        application.produce([("old", invoice(1, "old", FIRST_DAY))])
        application.catch_up()
        application.produce([("new", invoice(2, "new", FIRST_DAY + datetime.timedelta(hours=1)))])
        application.catch_up()
        marks = collections.defaultdict(set)
        for record in application.read("transitions"):
            transition = record.json()
            if transition["segmentation"] == "rfm":
                marks[record.key].add((transition["actionable"], transition.get("suppressed_by")))
        self.assertEqual(dict(marks), {b"old": {(False, "go_live")}, b"new": {(True, None)}})

    def test_other_rules_are_refused(self):
        application = self.application("rules")
        application.produce([("a", invoice(1, "a", FIRST_DAY))])
        application.catch_up()
        said = self.assert_refused(application, status=2, extra={"model.clusters": "4"})
        self.assertIn("model.clusters: 5 in the model log, 4 here", said)

    def test_another_format_than_the_topic_has_commits_nothing(self):
        application = self.application("format", input__format="lines")
        application.produce([("a", invoice(i, "a", FIRST_DAY + datetime.timedelta(minutes=i)))
                             for i in range(200)])
        application.start()
        application.wait_for(lambda: application.logged("is held back"), "a pause")
        application.stop()
        self.assertIn("the first 100 records are dead letters", application.tail_of_log())
        self.assertIn("bytes and begins like a JSON object", application.tail_of_log())
        for topic in ("dead-letters", "model", "changelog"):
            self.assertEqual(application.read(topic), [], topic)
        stopped = application.command("run", "--state", application.state, check=False,
                                      extra={"input.dead_letters_action": "stop"})
        self.assertEqual(stopped.returncode, 1)
        self.assertIn("the first 100 records are dead letters", stopped.stderr)
        application.catch_up({"input.format": "invoices"})
        self.assertEqual(application.read("dead-letters"), [])
        self.assertIn("of 200 records in all: 200 applied", application.tail_of_log())

    def test_what_is_no_record_is_behind_the_position_too(self):
        application = self.application("markers")
        producer = Producer({"bootstrap.servers": self.broker.endpoint, "transactional.id": "m"})
        producer.init_transactions(20)
        for number, end in ((1, producer.commit_transaction), (2, producer.abort_transaction)):
            producer.begin_transaction()
            producer.produce(application.settings["input.topic"], key="a",
                             value=invoice(number, "a", FIRST_DAY))
            producer.flush()
            end(20)
        application.catch_up()
        group = Consumer({"bootstrap.servers": self.broker.endpoint, "group.id": "markers"})
        place = TopicPartition(application.settings["input.topic"], 0)
        committed = group.committed([place], 10)[0].offset
        self.assertEqual(committed, group.get_watermark_offsets(place, 10)[1])
        group.close()
        self.assertEqual({r.key for r in application.read("transitions")}, {b"a"})

    def test_a_damaged_state_is_set_aside_and_restored(self):
        application = self.application("damaged")
        application.produce(self.records[:500])
        application.catch_up()
        application.catch_up()  # Its log becomes tables when it is opened again.
        tables = list(application.state.glob("*.sst"))
        self.assertTrue(tables)
        for table in tables:
            content = bytearray(table.read_bytes())
            for at in range(0, len(content) // 2):
                content[at] ^= 0xff
            table.write_bytes(content)
        application.produce(self.records[500:1000])
        application.catch_up()
        self.assertIn("set aside", application.tail_of_log())
        identifiers = [r.header("ce_id") for r in application.read("transitions")]
        self.assertEqual(len(set(identifiers)), len(identifiers))
        self.assertGreater(len(identifiers), 500)

    def test_a_state_is_not_given_up_for_a_changelog_that_is_not_whole(self):
        application = self.application("cut")
        application.produce(self.records[:200])
        application.catch_up()
        delete_topic(self.broker.endpoint, "cut-changelog")
        application.command("topics", "create", "--partitions", "1")
        exported = application.command("export", "customers", "--state", application.state).stdout
        self.assertIn("which is left as it is", self.assert_refused(application))
        self.assertEqual(application.command("export", "customers", "--state",
                                             application.state).stdout, exported)

    def test_missing_topics_and_brokers_are_explained(self):
        application = self.application("missing")
        refused = application.command("run", "--until-caught-up", check=False,
                                      extra={"app.name": "unknown", "state.dir":
                                             str(application.directory / "unknown")})
        self.assertEqual(refused.returncode, 1)
        self.assertIn("rfmstream topics create", refused.stderr)
        self.assertIn("unknown-dead-letters", refused.stderr)


class Letter:
    def __init__(self, record):
        self.record = record
        self.reason = record.header("__streams.errors.exception")
        self.offset_of_input = int(record.header("__streams.errors.offset"))


if __name__ == "__main__":
    unittest.main(verbosity=2)
