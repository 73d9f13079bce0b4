#!/usr/bin/env python3
"""Goal: the books of a state made of Online Retail equal a recomputation from its CSV.

Method: replays to three instants, with `rfm.monetary` net and gross, and `export` of all tables
that the books hold, against this test's own sums over the rows of the CSV: every cell of day x
country, month x hour of the week and month x product; flows against the published transitions,
sizes and money of the segments at the end against the exported customers. In `gross` one state goes
on from instant to instant.
"""

import collections
import csv
import datetime
import decimal
import io
import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import online_retail as retail  # noqa: E402

INSTANTS = ["2011-03-31", "2011-09-09", "2011-12-10"]
SETTLE_MS = LATENESS_MS = 60_000
SEGMENTATIONS = ("churn", "cluster", "rfm")


class Sums(dict):
    """Names -> integers, by key; those without anything do not show."""

    def add(self, key, **numbers):
        mine = self.setdefault(key, collections.Counter())
        for name, number in numbers.items():
            mine[name] += number

    def shown(self):
        cells = {key: {n: v for n, v in cell.items() if v} for key, cell in self.items()}
        return {key: cell for key, cell in cells.items() if cell}


class Part:
    """Lines of an invoice that are booked together, as of the last of them."""

    def __init__(self, number, country):
        self.number, self.country = number, country
        self.last, self.amount, self.units, self.lines = 0, 0, 0, []

    def add(self, at, code, units, amount):
        self.last = max(self.last, at)
        self.amount += amount
        self.units += units
        self.lines.append((code, units, amount))


class Sales:
    """All rows of the CSV before an instant. Money and units in 10^-4."""

    def __init__(self, path, until):
        self.days, self.hours, self.products = Sums(), Sums(), Sums()
        self.descriptions = {}
        self.described_on = {}
        self.open = {}  # By customer.
        self.newest = 0
        self.invoices = {}  # (customer, number): [newest line, country]
        time_of = retail.TimeOfText()
        for row in retail.rows(path):
            at = time_of(row["InvoiceDate"])
            if at < until and not row["InvoiceNo"].startswith("A"):  # Of bad debt.
                self.read(row, at)
        for customer in list(self.open):
            self.settle(customer)
        bought = {(customer, at // retail.DAY_MS, country)
                  for (customer, number), (at, country) in self.invoices.items()
                  if not number.startswith("C")}
        for _, day, country in bought:
            self.days.add((date(day), country, "1"), customers=1)

    def read(self, row, at):
        units = int(row["Quantity"]) * 10_000
        price = decimal.Decimal(row["UnitPrice"]) * 10_000
        amount = int(row["Quantity"]) * int(price)
        code, text = row["StockCode"], row["Description"]
        if code and (code not in self.described_on or
                     text and text != self.descriptions[code] and
                     at // retail.DAY_MS > self.described_on[code]):
            self.descriptions[code] = text
            self.described_on[code] = at // retail.DAY_MS if text else -1
        customer = retail.customer_id(row["CustomerID"])
        if not customer:
            part = Part(row["InvoiceNo"], row["Country"])
            part.add(at, code, units, amount)
            return self.book(part, "0", 1)
        known = self.open.get(customer)
        self.newest = max(self.newest, at)
        settles = self.newest - LATENESS_MS >= (known.last + SETTLE_MS if known else at)
        if known and (known.number != row["InvoiceNo"] or settles):
            self.settle(customer)
        if customer not in self.open:
            self.open[customer] = Part(row["InvoiceNo"], row["Country"])
        self.open[customer].add(at, code, units, amount)

    def settle(self, customer):
        part = self.open.pop(customer)
        key = (customer, part.number)
        self.book(part, "1", int(key not in self.invoices))
        invoice = self.invoices.setdefault(key, [part.last, part.country])
        invoice[0] = max(invoice[0], part.last)

    def book(self, part, known, count):
        is_credit = part.number.startswith("C")
        returns = is_credit or part.amount < 0
        units = -abs(part.units) if returns else part.units
        day, month = date(part.last // retail.DAY_MS), date_of(part.last, "%Y-%m")
        money = {"credits" if returns else "gross": abs(part.amount)}
        what = "credit_notes" if returns else "invoices"
        counted = {what if known == "1" else "unnamed_records": count}
        self.days.add((day, part.country, known), units=units, **money, **counted)
        sold = 0 if returns else count
        self.hours.add((month, *hour_of(part.last)), units=units, invoices_and_unnamed_sales=sold,
                       **money)
        for code, mine, amount in part.lines:
            self.products.add((month, code), gross=max(amount, 0), credits=max(-amount, 0),
                              units=mine, lines=1)


def date_of(ms, form):
    return datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc).strftime(form)


def date(day):
    return date_of(day * retail.DAY_MS, "%Y-%m-%d")


def hour_of(ms):
    at = datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc)
    return str(at.isoweekday()), str(at.hour)


def units_of(text):
    return int(decimal.Decimal(text) * 10_000)


class Run:
    """One state at one instant, and what `export` tells of it."""

    def __init__(self, kind, date, state, output):
        self.kind, self.date, self.state = kind, date, state
        retail.command("replay", "--input", CSV, "--format", "csv", "--until", date, "--state",
                       state, "--output", output, "--set", f"rfm.monetary={kind}")
        with open(f"{output}/transitions.jsonl", encoding="utf-8") as file:
            self.transitions = [json.loads(line)["value"] for line in file]

    def table(self, *arguments):
        text = retail.command("export", *arguments, "--state", self.state)
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def sums(self, keys, columns, *arguments):
        sums = Sums()
        for row in self.table(*arguments):
            net = units_of(row["gross"]) - units_of(row["credits"])
            assert units_of(row["net"]) == net, row
            numbers = {c: units_of(row[c]) if c in ("gross", "credits", "units") else int(row[c])
                       for c in columns}
            sums.add(tuple(row[key] for key in keys), **numbers)
        return sums


def setUpModule():
    global CSV, RUNS, SALES, TEMPORARY
    TEMPORARY = tempfile.TemporaryDirectory(prefix="rfmstream-books-")
    here = TEMPORARY.name
    CSV = f"{here}/online_retail.csv"
    retail.unpack(CSV)
    SALES = {date: Sales(CSV, retail.midnight(date)) for date in INSTANTS}
    RUNS = [Run("net", d, f"{here}/net-{d}", f"{here}/out-net-{d}") for d in INSTANTS]


class Books(unittest.TestCase):
    def equal(self, run, what, expected, found):
        expected, found = expected.shown(), found.shown()
        different = [key for key in sorted(expected.keys() | found.keys())
                     if expected.get(key) != found.get(key)]
        shown = [(key, expected.get(key), found.get(key)) for key in different[:3]]
        self.assertEqual(different, [], f"{run.kind} {run.date} {what}: {shown}")
        print(f"{run.kind:5} {run.date} {what}: {len(expected)} cells, 0 differences")

    def check_sales(self, run):
        sales = SALES[run.date]
        self.equal(run, "days x countries", sales.days, run.sums(
            ("date", "country", "customer_known"),
            ("gross", "credits", "invoices", "credit_notes", "unnamed_records", "units",
             "customers"), "sales"))
        self.equal(run, "months x hours", sales.hours, run.sums(
            ("month", "weekday", "hour"),
            ("gross", "credits", "invoices_and_unnamed_sales", "units"),
            "sales", "--by", "hour"))
        self.equal(run, "months x products", sales.products, run.sums(
            ("month", "stock_code"), ("gross", "credits", "units", "lines"),
            "sales", "--by", "product"))
        for row in run.table("sales", "--by", "product"):
            self.assertEqual(row["description"], sales.descriptions[row["stock_code"]], row)

    def check_moves(self, run):
        expected, money = collections.Counter(), collections.Counter()
        for body in run.transitions:
            key = (body["effective_at"][:10], body["segmentation"], body["from"]["segment"],
                   body["to"], body["reason"], str(int(body["actionable"])))
            expected[key] += 1
            money[key] += units_of(body["after"]["monetary"])
        found = {tuple(row[n] for n in ("date", "segmentation", "from", "to", "reason",
                                        "actionable")): row for row in run.table("transitions")}
        moves = {key: int(row["moves"]) for key, row in found.items()}
        self.assertEqual(moves, dict(expected))
        exported = {key: units_of(row["monetary"]) for key, row in found.items()}
        self.assertEqual(exported, dict(money))

    def check_segments(self, run):
        expected = Sums()
        for row in run.table("customers"):
            for name in SEGMENTATIONS:
                expected.add((name, row[name]), customers=1, monetary=units_of(row["monetary"]))
        rows = run.table("segments", "--by-day")
        last = max(row["date"] for row in rows)
        found = Sums()
        for row in rows:
            if row["date"] == last:
                found.add((row["segmentation"], row["segment"]), customers=int(row["customers"]),
                          monetary=units_of(row["monetary"]))
        self.equal(run, f"segments on {last}", expected, found)

    def check(self, run):
        self.check_sales(run)
        self.check_moves(run)
        self.check_segments(run)

    def test_net_is_what_the_csv_says_at_each_instant(self):
        for run in RUNS:
            self.check(run)

    def test_gross_is_what_the_csv_says_as_a_state_goes_on(self):
        here = TEMPORARY.name
        for instant in INSTANTS:
            self.check(Run("gross", instant, f"{here}/gross", f"{here}/out-gross"))


if __name__ == "__main__":
    if not retail.ARCHIVE.exists():
        print(f"SKIPPED: {retail.ARCHIVE} is not there")
        sys.exit(retail.SKIPPED)
    unittest.main(verbosity=1)
