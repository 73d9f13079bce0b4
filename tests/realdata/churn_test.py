#!/usr/bin/env python3
"""Goal: `rfmstream evaluate` on Online Retail prints the figures promised for churn and clusters.

Method: run the binary on the CSV (gross monetary value, as in the figures' source), read the
printed tables and compare. Customers and churned share of the forward split are also counted here,
straight from the CSV. Exit status 77: the data are not there.
"""

import csv
import datetime
import lzma
import os
import pathlib
import re
import subprocess
import sys
import unittest

DATA = pathlib.Path(os.environ["RFM_DATA_DIR"]) / "online_retail.csv.xz"
BINARY = os.environ["RFM_BIN"]
SPLIT = datetime.datetime(2011, 9, 9)


def evaluate(*arguments):
    command = [BINARY, "evaluate", *arguments]
    with lzma.open(DATA, "rb") as history:
        content = history.read()
    run = subprocess.run(command, input=content, capture_output=True)
    return run.returncode, run.stdout.decode(), run.stderr.decode()


def evaluate_retail(*arguments):
    what, *rest = arguments
    status, out, err = evaluate(
        what, "--input", "-", "--format", "csv", "--set", "rfm.monetary=gross", *rest
    )
    if status != 0:
        raise AssertionError(f"exit status {status}: {err}")
    print(out)
    return out


def numbers_of(out, name):
    """The numbers of the first line that starts with `name`; a dash is None."""
    line = next(line for line in out.splitlines() if line.strip().startswith(name))
    cells = line.strip()[len(name):].split()
    numbers = [cell for cell in cells if re.fullmatch(r"-|[\d.]+", cell)]
    return [None if cell == "-" else float(cell) for cell in numbers]


def sales_of_customers():
    sales = {}
    with lzma.open(DATA, "rt", newline="") as file:
        for row in csv.DictReader(file):
            if not row["CustomerID"] or row["InvoiceNo"].startswith("C"):
                continue
            time = datetime.datetime.fromisoformat(row["InvoiceDate"])
            sales.setdefault(row["CustomerID"], []).append(time)
    return sales


class Churn(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.out = evaluate_retail("churn")

    def test_split_has_the_customers_and_outcomes_of_the_csv(self):
        sales = sales_of_customers()
        before = [times for times in sales.values() if min(times) < SPLIT]
        end = SPLIT + datetime.timedelta(days=90)
        churned = [times for times in before if not any(SPLIT <= time < end for time in times)]
        self.assertEqual((len(before), len(churned)), (3362, 1456))
        head = re.search(r"Forward split at 2011-09-09: (\d+) customers, ([\d.]+) %", self.out)
        self.assertEqual(int(head[1]), len(before))
        self.assertAlmostEqual(float(head[2]), 100 * len(churned) / len(before), delta=0.006)

    def test_split_reaches_its_figures(self):
        auc, brier, ece = numbers_of(self.out, "model")
        self.assertGreaterEqual(auc, 0.738)
        self.assertLessEqual(brier, 0.209)
        self.assertLessEqual(ece, 0.07)

    def test_split_is_better_than_the_baselines(self):
        auc, brier, _ = numbers_of(self.out, "model")
        nbd_auc, nbd_brier, _ = numbers_of(self.out, "NBD alone (weights zero)")
        recency_auc = numbers_of(self.out, "recency alone")[0]
        self.assertAlmostEqual(nbd_auc, 0.733, delta=0.005)
        self.assertAlmostEqual(recency_auc, 0.6842, delta=0.0005)
        self.assertGreater(auc, nbd_auc)
        self.assertLess(brier, nbd_brier)

    def test_prequential_means_reach_their_figures(self):
        auc, brier, ece = numbers_of(self.out, "mean")[2:5]
        self.assertGreaterEqual(auc, 0.747)
        self.assertLessEqual(brier, 0.207)
        self.assertLessEqual(ece, 0.07)

    def test_every_week_stays_within_bounds(self):
        auc, brier, ece = numbers_of(self.out, "worst")
        self.assertGreaterEqual(auc, 0.72)
        self.assertLessEqual(brier, 0.215)
        self.assertLessEqual(ece, 0.11)
        weeks = re.findall(r"^  2011-\d\d-\d\d ", self.out, re.MULTILINE)
        self.assertEqual(len(weeks), 24)

    def test_calibration_table_holds_every_customer(self):
        table = self.out.split("Calibration of the model at the split")[1].split("\n\n")[0]
        rows = [[float(cell) for cell in line.split()] for line in table.splitlines()[2:]]
        self.assertEqual(len(rows), 10)
        self.assertEqual(sum(row[2] for row in rows), 3362)
        error = sum(row[2] * abs(row[3] - row[4]) for row in rows) / 3362
        self.assertAlmostEqual(error, numbers_of(self.out, "model")[2], delta=0.001)


class Clusters(unittest.TestCase):
    BOUNDS = {4: (1.008, 1.03), 5: (1.012, 1.04)}  # Mean and p95, just before a refit.

    def test_refits_stay_near_batch_quality(self):
        for count, (mean_max, p95_max) in self.BOUNDS.items():
            with self.subTest(clusters=count):
                out = evaluate_retail("clusters", "--set", f"model.clusters={count}")
                in_effect = re.search(r"in effect / fresh +mean ([\d.]+) +p95 ([\d.]+)", out)
                self.assertLessEqual(float(in_effect[1]), mean_max)
                self.assertLessEqual(float(in_effect[2]), p95_max)
                refit = re.search(r"refit / fresh +mean ([\d.]+)", out)
                self.assertLessEqual(float(refit[1]), 1.003)
                nearest = re.search(r"another centroid is nearer +([\d.]+) %", out)
                self.assertLessEqual(float(nearest[1]), 2.5)


class Refusals(unittest.TestCase):
    def refused(self, status, words, *arguments):
        got, out, err = evaluate("churn", "--input", "-", "--format", "csv", *arguments)
        self.assertEqual((got, out), (status, ""), err)
        self.assertIn(words, err)

    def test_split_beyond_the_data(self):
        self.refused(2, "the latest split is 2011-09-10", "--split", "2011-10-01")

    def test_split_before_there_is_a_model(self):
        early = ["--split", "2010-12-10", "--from", "2010-12-01", "--until", "2011-03-12"]
        self.refused(1, "no churn model yet", *early)

    def test_refits_on_another_weekday(self):
        self.refused(2, "2011-09-09: a friday", "--set", "model.refit_weekday=monday")


if __name__ == "__main__":
    if not DATA.exists():
        print(f"SKIPPED: {DATA} is not there")
        sys.exit(77)
    unittest.main()
