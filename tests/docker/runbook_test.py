#!/usr/bin/env python3
"""Goal: the runbook has an entry for each refusal at start, and none for a message there is not.
Method: the text of each error in the sources that a start runs through, against the words that head
the entries. (Alerts: alerts_test.py.)"""

import errno
import os
import pathlib
import re
import unittest

ROOT = pathlib.Path(os.environ.get("RFM_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
RUNBOOK = (ROOT / "docs/runbook.md").read_text()
REFUSALS = RUNBOOK.split("\n## Refusals\n", 1)[1].split("\n## ", 1)[0]
# What a start of `run` goes through, and what speaks for it.
SOURCES = ["admin/admin_server.cc", "config/settings_segmentations.cc",
           "state/rocksdb_state_store.cc", "stream/app/run_command.cc",
           "stream/kafka/kafka_producer.cc", "stream/kafka/open_transactions.cc",
           "stream/kafka/output_owners.cc", "stream/run/changelog_fit.cc",
           "stream/run/input_position.cc", "stream/run/kafka_restore.cc",
           "stream/run/model_fit.cc", "stream/run/reaction.cc", "stream/run/sole_instance.cc",
           "stream/run/start_check.cc", "stream/run/topic_check.cc"]
# Others whose words entries quote.
MORE_SOURCES = ["stream/format/model_log.cc", "stream/format/partition_meta.cc",
                "stream/run/state_copy.cc", "stream/run/state_snapshot.cc"]
# Not refusals at start, though their constructor is that of one.
ELSEWHERE = ["state directory {} does not exist"]  # A command that only reads.


# What the system says.
SYSTEM = [os.strerror(errno.ENOSPC)]


def flat(source):
    """Its string literals joined as the compiler does, escapes as they are read."""
    joined = re.sub(r'"\s*\n\s*"', "", (ROOT / source).read_text())
    return joined.replace("\\n", "\n").replace('\\"', "'")


def entries():
    return re.findall(r'(?m)^### "(.+)"$', REFUSALS)


class Runbook(unittest.TestCase):
    def test_every_refusal_has_its_entry(self):
        seen = 0
        for source in SOURCES:
            calls = re.split(r"absl::(FailedPrecondition|NotFound|PermissionDenied)Error\(",
                             flat(source))[1:]
            for message in calls[1::2]:
                statement = message.split(";\n\n")[0].split(";\n  ")[0]
                if '"' not in statement or any(text in statement for text in ELSEWHERE):
                    continue
                seen += 1
                said = [entry for entry in entries() if entry in self.nearby(message)]
                self.assertTrue(said, f"{source}: no entry for {statement[:300]}")
        self.assertGreater(seen, 12)

    @staticmethod
    def nearby(message):
        """The literals of one message: up to the next function."""
        return message.split("\n}\n")[0]

    def test_every_entry_quotes_a_message(self):
        text = "\n".join(flat(source) for source in SOURCES + MORE_SOURCES)
        text += "\n".join(SYSTEM)
        self.assertGreater(len(entries()), 18)
        for entry in entries():
            self.assertIn(entry, text)

    def test_wrong_use_has_an_entry(self):
        self.assertIn("### Exit status 2\n", REFUSALS)

    def test_every_link_leads_somewhere(self):
        anchors = set()
        for heading in re.findall(r"(?m)^#+ (.+)$", RUNBOOK):
            anchors.add(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-"))
        for target in re.findall(r"\]\(([^)]+)\)", RUNBOOK):
            file, _, anchor = target.partition("#")
            if file:
                path = file if "." in file else f"{file}.md"
                self.assertTrue((ROOT / "docs" / path).is_file(), target)
            elif anchor:
                self.assertIn(anchor, anchors, target)


if __name__ == "__main__":
    unittest.main(verbosity=2)
