"""Goal: whatever happens to the topics of an application, it reads on rightly or refuses with the
way on; nothing is passed over without a word.
Method: the binary as a process against a broker of the test's own, whose topics are deleted, made
anew, cut and shared between runs."""

import datetime
import json
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from admin import create_topic, delete_records, delete_topic
from application import Application, Broker, read_topic

FIRST_DAY = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)


def invoices(first, count, customer=None):
    """One invoice an hour, each of a customer of its own."""
    result = []
    for number in range(first, first + count):
        who = customer or f"c{number}"
        when = FIRST_DAY + datetime.timedelta(hours=number)
        result.append((who, json.dumps(
            {"type": "invoice", "invoice_no": str(number), "customer_id": who,
             "invoice_time": when.isoformat(), "currency": "GBP", "total": "10.00"}).encode()))
    return result


class TopicsTest(unittest.TestCase):
    maxDiff = 2000

    @classmethod
    def setUpClass(cls):
        cls.broker = Broker().__enter__()
        cls.addClassCleanup(cls.broker.__exit__)
        temporary = tempfile.TemporaryDirectory(prefix="rfmstream-topics-")
        cls.addClassCleanup(temporary.cleanup)
        cls.directory = pathlib.Path(temporary.name)

    def application(self, name, partitions=1, create=True, **settings):
        return Application(self.broker, self.directory / name, name, partitions,
                           {"input.format": "invoices", "model.cluster_history": "7d", **settings},
                           create=create)

    def run_once(self, application, *arguments):
        return application.command("run", "--state", application.state, "--until-caught-up",
                                   *arguments, check=False)

    def assert_refused(self, application, *arguments):
        refused = self.run_once(application, *arguments)
        self.assertEqual(refused.returncode, 1, refused.stderr)
        return refused.stderr

    def assert_runs(self, application, *arguments):
        done = self.run_once(application, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stderr

    def customers(self, application):
        return sorted({r.key.decode() for r in application.read("transitions")})

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
        self.assertEqual(self.run_once(application, "--accept-loss", "0:1",
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

    def test_an_input_with_its_producers_time_is_warned_of(self):
        create_topic(self.broker.endpoint, "stamped-input", message_timestamp_type="CreateTime")
        application = self.application("stamped")
        said = self.assert_runs(application)
        self.assertIn("the input topic stamped-input has message.timestamp.type = CreateTime", said)
        self.assertIn("--add-config message.timestamp.type=LogAppendTime", said)
        self.assertNotIn("timestamp.type", self.assert_runs(self.application("unstamped")))

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


if __name__ == "__main__":
    unittest.main(verbosity=2)
