#!/usr/bin/env python3
"""The page over a stored state of Online Retail, in a real browser.

Goal: what is on the screens is what `export`, `inspect` and a recomputation from the CSV say, and
no screen has a fault. Method: a replay to 2011-12-10, `serve --state` without any broker, Chromium.
Skipped without Chromium, Playwright, the page or the data.
"""

import collections
import csv
import io
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "realdata"))

import browser as browsers  # noqa: E402
import online_retail as retail  # noqa: E402
import page_test  # noqa: E402
from page_test import number  # noqa: E402

UNTIL = "2011-12-10"
# Screen -> the path that it asks.
SCREENS = {
    "/": "/segments",
    "/moves": "/transitions",
    "/grid": "/grid",
    "/customers": "/customers",
    "/c/16330": "/customers/{id}",
    "/sales": "/sales",
    "/retention": "/retention",
    "/risk": "/risk",
    "/models": "/model",
    "/k": "/k",
    "/score": "/score",
    "/pipeline": "/pipeline",
}


class Service:
    """`rfmstream serve` over a state that a replay has made."""

    def __init__(self, folder):
        self.csv = pathlib.Path(folder) / "online_retail.csv"
        self.state = pathlib.Path(folder) / "state"
        retail.unpack(self.csv)
        self.run("replay", "--input", str(self.csv), "--until", UNTIL)
        arguments = ["serve", "--state", str(self.state), "--listen", "127.0.0.1:0"]
        self.log = open(pathlib.Path(folder) / "serve.log", "w+")
        self.process = subprocess.Popen([retail.BINARY, *arguments], stderr=self.log)
        for _ in range(600):
            found = re.search(r"127\.0\.0\.1:([1-9][0-9]*)", self.said())
            if found:
                self.address = f"http://127.0.0.1:{found.group(1)}"
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        raise RuntimeError(self.said())

    def said(self):
        self.log.seek(0)
        return self.log.read()

    def run(self, *arguments):
        done = subprocess.run(
            [retail.BINARY, *arguments, "--state", str(self.state)], capture_output=True, text=True
        )
        if done.returncode != 0:
            raise RuntimeError(done.stderr)
        return done.stdout

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()


def setUpModule():
    global folder, service, described, exported
    page_test.setUpModule()
    folder = tempfile.TemporaryDirectory()
    service = Service(folder.name)
    with urllib.request.urlopen(f"{service.address}/openapi.json") as response:
        described = json.load(response)["paths"]
    written = pathlib.Path(folder.name) / "customers.csv"
    service.run("export", "customers", "--output", str(written))
    exported = list(csv.DictReader(io.StringIO(written.read_text())))


def tearDownModule():
    service.stop()
    folder.cleanup()
    page_test.tearDownModule()


class StoredState(page_test.Browsing):
    def setUp(self):
        self.service = service
        self.page = self.open_tab()

    def test_every_screen_is_drawn_without_a_fault(self):
        for scheme in ("light", "dark"):
            page = self.open_tab(color_scheme=scheme)
            for place, path in SCREENS.items():
                if path not in described:
                    continue
                with self.subTest(screen=place, scheme=scheme):
                    self.show(place, page)
                    self.assertGreater(page.locator("figure").count(), 0)
                    self.assertEqual(page.locator(".problem, .trouble").count(), 0)
                    self.assertEqual(page_test.faults_of_axe(page), [])
                    if {"/transitions", "/sales"} <= set(described):
                        self.assertEqual(self.faults, [])
                    self.assertEqual(self.elsewhere, [])

    def test_segments_are_those_of_the_export(self):
        for segmentation in ("rfm", "cluster", "churn"):
            self.page = self.open_tab()  # One that was open shows the figures before for a moment.
            self.show(f"/?seg={segmentation}")
            expected = collections.defaultdict(lambda: [0, 0.0])
            for row in exported:
                expected[row[segmentation]][0] += 1
                expected[row[segmentation]][1] += float(row["monetary"])
            rows = {row["name"]: row for row in self.csv("segments")}
            for name, (customers, monetary) in expected.items():
                self.assertEqual(int(rows[name]["customers"]), customers, name)
                self.assertAlmostEqual(float(rows[name]["monetary"]), monetary, places=3)
            # The export leaves out who never bought anything.
            others = sum(int(rows[name]["customers"]) for name in {"none"} & set(rows))
            shown = self.page.locator(".numbers dd").first.inner_text()
            self.assertEqual(number(shown), len(exported) + others)

    def test_cohorts_are_those_of_the_export(self):
        self.show("/retention?span=all")
        expected = collections.Counter(
            row["first_purchase"][:7] for row in exported if row["first_purchase"]
        )
        rows = {row["cohort"]: int(row["size"]) for row in self.csv("cohorts")}
        self.assertEqual(rows, dict(expected))

    def test_the_grid_and_the_risks_hold_everybody(self):
        self.show("/grid?seg=rfm")
        self.assertEqual(sum(int(row["customers"]) for row in self.csv("grid")), len(exported))
        self.show("/risk")
        risks = sum(bool(row["churn_risk"]) for row in exported)
        self.assertEqual(sum(int(row["customers"]) for row in self.csv("histogram")), risks)

    def test_the_best_customers_are_listed_first(self):
        self.show("/customers?sort=monetary")
        best = sorted(exported, key=lambda row: -float(row["monetary"]))[:50]
        self.assertEqual(
            [float(row["monetary"]) for row in self.csv("customers")],
            [float(row["monetary"]) for row in best],
        )

    def test_a_customer_is_the_inspected_one(self):
        inspected = json.loads(service.run("inspect", "customer", "16330", "--json"))
        self.show("/c/16330?span=all")
        rows = self.csv("timeline")
        self.assertEqual(
            [(row["time"], float(row["amount"])) for row in rows],
            [(one["time"], float(one["amount"])) for one in inspected["ledger"]],
        )
        now = {row[0]: row[1] for row in self.table("now")}
        self.assertEqual(now, {name: one["segment"] for name, one in inspected["segments"].items()})

    def test_sales_are_those_of_the_csv(self):
        if "/sales" not in described:
            self.skipTest("no /sales")
        gross, credits = collections.Counter(), collections.Counter()
        with open(service.csv, encoding="utf-8", errors="replace", newline="") as file:
            for row in csv.DictReader(file):
                month = row["InvoiceDate"][:7]
                amount = round(int(row["Quantity"]) * round(float(row["UnitPrice"]) * 1000))
                if row["InvoiceNo"].startswith("A"):
                    continue  # Adjustments of bad debt are no sales.
                if row["InvoiceNo"].startswith("C"):
                    credits[month] += amount
                else:
                    gross[month] += amount
        self.show("/sales?span=all")
        rows = {row["month"]: row for row in self.csv("months")}
        self.assertEqual(set(rows), set(gross))
        for month, amount in gross.items():
            net = (amount + credits[month]) / 1000
            self.assertAlmostEqual(float(rows[month]["net"]), net, places=2, msg=month)


if __name__ == "__main__":
    reason = browsers.missing() or (None if retail.ARCHIVE.exists() else "no data")
    if reason:
        print(f"skipped: {reason}")
        sys.exit(retail.SKIPPED)
    if subprocess.run([retail.BINARY, "serve", "--help"], capture_output=True).returncode != 0:
        sys.exit("this rfmstream cannot serve a state")
    unittest.main(verbosity=2)
