"""Goal: a snapshot taken while the service writes is whole: started from it, the service catches up
and is where it was, and nothing is published twice.
Method: snapshots while records come and RocksDB flushes; then each in the place of the state."""

import csv
import io
import shutil
import subprocess
import threading
import unittest

from admin_test import metrics, reasons, total
from application import BrokerTest
from stop_test import invoices

SNAPSHOTS = 4
ROUNDS_MAX = 200


class SnapshotTest(BrokerTest):
    partitions = 2

    def customers(self, application, state):
        """Without what moves on with time alone."""
        text = application.command("export", "customers", "--all", "--state", state).stdout
        rows = list(csv.DictReader(io.StringIO(text)))
        for row in rows:
            row.pop("as_of")
            row.pop("recency_days")
        return rows

    def test_a_snapshot_of_a_live_state_goes_on(self):
        application = self.application("backed-up")
        application.produce(invoices(500))
        self.start(application)
        application.wait_for(
            lambda: not reasons(application)
            and total(metrics(application), "rfmstream_records_total") == 500, "the first records")
        enough = threading.Event()
        count = 0

        def keep_producing():
            nonlocal count
            while count < ROUNDS_MAX and not enough.is_set():
                count += 1
                application.produce(invoices(200, days=count // 10, first=500 + 200 * count))

        producing = threading.Thread(target=keep_producing)
        producing.start()
        copies = []
        try:
            for i in range(SNAPSHOTS):
                copies.append(application.directory / f"copy-{i}")
                said = subprocess.run(
                    [application.binary, "state", "snapshot", "--state", application.state, "--to",
                     copies[-1]], capture_output=True, text=True, check=False)
                self.assertEqual(said.returncode, 0, said.stderr)
                self.assertIn("application backed-up, input backed-up-input", said.stdout)
        finally:
            enough.set()
            producing.join()
        records = 500 + 200 * count
        application.wait_for(
            lambda: total(metrics(application), "rfmstream_records_total") == records, "the end")
        application.stop()
        expected = self.customers(application, application.state)
        self.assertEqual(len(expected), records)
        published = len(application.read("transitions"))
        original = application.directory / "original"
        application.state.rename(original)
        for copy in copies:
            self.assertLessEqual(len(self.customers(application, copy)), records)
            shutil.copytree(copy, application.state)
            application.catch_up()
            self.assertEqual(self.customers(application, application.state), expected)
            shutil.rmtree(application.state)
        self.assertEqual(len(application.read("transitions")), published)


if __name__ == "__main__":
    unittest.main(verbosity=2)
