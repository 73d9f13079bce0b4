#!/usr/bin/env python3
"""Goal: what the service says of every customer of Online Retail, through Kafka, equals a batch
recomputation, as oracle_test.py shows of a replay.

Method: the history goes into a topic in parts, each up to an as-of date and closed by invoices of
other customers shortly after midnight, which move every partition's clock past it. After each part
the service catches up, with two lanes, and its state and model log are compared with this script's
own reading of the same lines.
"""

import csv
import io
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "kafka"))
import application  # noqa: E402
import online_retail as retail  # noqa: E402
import oracle_test as oracle  # noqa: E402

PARTITIONS = 4
CLOSING = "end"  # No leading C: that is a cancellation, in either case.
CLOSERS = 40  # One at least on each partition.
CLOSING_TIME = "00:05:00"
CLOSING_MS = (5 - 1) * 60_000  # Where it takes the clock: input.lateness is a minute.


def closing_rows(date):
    for i in range(CLOSERS):
        customer = f"{CLOSING}-{date}-{i}"
        yield [customer, "1", "", "1", f"{date} {CLOSING_TIME}", "1.00", customer, "Nowhere"]


def write_parts(whole, parts):
    """Splits the CSV at the as-of dates, in time order as it is, and closes each part."""
    with open(whole, newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    at = header.index("InvoiceDate")
    begin = 0
    for date, path in zip(oracle.AS_OF, parts):
        end = begin
        while end < len(rows) and rows[end][at] < date:
            end += 1
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(header)
            writer.writerows(rows[begin:end])
            writer.writerows(closing_rows(date))
        begin = end
    assert begin == len(rows)


class Run:
    """The service's state and model log after one part, as oracle_test's Run."""

    def __init__(self, app, kind, date, invoices):
        self.kind, self.date = kind, date
        self.at = retail.midnight(date) + CLOSING_MS
        self.customers = retail.customers_at(invoices, self.at)
        text = app.command("export", "customers", "--state", app.state, "--all").stdout
        rows = {row["customer_id"]: row for row in csv.DictReader(io.StringIO(text, newline=""))}
        # The closing invoices of this part are still open.
        self.everyone = {i: row for i, row in rows.items()
                         if i in self.customers or not i.startswith(CLOSING)}
        self.rows = {i: row for i, row in self.everyone.items() if row["frequency"] != "0"}
        versions = [record.json() for record in app.read("model")
                    if record.key.startswith(b"version/")]
        self.versions = {version["trained_epoch"]: version for version in versions}
        assert len(self.versions) == len(versions), "an epoch has two records"
        self.version = self.versions[self.at // retail.DAY_MS - 1]

    def bought(self):
        return {i: c for i, c in self.customers.items() if c.frequency > 0}


def setUpModule():
    oracle.RUNS = []
    with tempfile.TemporaryDirectory(prefix="rfmstream-oracle-") as here:
        whole = f"{here}/online_retail.csv"
        retail.unpack(whole)
        parts = [f"{here}/part-{date}.csv" for date in oracle.AS_OF]
        write_parts(whole, parts)
        oracle.INVOICES = [i for part in parts for i in retail.load_invoices(part)]
        with application.Broker() as broker:
            apps = {kind: application.Application(
                        broker, f"{here}/{kind}", f"oracle-{kind}", PARTITIONS,
                        {**oracle.SETTINGS_OF[kind], "run.lanes": 2})
                    for kind in ("net", "gross")}
            for date, part in zip(oracle.AS_OF, parts):
                for kind, app in apps.items():
                    app.command("import", part, "--as", "lines", "--kafka")
                    app.catch_up()
                    oracle.RUNS.append(Run(app, kind, date, oracle.INVOICES))


class Customers(oracle.Customers):
    """The same comparisons."""


class ModelLog(unittest.TestCase):
    def test_published_cuts_are_the_quantiles_at_their_boundary(self):
        oracle.ModelLog.test_published_cuts_are_the_quantiles_at_their_boundary(self)


if __name__ == "__main__":
    if not retail.ARCHIVE.exists():
        print(f"SKIPPED: {retail.ARCHIVE} is not there")
        sys.exit(retail.SKIPPED)
    unittest.main(verbosity=1)
