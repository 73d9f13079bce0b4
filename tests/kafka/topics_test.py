"""Goal: whatever happens to the topics of an application, it reads on rightly or refuses with the
way on; nothing is passed over without a word.
Method: the binary as a process against a broker of the test's own, whose topics are deleted, made
anew, cut and shared between runs."""

import csv
import datetime
import json
import re
import shutil
import subprocess
import unittest

from confluent_kafka import Producer

from admin import add_partitions, alter_topic, create_topic, delete_records, delete_topic
from application import FIRST_DAY, BrokerTest, invoice, read_topic

def invoices(first, count, customer=None):
    """One invoice an hour, each of a customer of its own."""
    result = []
    for number in range(first, first + count):
        who = customer or f"c{number}"
        when = FIRST_DAY + datetime.timedelta(hours=number)
        result.append((who, invoice(number, who, when)))
    return result


class TopicsTest(BrokerTest):
    settings = {"model.cluster_history": "7d"}

    def assert_runs(self, application, *arguments):
        done = application.run_once(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stderr

    def customers(self, application):
        return sorted({r.key.decode() for r in application.read("transitions")})

    def test_producers_that_partition_by_different_rules_are_noticed(self):
        application = self.application("split", partitions=3)
        producer = Producer({"bootstrap.servers": self.broker.endpoint})
        for partition in range(3):
            for key, value in invoices(10 * partition, 4) + invoices(3 + partition, 1, "both"):
                producer.produce(application.settings["input.topic"], key=key, value=value,
                                 partition=partition)
        self.assertEqual(producer.flush(20), 0)
        said = self.assert_runs(application)
        self.assertEqual(said.count('customer "both" is in the partitions'), 1, said)
        self.assertIn("1 customers in several partitions", said)
        # A restored state says it again.
        self.assertIn('customer "both" is in the partitions', self.assert_runs(application))
        exported = application.command("export", "customers", "--state", application.state)
        rows = list(csv.DictReader(exported.stdout.splitlines()))
        self.assertEqual([row["partition"] for row in rows if row["customer_id"] == "both"],
                         ["0", "1", "2"])
        self.assertIn('the first "both"', exported.stderr)
        replayed = application.command(
            "replay", "--input", f"kafka:{application.settings['input.topic']}", check=False)
        self.assertIn("1 customers are in several partitions", replayed.stderr)

    def test_an_input_made_anew_and_filled_past_the_position_is_refused(self):
        application = self.application("anew")
        application.produce(invoices(0, 10))
        self.assert_runs(application)
        topic = application.settings["input.topic"]
        delete_topic(self.broker.endpoint, topic)
        create_topic(self.broker.endpoint, topic)
        application.produce(invoices(100, 20))
        said = self.assert_refused(application)
        self.assertIn("offset 9 does not hold the record that was applied last", said)
        self.assertIn("rfmstream run --accept-loss 0:0", said)
        self.assertEqual(len(self.customers(application)), 10)
        # With consent all of the new topic is read, and is as actionable as before.
        self.assert_runs(application, "--accept-loss", "0:0")
        self.assertEqual(len(self.customers(application)), 30)
        actionable = {r.key: r.json()["actionable"] for r in application.read("transitions")
                      if r.json()["segmentation"] == "rfm"}
        self.assertEqual({actionable[b"c%d" % n] for n in range(100, 120)}, {True})
        losses = [r.json() for r in application.read("model") if r.key.startswith(b"loss/0/")]
        self.assertEqual(len(losses), 1)
        self.assertEqual({key: losses[0][key] for key in ("from", "to", "another_topic")},
                         {"from": 10, "to": 0, "another_topic": True})
        # Accepted once, and another time it is not needed.
        application.produce(invoices(200, 5))
        self.assert_runs(application)
        self.assertIn("not needed", self.assert_runs(application, "--accept-loss", "0:0"))
        self.assertEqual(len(self.customers(application)), 35)

    def test_a_loss_is_accepted_of_partitions_that_exist(self):
        application = self.application("nowhere", partitions=2)
        application.produce(invoices(0, 3))
        said = self.assert_refused(application, "--accept-loss", "1:0", "--accept-loss", "2:0",
                                   status=2)
        self.assertIn("--accept-loss 2:0: there is no such partition; the input nowhere-input has "
                      "2, from 0 to 1", said)
        self.assertEqual(self.customers(application), [])

    def test_an_input_made_anew_and_short_is_refused(self):
        application = self.application("short")
        application.produce(invoices(0, 10))
        self.assert_runs(application)
        topic = application.settings["input.topic"]
        delete_topic(self.broker.endpoint, topic)
        create_topic(self.broker.endpoint, topic)
        application.produce(invoices(100, 3))
        self.assertIn("rfmstream run --accept-loss 0:0", self.assert_refused(application))
        self.assert_runs(application, "--accept-loss", "0:0")
        self.assertEqual(len(self.customers(application)), 13)

    def test_records_gone_unread_need_consent_and_are_counted(self):
        application = self.application("gone", partitions=2)
        application.produce(invoices(0, 20))
        self.assert_runs(application)
        topic = application.settings["input.topic"]
        before = read_topic(self.broker.endpoint, topic)
        ends = [sum(1 for r in before if r.partition == p) for p in (0, 1)]
        application.produce(invoices(100, 40))
        lost = {r.key.decode() for r in read_topic(self.broker.endpoint, topic)
                if ends[r.partition] <= r.offset < ends[r.partition] + 3}
        self.assertEqual(len(lost), 6)
        for partition in (0, 1):
            delete_records(self.broker.endpoint, topic, partition, ends[partition] + 3)
        said = self.assert_refused(application)
        consent = re.search(r"rfmstream run (--accept-loss .*)", said).group(1).split()
        self.assertEqual(consent, ["--accept-loss", f"0:{ends[0] + 3}",
                                   "--accept-loss", f"1:{ends[1] + 3}"])
        self.assertEqual(application.run_once("--accept-loss", "0:1",
                                       "--accept-loss", "1:1").returncode, 2)
        self.assertIn("6 offsets given up", self.assert_runs(application, *consent))
        expected = {f"c{n}" for n in (*range(20), *range(100, 140))} - lost
        self.assertEqual(set(self.customers(application)), expected)
        self.assertEqual(len([r for r in application.read("model")
                              if r.key.startswith(b"loss/")]), 2)

    def test_retention_behind_the_position_is_no_loss(self):
        application = self.application("behind")
        application.produce(invoices(0, 10))
        self.assert_runs(application)
        delete_records(self.broker.endpoint, application.settings["input.topic"], 0, 10)
        application.produce(invoices(100, 5))
        said = self.assert_runs(application)
        self.assertIn("0 offsets given up", said)
        self.assertEqual(len(self.customers(application)), 15)

    def test_an_output_belongs_to_one_application(self):
        first = self.application("owner")
        first.produce(invoices(0, 10))
        self.assert_runs(first)
        before = first.read("transitions")
        outputs = {key: first.settings[key] for key in ("output.transitions", "output.segments")}
        second = self.application("intruder", create=False, **{
            "input.topic": first.settings["input.topic"], **outputs})
        created = second.command("topics", "create", check=False)
        self.assertEqual(created.returncode, 1)
        checked = second.command("topics", "check", check=False)
        self.assertEqual(checked.returncode, 1)
        self.assertIn("belongs to application owner", checked.stdout)
        said = self.assert_refused(second)
        self.assertIn("owner-transitions belongs to application owner", said)
        self.assertIn("rfmstream run --take-outputs", said)
        self.assertEqual(first.read("transitions"), before)
        self.assert_runs(first)
        # Told otherwise, once; from then on it is the first that is refused.
        self.assert_runs(second, "--take-outputs")
        self.assert_runs(second)
        self.assertEqual(second.command("topics", "check").returncode, 0)
        self.assertEqual({r.header("ce_source") for r in first.read("transitions")},
                         {"/rfmstream/owner", "/rfmstream/intruder"})
        self.assertIn("belongs to application intruder", self.assert_refused(first))

    def test_one_of_two_applications_that_start_at_once_gets_the_outputs(self):
        outputs = {"output.transitions": "race-transitions", "output.segments": "race-segments"}
        for topic in outputs.values():
            create_topic(self.broker.endpoint, topic, cleanup_policy=(
                "compact" if "segments" in topic else "delete"))
        racers = [self.application(f"racer{n}", **outputs) for n in range(3)]
        running = [subprocess.Popen(
            [racer.binary, "run", "--state", racer.state, "--until-caught-up",
             *racer.arguments()], stderr=subprocess.DEVNULL) for racer in racers]
        self.assertEqual(sorted(process.wait(60) for process in running), [0, 1, 1])

    def test_records_gone_before_the_first_of_their_partition_was_read_are_missed_too(self):
        application = self.application("first", partitions=2)
        application.produce(invoices(0, 1))
        self.assert_runs(application)
        topic = application.settings["input.topic"]
        other = 1 - read_topic(self.broker.endpoint, topic)[0].partition
        application.produce(invoices(100, 20))
        lost = {r.key.decode() for r in read_topic(self.broker.endpoint, topic)
                if r.partition == other and r.offset < 2}
        delete_records(self.broker.endpoint, topic, other, 2)
        self.assertIn(f"rfmstream run --accept-loss {other}:2\n", self.assert_refused(application))
        self.assert_runs(application, "--accept-loss", f"{other}:2")
        expected = {"c0", *(f"c{n}" for n in range(100, 120))} - lost
        self.assertEqual(set(self.customers(application)), expected)

    def make_changelog_anew(self, application):
        delete_topic(self.broker.endpoint, f"{application.name}-changelog")
        application.command("topics", "create")

    def exported(self, application):
        return application.command("export", "customers", "--state", application.state).stdout

    def test_a_lost_changelog_is_written_anew_with_consent(self):
        application = self.application("relog", partitions=2)
        application.produce(invoices(0, 10))
        self.assert_runs(application)
        before = self.exported(application)
        self.make_changelog_anew(application)
        for _ in range(2):
            said = self.assert_refused(application)
            self.assertIn("The state is whole", said)
            self.assertIn("  rfmstream run --rewrite-changelog\n", said)
            self.assertNotIn("kafka-topics.sh", said)
        self.assertEqual(self.exported(application), before)
        said = self.assert_runs(application, "--rewrite-changelog")
        self.assertIn("changelogs written anew: 2", said)
        self.assertEqual(len([r for r in application.read("changelog") if r.key[:1] == b"r"]), 10)
        consents = [r for r in application.read("model") if r.key.startswith(b"loss/")]
        self.assertEqual([r.key.endswith(b"/changelog") for r in consents], [True] * 2)
        self.assertEqual([(r.json()["changelog"], r.json()["offsets"]) for r in consents],
                         [(True, 0)] * 2)
        self.assert_runs(application, "--rewrite-changelog")  # Not needed another time.
        # It restores the state as any changelog does.
        application.produce(invoices(100, 5))
        shutil.rmtree(application.state)
        self.assertIn("10 customers restored", self.assert_runs(application))
        identifiers = [r.header("ce_id") for r in application.read("transitions")]
        self.assertEqual(len(set(identifiers)), len(identifiers))
        self.assertEqual(len(self.customers(application)), 15)

    def test_a_changelog_that_another_application_filled_is_noticed(self):
        application = self.application("mine")
        application.produce(invoices(0, 10))
        self.assert_runs(application)
        other = self.application("theirs")
        other.produce(invoices(100, 40))
        self.assert_runs(other)
        before = self.exported(application)
        self.make_changelog_anew(application)
        application.produce([(r.key, r.value) for r in other.read("changelog")], "mine-changelog")
        said = self.assert_refused(application)
        self.assertIn("does not hold commit", said)
        way_on = (f"  kafka-topics.sh --bootstrap-server {self.broker.endpoint} --delete --topic "
                  "mine-changelog\n  rfmstream topics create\n"
                  "  rfmstream run --rewrite-changelog\n")
        self.assertIn(way_on, said)
        self.assertIn(way_on, self.assert_refused(application, "--rewrite-changelog"))
        self.assertEqual(self.exported(application), before)
        # Without a state there is nothing to compare, but it says whose it is.
        kept = application.state.rename(application.directory / "kept")
        for _ in range(2):
            self.assertIn("the state belongs to application theirs",
                          self.assert_refused(application))
        shutil.rmtree(application.state)
        kept.rename(application.state)
        self.make_changelog_anew(application)
        application.produce(invoices(200, 5))
        self.assert_runs(application, "--rewrite-changelog")
        self.assertEqual(len(self.customers(application)), 15)

    def test_a_state_on_another_cluster_needs_its_model_log_and_one_command(self):
        application = self.application("moved", partitions=2)
        application.produce(invoices(0, 100))
        self.assert_runs(application)
        before = self.exported(application)
        model = [(r.key, r.value) for r in application.read("model")]
        versions = [n for n, (key, _) in enumerate(model) if key.startswith(b"version/")]
        self.assertGreater(len(versions), 2)
        # With a topic all that was committed of it goes too.
        for topic in ("input", "transitions", "segments", "dead-letters", "model", "changelog",
                      "contributions", "ticks"):
            delete_topic(self.broker.endpoint, application.topic(topic))
        application.command("topics", "create", "--partitions", "2")
        application.produce(invoices(200, 10))
        consents = ("--rewrite-changelog", "--accept-loss", "0:0", "--accept-loss", "1:0")
        for arguments in ((), consents):
            said = self.assert_refused(application, *arguments)
            self.assertIn("the model log moved-model holds nothing of that", said)
            self.assertEqual(application.read("model"), [])
        application.produce(model[:versions[1]], "moved-model")
        self.assertIn("the model log moved-model ends with 2024-01-0",
                      self.assert_refused(application, *consents))
        application.produce(model[versions[1]:], "moved-model")
        for arguments in ((), consents[:1], consents[1:], consents[1:3], consents[:3]):
            said = self.assert_refused(application, *arguments)
            self.assertIn(f"  rfmstream run {' '.join(consents)}\n", said)
        self.assertEqual(self.exported(application), before)
        self.assert_runs(application, *consents)
        self.assertEqual(len(self.exported(application).splitlines()),
                         len(before.splitlines()) + 10)

    # (topic, what an administrator does to it, refused or warned, what is said of it)
    RULES = [
        ("input", {"cleanup_policy": "compact"}, "refused", "compaction removes invoices"),
        ("input", {"message_timestamp_type": "CreateTime"}, "warned", "LogAppendTime"),
        ("input", {"retention_ms": "604800000"}, "warned", "a replay repeats only what is kept"),
        ("input", {"retention_bytes": "1000000"}, "warned", "a replay repeats only what is kept"),
        ("input", {"max_message_bytes": "9000000"}, "warned", "at most 1114112"),
        ("transitions", {"cleanup_policy": "compact"}, "warned", "expected delete"),
        ("transitions", {"max_message_bytes": "1000"}, "refused", "at least 1048588"),
        ("segments", {"cleanup_policy": "delete"}, "warned", "expected compact"),
        ("segments", {"max_message_bytes": "1000"}, "refused", "at least 1048588"),
        ("dead-letters", {"cleanup_policy": "compact"}, "refused", "expected delete"),
        ("dead-letters", {"max_message_bytes": "1048588"}, "refused", "as large as its record"),
        ("changelog", {"cleanup_policy": "delete"}, "refused", "else state is lost"),
        ("changelog", {"delete_retention_ms": "1000"}, "refused", "at least 604800000"),
        ("changelog", {"max_message_bytes": "1000"}, "refused", "at least 1048588"),
        ("changelog", {"max_compaction_lag_ms": "9223372036854775807"}, "warned",
         "by when an erased customer is gone"),
        ("segments", {"max_compaction_lag_ms": "604800001"}, "warned", "at most 604800000"),
        ("receipts", {"retention_ms": "604800000"}, "warned", "to be shown later"),
        ("receipts", {"cleanup_policy": "compact"}, "warned", "expected delete"),
        ("receipts", {"max_message_bytes": "1000"}, "refused", "at least 1048588"),
        ("contributions", {"cleanup_policy": "delete"}, "refused", "expected compact"),
        ("contributions", {"max_message_bytes": "1000"}, "refused", "at least 1048588"),
        ("ticks", {"cleanup_policy": "compact"}, "refused", "expected delete"),
        ("ticks", {"message_timestamp_type": "CreateTime"}, "refused", "LogAppendTime"),
        ("ticks", {"retention_ms": "1000"}, "warned", "as long as the input"),
        ("ticks", {"retention_bytes": "1000"}, "warned", "as long as the input"),
        ("model", {"cleanup_policy": "delete"}, "refused", "expected compact"),
        ("model", {"max_message_bytes": "1000"}, "refused", "at least 1048588"),
    ]

    def test_run_and_check_go_by_the_same_rules(self):
        application = self.application("rules")
        names = {which: application.topic(which) for which, *_ in self.RULES}
        right = {
            "input": {"message_timestamp_type": "LogAppendTime", "retention_ms": "-1"},
            "transitions": {}, "dead-letters": {"max_message_bytes": "100000000"},
            "segments": {"cleanup_policy": "compact", "max_compaction_lag_ms": "604800000"},
            "receipts": {"retention_ms": "-1"},
            "changelog": {"cleanup_policy": "compact", "delete_retention_ms": "604800000",
                          "max_compaction_lag_ms": "604800000"},
            "contributions": {"cleanup_policy": "compact"},
            "ticks": {"message_timestamp_type": "LogAppendTime", "retention_ms": "-1"},
            "model": {"cleanup_policy": "compact"}}
        self.assertNotIn("topic ", self.assert_runs(application))
        self.assertNotIn("warning", application.command("topics", "check").stdout)
        for which, change, reaction, said in self.RULES:
            with self.subTest(topic=which, **change):
                alter_topic(self.broker.endpoint, names[which], **{**right[which], **change})
                ran = application.run_once()
                checked = application.command("topics", "check", check=False)
                self.assertEqual(ran.returncode, checked.returncode, ran.stderr)
                self.assertEqual(ran.returncode, 1 if reaction == "refused" else 0, ran.stderr)
                self.assertIn(said, ran.stderr)
                self.assertIn(said, checked.stdout)
                self.assertIn(f"topic {names[which]}: ", ran.stderr)
                self.assertEqual("warning: " in checked.stdout, reaction == "warned")
                mend = (f"--alter --entity-type topics --entity-name {names[which]} --add-config "
                        + next(iter(change)).replace("_", ".") + "=")
                self.assertIn(mend, checked.stdout)
                self.assertIn(mend, ran.stderr)
            alter_topic(self.broker.endpoint, names[which], **right[which])
        self.assertNotIn("topic ", self.assert_runs(application))
        # Partition counts.
        add_partitions(self.broker.endpoint, names["transitions"], 3)
        add_partitions(self.broker.endpoint, f"{application.name}-idle", 2)
        self.assertIn("has 2 partitions, expected 1", self.assert_runs(application))
        add_partitions(self.broker.endpoint, names["model"], 2)
        self.assertIn("rules-model: has 2 partitions, expected 1", self.assert_refused(application))
        self.assertEqual(application.command("topics", "check", check=False).returncode, 1)

    def test_create_says_how_long_it_keeps_what(self):
        application = self.application("kept", create=False)
        said = application.command("topics", "create", "--partitions", "1").stderr
        self.assertIn("kept-input keeps its records for ever (retention.ms=-1)", said)
        self.assertIn("kept-ticks keeps its records for ever (retention.ms=-1)", said)
        self.assertIn("kept-transitions keeps its records for retention.ms=2592000000", said)
        again = application.command("topics", "create")
        self.assertNotIn("keeps", again.stderr)
        self.assertNotIn("warning", again.stdout)

    def recorded(self, application):
        return application.command(
            "replay", "--recorded", "--input", "kafka:" + application.topic("input"),
            "--format", application.settings["input.format"], check=False)

    def assert_not_repeated(self, application, why):
        refused = self.recorded(application)
        self.assertEqual(refused.returncode, 1, refused.stderr)
        self.assertIn(why, refused.stderr)
        self.assertIn("cannot be repeated", refused.stderr)

    def ran(self, name):
        """An application that has read 20 invoices, whose recording is whole."""
        application = self.application(name)
        application.produce(invoices(0, 20))
        self.assert_runs(application)
        whole = self.recorded(application)
        self.assertEqual(whole.returncode, 0, whole.stderr)
        return application

    def test_a_recording_whose_input_has_lost_records_is_refused(self):
        application = self.ran("cut-input")
        delete_records(self.broker.endpoint, application.topic("input"), 0, 3)
        self.assert_not_repeated(
            application, "begins at offset 3, but the application began to read at 0")

    def test_a_recording_of_an_input_made_anew_is_refused(self):
        application = self.ran("new-input")
        delete_topic(self.broker.endpoint, application.topic("input"))
        create_topic(self.broker.endpoint, application.topic("input"))
        application.produce(invoices(100, 30))
        self.assert_not_repeated(application, "made anew")

    def test_a_recording_whose_ticks_are_gone_is_refused(self):
        application = self.application("cut-ticks", **{
            "input.format": "lines", "input.lateness": "0s", "input.settle": "200ms",
            "tick.idle": "50ms"})
        application.produce([("c1", json.dumps({
            "InvoiceNo": "1", "StockCode": "1", "Description": "a", "Quantity": 1,
            "InvoiceDate": FIRST_DAY.isoformat(), "UnitPrice": "1.00", "CustomerID": "c1",
            "Country": "x"}).encode())])
        application.start()
        application.wait_for(lambda: application.read("ticks"), "a tick")
        application.stop()
        self.assertEqual(self.recorded(application).returncode, 0)
        delete_records(self.broker.endpoint, application.topic("ticks"), 0, -1)
        self.assert_not_repeated(application, "the others are gone")

    def test_a_recording_whose_model_log_is_gone_is_refused(self):
        application = self.ran("cut-model")
        delete_topic(self.broker.endpoint, application.topic("model"))
        application.command("topics", "create")
        self.assert_not_repeated(application, "does not hold its rules any more")

    def test_a_lost_model_log_is_refused(self):
        application = self.application("no-model")
        application.produce(invoices(0, 20))
        self.assert_runs(application)
        delete_topic(self.broker.endpoint, application.topic("model"))
        application.command("topics", "create")
        said = self.assert_refused(application)
        self.assertIn("the model log no-model-model holds nothing", said)
        self.assertEqual(application.read("model"), [])

    def test_a_recording_whose_changelog_is_gone_is_refused(self):
        application = self.ran("cut-changelog")
        self.make_changelog_anew(application)
        self.assert_not_repeated(application, "was cut or made anew")

    def test_a_recording_of_an_input_with_holes_is_refused(self):
        application = self.ran("holes")
        topic = application.topic("input")
        application.produce(invoices(30, 2, customer="c3"))
        self.assert_runs(application)
        self.assertEqual(self.recorded(application).returncode, 0)
        alter_topic(self.broker.endpoint, topic, cleanup_policy="compact", segment_ms="1",
                    min_cleanable_dirty_ratio="0", message_timestamp_type="LogAppendTime")

        def compacted():
            application.produce(invoices(100, 1))  # The last segment is never compacted.
            read = read_topic(self.broker.endpoint, topic)
            return sum(record.key == b"c3" for record in read) == 1

        application.wait_for(compacted, "a compaction")
        self.assert_not_repeated(application, "holds 20 records of the 22 that it read")


if __name__ == "__main__":
    unittest.main(verbosity=2)
