#!/usr/bin/env python3
"""Goal: the report and the tables of Online Retail say what a batch recomputation says, and what
others have published of it.

Method: one `report --input` to 2011-12-10, one replay to the same day with its exports; this script
reads the CSV with code of its own and computes best customers, concentration, cohorts, lost
customers, who spends less, and 1-D K-Means anew. AUC, Brier, lift and calibration are held against
`evaluate churn` at the same split.
"""

import collections
import csv
import datetime
import html.parser
import io
import re
import sqlite3
import pathlib
import sys
import tempfile
import unittest

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import online_retail as retail  # noqa: E402
import published_test as published  # noqa: E402

LAST = "2011-12-10"
LOST_MS = 90 * retail.DAY_MS
ORDERS_MIN = 6
TABLES = {"customers": ["customers"], "segments": ["segments"], "cohorts": ["cohorts"],
          "sales_by_day": ["sales"], "sales_by_hour": ["sales", "--by", "hour"],
          "sales_by_product": ["sales", "--by", "product"], "transitions": ["transitions"],
          "segments_by_day": ["segments", "--by-day"]}
# Published net spend of the five best (notebook 001).
BEST = published.BEST


class Page(html.parser.HTMLParser):
    """The page as {section id: (finding, [table])}, a table as rows of cells."""

    def __init__(self, text):
        super().__init__()
        self.sections = {}
        self.here = None
        self.into = None
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "h2":
            self.here = self.sections.setdefault(attributes["id"], ["", []])
        elif tag == "p" and attributes.get("class") == "finding":
            self.into = "finding"
        elif tag == "table":
            self.here[1].append([])
        elif tag == "tr":
            self.here[1][-1].append([])
        elif tag in ("td", "th"):
            self.here[1][-1][-1].append("")
            self.into = "cell"

    def handle_endtag(self, tag):
        if tag in ("p", "td", "th"):
            self.into = None

    def handle_data(self, data):
        if self.into == "finding":
            self.here[0] += data
        elif self.into == "cell":
            self.here[1][-1][-1][-1] += data

    def table(self, section, number=0):
        """Without its header."""
        return self.sections[section][1][number][1:]


def number(text):
    """"1,234.50 GBP" -> 1234.5; "12.3 %" -> 12.3"""
    return float(re.sub(r"[^0-9.\-]", "", text))


def month_of(ms):
    at = datetime.datetime.fromtimestamp(ms // 1000, datetime.timezone.utc)
    return f"{at:%Y-%m}"


class Recomputed:
    """Each customer's purchases and bookings, by code of this test's own."""

    def __init__(self, invoices, at):
        self.at = at
        self.purchases = collections.defaultdict(list)  # (time, amount)
        self.bookings = collections.defaultdict(list)
        for invoice in invoices:
            if invoice.last_line >= at:
                continue
            amount = -abs(invoice.amount) if invoice.credit else invoice.amount
            self.bookings[invoice.customer].append((invoice.last_line, amount))
            if not invoice.credit and invoice.amount >= 0:
                self.purchases[invoice.customer].append((invoice.last_line, invoice.amount))
        for purchases in self.purchases.values():
            purchases.sort()

    def net(self):
        return {c: sum(amount for _, amount in self.bookings[c]) for c in self.purchases}

    def cohorts(self):
        """(customers, buyers, revenue), by cohort, and by cohort and month."""
        customers = collections.Counter()
        buyers = collections.Counter()
        revenue = collections.Counter()
        for customer, purchases in self.purchases.items():
            cohort = month_of(purchases[0][0])
            customers[cohort] += 1
            for month in {month_of(time) for time, _ in purchases}:
                buyers[cohort, month] += 1
            for time, amount in self.bookings[customer]:
                revenue[cohort, max(cohort, month_of(time))] += amount
        return customers, buyers, revenue

    def lost(self):
        lost = collections.Counter()
        regained = collections.Counter()
        for purchases in self.purchases.values():
            times = [time for time, _ in purchases]
            for time, following in zip(times, [*times[1:], None]):
                if following is None:
                    if self.at - time >= LOST_MS:
                        lost[month_of(time + LOST_MS)] += 1
                elif following - time > LOST_MS:
                    lost[month_of(time + LOST_MS)] += 1
                    regained[month_of(following)] += 1
        return lost, regained

    def spend_less(self):
        """Customer -> what is missing, in pounds."""
        missing = {}
        for customer, purchases in self.purchases.items():
            if len(purchases) < ORDERS_MIN:
                continue
            half = len(purchases) // 2
            newer = len(purchases) - half
            before = sum(amount for _, amount in purchases[:half])
            after = sum(amount for _, amount in purchases[half:])
            if before * newer > after * half:
                missing[customer] = (before * newer - after * half) / half / 1e4
        return missing


class Sales:
    """All rows of the sheet but adjustments (invoice numbers of A and digits), net, in 10^-4."""

    def __init__(self, sheet):
        time_of = retail.TimeOfText()
        self.by_country = collections.Counter()
        self.by_month = collections.Counter()
        self.by_product = collections.Counter()
        self.units = collections.Counter()
        self.by_hour = collections.Counter()
        self.unnamed = 0
        self.unnamed_records = 0
        self.invoices = set()
        self.units_of_customers = collections.Counter()
        for row in retail.rows(sheet):
            if row["InvoiceNo"].startswith("A"):
                continue
            amount = int(row["Quantity"]) * round(float(row["UnitPrice"]) * 1e4)
            at = datetime.datetime.fromtimestamp(time_of(row["InvoiceDate"]) // 1000,
                                                 datetime.timezone.utc)
            self.by_country[row["Country"]] += amount
            self.by_month[f"{at:%Y-%m}"] += amount
            self.by_product[row["StockCode"]] += amount
            self.units[row["StockCode"]] += int(row["Quantity"])
            self.by_hour[at.isoweekday(), at.hour] += amount
            if row["CustomerID"]:
                customer = retail.customer_id(row["CustomerID"])
                self.units_of_customers[customer] += int(row["Quantity"])
                if not row["InvoiceNo"].startswith("C"):
                    self.invoices.add((customer, row["InvoiceNo"]))
            else:
                self.unnamed += amount
                self.unnamed_records += 1


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory(prefix="rfmstream-report-") as here:
            sheet = f"{here}/online_retail.csv"
            retail.unpack(sheet)
            cls.recomputed = Recomputed(retail.load_invoices(sheet), retail.midnight(LAST))
            text = retail.command("report", "--input", sheet, "--until", LAST, "--output", "-")
            cls.page = Page(text)
            cls.bytes = len(text)
            state = f"{here}/state"
            done = retail.command("replay", "--input", sheet, "--until", LAST, "--state", state)
            cls.transitions = int(re.search(r"(\d+) transitions", done).group(1))
            cls.state_page = Page(retail.command("report", "--state", state, "--output", "-"))
            cls.tables = {}
            for table, arguments in TABLES.items():
                shown = retail.command("export", *arguments, "--state", state)
                cls.tables[table] = list(csv.DictReader(io.StringIO(shown, newline="")))
            cls.sales = Sales(sheet)
            retail.command("export", "sqlite", "--state", state, "--output", f"{here}/all.sqlite")
            database = sqlite3.connect(f"{here}/all.sqlite")
            cls.stored = {table: database.execute(f"SELECT * FROM {table}").fetchall()
                          for table in cls.tables}
            database.close()
            split = re.search(r"On (\S+) each", cls.page.sections["churn-figures"][0]).group(1)
            cls.judged = retail.command("evaluate", "churn", "--input", sheet, "--until", LAST,
                                        "--split", split, "--from", split)

    def test_best_customers_are_those_that_were_published(self):
        best = [(row[0], number(row[4])) for row in self.page.table("best")]
        self.assertEqual(best[:5], BEST)
        net = sorted(self.recomputed.net().items(), key=lambda pair: (-pair[1], pair[0]))
        self.assertEqual(best, [(customer, round(units / 1e4, 2)) for customer, units in net[:10]])
        orders = sorted(((-len(p), c) for c, p in self.recomputed.purchases.items()))[:10]
        self.assertEqual([(row[0], number(row[2])) for row in self.page.table("best", 1)],
                         [(customer, -count) for count, customer in orders])

    def test_best_customers_by_quantity(self):
        found = [(row[0], number(row[1])) for row in self.page.table("best", 2)]
        self.assertEqual(found, self.sales.units_of_customers.most_common(10))

    def test_the_average_order(self):
        orders = sum(map(len, self.recomputed.purchases.values()))
        net = sum(self.recomputed.net().values())
        # Of independent programs, rounded to pence.
        self.assertEqual(round(net, -2), 83_104_770_500)
        self.assertIn(f"an order is worth {net / 1e4 / orders:.2f} GBP",
                      self.page.sections["overview"][0])

    def test_how_few_bring_how_much(self):
        money = sorted(self.recomputed.net().values(), reverse=True)
        sums = numpy.cumsum(money)
        for row in self.page.table("concentration"):
            count = -(-len(money) * int(number(row[0])) // 100)
            self.assertEqual(number(row[1]), count)
            self.assertEqual(number(row[2]), round(sums[count - 1] / 1e4, 2))
        enough = int((sums < .8 * sums[-1]).sum()) + 1
        share = f"{enough / len(money) * 100:.1f} %"
        self.assertIn(f"The best {share} of the customers who bought bring 80 %",
                      self.page.sections["concentration"][0])

    def test_cohorts(self):
        customers, buyers, revenue = self.recomputed.cohorts()
        rows = self.tables["cohorts"]
        self.assertEqual({row["cohort"]: int(row["customers"]) for row in rows}, dict(customers))
        for row in rows:
            key = row["cohort"], row["month"]
            self.assertEqual(int(row["buyers"]), buyers[key])
            self.assertEqual(row["revenue"], retail.money(revenue[key]))
        self.assertEqual(sum(int(row["buyers"]) for row in rows), buyers.total())
        shown = self.page.table("retention")
        self.assertEqual([row[0] for row in shown], sorted(customers))
        full = month_of(self.recomputed.at - 31 * retail.DAY_MS)  # 2011-11.
        for row in shown:
            again = "" if row[0] >= full else f"{buyers[row[0], full] / customers[row[0]]:.1%}"
            self.assertEqual(row[4].replace(" ", ""), again)

    def test_lost_customers(self):
        lost, regained = self.recomputed.lost()
        for row in self.page.table("lost"):
            month = row[0].split(" ")[0]
            self.assertEqual(number(row[1]), lost[month], month)
            self.assertEqual(number(row[2]), regained[month], month)
        self.assertIn(f"{lost.total():,} times", self.page.sections["lost"][0])

    def test_who_buys_often_and_spends_less(self):
        missing = self.recomputed.spend_less()
        self.assertIn(f"{len(missing):,} customers", self.page.sections["spends-less"][0])
        most = sorted(missing, key=lambda customer: -missing[customer])[:15]
        rows = self.page.table("spends-less")
        self.assertEqual([row[0] for row in rows], most)
        for row in rows:
            self.assertAlmostEqual(number(row[5]), missing[row[0]], delta=.006)

    def test_natural_classes(self):
        at = self.recomputed.at
        net = self.recomputed.net()
        who = sorted(net)
        purchases = self.recomputed.purchases
        axes = [numpy.array([at - purchases[c][-1][0] for c in who]),
                numpy.array([len(purchases[c]) for c in who]),
                numpy.array([net[c] for c in who])]
        cuts = [published.natural_cuts(values, 4)[0] for values in axes]
        classes = [numpy.searchsorted(c, v, side="left") for c, v in zip(cuts, axes)]
        scores = (3 - classes[0]) + classes[1] + classes[2]
        expected = collections.Counter(scores.tolist())
        rows = self.page.table("overall-score")
        self.assertEqual({int(row[0]): number(row[1]) for row in rows}, dict(expected))
        for row in rows:
            here = scores == int(row[0])
            self.assertAlmostEqual(number(row[2]), axes[0][here].mean() / retail.DAY_MS, delta=.06)
            self.assertAlmostEqual(number(row[4]), axes[2][here].mean() / 1e4, delta=.006)

    def test_how_many_clusters(self):
        """As `evaluate clusters --k` finds at the last refit, some days before."""
        self.assertIn("There is no clear elbow", self.page.sections["cluster-counts"][0])
        self.assertIn("the silhouette is highest with 2 (0.4",
                      self.page.sections["cluster-counts"][0])
        inertias = [number(row[1]) for row in self.page.table("cluster-counts")]
        for found, known in zip(inertias, [6652, 5068, 4116, 3472, 3044, 2688, 2413], strict=True):
            self.assertLess(abs(found / known - 1), .02)

    def test_segments_add_up_from_the_customers(self):
        for name in ("rfm", "cluster", "churn"):
            sums = collections.defaultdict(lambda: [0, 0, 0, 0])
            for row in self.tables["customers"]:
                mine = sums[row[name]]
                mine[0] += 1
                mine[1] += round(float(row["monetary"]) * 1e4)
                mine[2] += int(row["frequency"])
                mine[3] += round(float(row["value_at_risk"]) * 1e4)
            found = {row["segment"]: [int(row["customers"]), round(float(row["monetary"]) * 1e4),
                                      int(row["orders"]),
                                      round(float(row["value_at_risk"] or 0) * 1e4)]
                     for row in self.tables["segments"] if row["segmentation"] == name}
            found.pop("none")
            self.assertEqual(found, dict(sums))

    def test_value_at_risk(self):
        begin = self.recomputed.at - 365 * retail.DAY_MS
        for row in self.tables["customers"]:
            spend = sum(amount for time, amount in self.recomputed.bookings[row["customer_id"]]
                        if time > begin)
            expected = float(row["churn_risk"]) * max(0, spend) * 90 / 365 / 1e4
            self.assertAlmostEqual(float(row["value_at_risk"]), expected, delta=1.1e-4)

    def net_of(self, table, *columns):
        sums = collections.Counter()
        for row in self.tables[table]:
            sums[tuple(row[column] for column in columns)] += round(float(row["net"]) * 1e4)
        return sums

    def test_sales_are_those_of_the_sheet(self):
        found = self.net_of("sales_by_day", "country")
        self.assertEqual(found, {(name,): net for name, net in self.sales.by_country.items()})
        months = collections.Counter()
        for (date,), net in self.net_of("sales_by_day", "date").items():
            months[date[:7]] += net
        self.assertEqual(months, self.sales.by_month)
        self.assertEqual(self.net_of("sales_by_day", "customer_known")["0",], self.sales.unnamed)
        *rows, whole, unnamed = self.page.table("sales-months")
        for row in rows:
            self.assertEqual(number(row[3]), round(self.sales.by_month[row[0]] / 1e4, 2))
        shares = [number(row[4].rstrip(" %")) for row in rows]
        self.assertAlmostEqual(sum(shares), 100, delta=.05 * len(shares))
        self.assertEqual([number(cell) for cell in whole[5:7]],
                         [len(self.sales.invoices), self.sales.unnamed_records])
        self.assertEqual([number(cell) for cell in unnamed[5:7]], [0, self.sales.unnamed_records])
        self.assertEqual(number(unnamed[3]), round(self.sales.unnamed / 1e4, 2))
        for column in (5, 6):
            self.assertEqual(sum(number(row[column]) for row in rows), number(whole[column]))
        for row in self.page.table("sales-countries"):
            self.assertEqual(number(row[3]), round(self.sales.by_country[row[0]] / 1e4, 2))

    def test_sales_by_hour_and_weekday(self):
        found = self.net_of("sales_by_hour", "weekday", "hour")
        # 43 invoices have lines of two times; they are sold at the last one.
        off = sum(abs(found[str(day), str(hour)] - net)
                  for (day, hour), net in self.sales.by_hour.items())
        self.assertLess(off, 2e-3 * sum(self.sales.by_hour.values()))
        self.assertEqual(sum(found.values()), sum(self.sales.by_hour.values()))
        for day, row in enumerate(self.page.table("sales-hours"), 1):
            mine = sum(net for (weekday, _), net in self.sales.by_hour.items() if weekday == day)
            self.assertAlmostEqual(number(row[3]), mine / 1e4, delta=.006)

    def test_products(self):
        net = self.net_of("sales_by_product", "stock_code")
        self.assertEqual({code: amount for (code,), amount in net.items() if amount != 0},
                         {code: amount for code, amount in self.sales.by_product.items()
                          if amount != 0})
        best = sorted(self.sales.by_product, key=lambda code: -self.sales.by_product[code])[:15]
        self.assertEqual([row[0] for row in self.page.table("sales-products")], best)
        most = sorted(self.sales.units, key=lambda code: -self.sales.units[code])[:15]
        self.assertEqual([number(row[5]) for row in self.page.table("sales-products", 1)],
                         [self.sales.units[code] for code in most])

    def test_transitions_and_segments_by_day_end_in_the_segments(self):
        self.assertEqual(sum(int(row["moves"]) for row in self.tables["transitions"]),
                         self.transitions)
        last = {}
        newest = max(row["date"] for row in self.tables["segments_by_day"])
        for row in self.tables["segments_by_day"]:
            if row["date"] == newest:
                last[row["segmentation"], row["segment"]] = int(row["customers"]), row["monetary"]
        expected = {(row["segmentation"], row["segment"]): (int(row["customers"]), row["monetary"])
                    for row in self.tables["segments"]}
        for key in [key for key in expected if key[1] == "none"]:
            expected.pop(key)
            last.pop(key, None)
        self.assertEqual(last, expected)

    def test_sqlite_holds_the_same_rows(self):
        for table, rows in self.tables.items():
            self.assertEqual(len(self.stored[table]), len(rows))
            for stored, row in zip(self.stored[table], rows):
                for value, text in zip(stored, row.values()):
                    if isinstance(value, (int, float)):
                        self.assertEqual(value, float(text))
                    else:
                        self.assertEqual(value or "", text)

    def test_churn_figures_are_those_of_evaluate(self):
        figures = self.page.table("churn-figures", 1)[0]
        model = re.search(r"\n  model +([\d.]+) +([\d.]+) +([\d.]+)", self.judged).groups()
        for shown, expected in zip(figures[1:4], model):
            self.assertAlmostEqual(float(shown), float(expected), delta=.0006)
        self.assertGreater(float(figures[1]), .7)
        self.assertGreater(float(figures[4]), 1.3)

    def test_a_state_gives_the_same_page_but_for_the_judgement(self):
        for section, (finding, tables) in self.page.sections.items():
            if section == "churn-figures":
                continue
            if section == "best":  # A state keeps no units of customers.
                tables = tables[:2]
            self.assertEqual(self.state_page.sections[section], [finding, tables], section)
        self.assertIn("--input", self.state_page.sections["churn-figures"][0])
        self.assertLess(self.bytes, 400_000)


if __name__ == "__main__":
    unittest.main(verbosity=2)
