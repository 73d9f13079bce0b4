"""What the page must show of Online Retail, wherever its service has it from: what `export`,
`inspect` and a recomputation from the CSV say. Tests subclass RetailScreens."""

import collections
import csv
import functools
import io
import json
import pathlib
import sys
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "realdata"))

import online_retail as retail  # noqa: E402
import page_test  # noqa: E402
from page_test import number  # noqa: E402

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
    "/rules": "/config",
    "/score": "/score",
    "/pipeline": "/pipeline",
}
WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
THOUSANDTHS = 1000.0


class RetailService:
    """An address with the page, and commands over the same state. `address`, `sheet` (the CSV) and
    `run(*arguments)` (standard output of the binary) are a subclass'."""

    def described(self):
        with urllib.request.urlopen(f"{self.address}/openapi.json") as response:
            return set(json.load(response)["paths"])

    @functools.cached_property
    def exported(self):
        return list(csv.DictReader(io.StringIO(self.run("export", "customers"))))

    @functools.cached_property
    def known(self):
        """Customer -> what the CSV says of all time."""
        invoices = retail.load_invoices(self.sheet)
        return retail.customers_at(invoices, retail.midnight("2012-01-01"))

    @functools.cached_property
    def sold(self):
        """Month, country, product and (weekday, hour) -> net in thousandths of a pound."""
        sums = {by: collections.Counter() for by in ("month", "country", "product", "hour")}
        time_of, last = retail.TimeOfText(), {}
        # Adjustments of bad debt are no sales.
        rows = [row for row in retail.rows(self.sheet) if not row["InvoiceNo"].startswith("A")]
        for row in rows:
            invoice = row["CustomerID"], row["InvoiceNo"]
            last[invoice] = max(last.get(invoice, 0), time_of(row["InvoiceDate"]))
        for row in rows:
            amount = int(row["Quantity"]) * round(float(row["UnitPrice"]) * THOUSANDTHS)
            # An invoice is of its last line; a line without a customer is of no invoice.
            at = last[row["CustomerID"], row["InvoiceNo"]]
            hours = (at if row["CustomerID"] else time_of(row["InvoiceDate"])) // 3_600_000
            weekday = (hours // 24 + 3) % 7 + 1  # 1970-01-01 was a Thursday.
            sums["month"][row["InvoiceDate"][:7]] += amount
            sums["country"][row["Country"]] += amount
            sums["product"][row["StockCode"]] += amount
            sums["hour"][weekday, hours % 24] += amount
        return sums


class RetailScreens(page_test.Browsing):
    def setUp(self):
        self.page = self.open_tab()

    def test_every_screen_is_drawn_without_a_fault(self):
        described = self.service.described()
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
                    self.assertEqual(self.faults, [])
                    self.assertEqual(self.elsewhere, [])

    def test_segments_are_those_of_the_export(self):
        for segmentation in ("rfm", "cluster", "churn"):
            self.page = self.open_tab()  # One that was open shows the figures before for a moment.
            self.show(f"/?seg={segmentation}")
            expected = collections.defaultdict(lambda: [0, 0.0])
            for row in self.service.exported:
                expected[row[segmentation]][0] += 1
                expected[row[segmentation]][1] += float(row["monetary"])
            rows = {row["name"]: row for row in self.csv("segments")}
            for name, (customers, monetary) in expected.items():
                self.assertEqual(int(rows[name]["customers"]), customers, name)
                self.assertAlmostEqual(float(rows[name]["monetary"]), monetary, places=3)
            # The export leaves out who never bought anything.
            buyers = sum(int(row["customers"]) for name, row in rows.items() if name != "none")
            self.assertEqual(buyers, len(self.service.exported))

    def test_customers_and_their_money_are_those_of_the_csv(self):
        known = self.service.known
        self.show("/")
        customers, worth = self.page.locator(".numbers dd").all_inner_texts()[:2]
        self.assertEqual(number(customers), len(known))
        net = sum(one.monetary("net") for one in known.values())
        self.assertAlmostEqual(number(worth), net / 10_000, delta=0.51)
        self.show("/customers?sort=monetary")
        best = sorted(known, key=lambda name: -known[name].monetary("net"))[:50]
        rows = self.csv("customers")
        self.assertEqual([row["customer_id"] for row in rows], best)
        for row in rows:
            expected = known[row["customer_id"]]
            self.assertEqual(int(row["frequency"]), expected.frequency, row)
            self.assertEqual(float(row["monetary"]), expected.monetary("net") / 10_000, row)

    def test_cohorts_are_those_of_the_csv(self):
        self.show("/retention?span=all")
        first = (retail.rfc3339(one.first) for one in self.service.known.values() if one.frequency)
        rows = {row["cohort"]: int(row["size"]) for row in self.csv("cohorts")}
        self.assertEqual(rows, dict(collections.Counter(time[:7] for time in first)))

    def test_the_grid_and_the_risks_hold_everybody(self):
        exported = self.service.exported
        self.show("/grid?seg=rfm")
        self.assertEqual(sum(int(row["customers"]) for row in self.csv("grid")), len(exported))
        self.show("/risk")
        risks = sum(bool(row["churn_risk"]) for row in exported)
        self.assertEqual(sum(int(row["customers"]) for row in self.csv("histogram")), risks)

    def test_a_customer_is_the_inspected_one(self):
        inspected = json.loads(self.service.run("inspect", "customer", "16330", "--json"))
        self.show("/c/16330?span=all")
        rows = self.csv("timeline")
        self.assertEqual(
            [(row["time"], float(row["amount"])) for row in rows],
            [(one["time"], float(one["amount"])) for one in inspected["ledger"]],
        )
        now = {row[0]: row[1] for row in self.table("now")}
        self.assertEqual(now, {name: one["segment"] for name, one in inspected["segments"].items()})

    def assert_net(self, shown, expected):
        self.assertEqual(set(shown), set(expected))
        for name, amount in expected.items():
            self.assertAlmostEqual(shown[name], amount / THOUSANDTHS, places=2, msg=name)

    def test_sales_are_those_of_the_csv(self):
        sold = self.service.sold
        self.show("/sales?span=all")

        def net(figure, name):
            return {name(row): float(row["net"]) for row in self.csv(figure)}

        self.assert_net(net("months", lambda row: row["month"]), sold["month"])
        self.assert_net(net("countries", lambda row: row["country"]), sold["country"])
        products = net("products", lambda row: row["stock_code"])
        best = sorted(sold["product"].values(), reverse=True)[: len(products)]
        self.assertEqual(len(products), 200)
        self.assert_net(products, {name: sold["product"][name] for name in products})
        for shown, expected in zip(sorted(products.values(), reverse=True), best, strict=True):
            self.assertAlmostEqual(shown, expected / THOUSANDTHS, places=2)
        days = dict(zip(WEEKDAYS, range(1, 8), strict=True))
        hours = net("hours", lambda row: (days[row["day"]], int(row["at"].split(":")[0])))
        self.assert_net(hours, sold["hour"])


def run(*arguments):
    return retail.command(*map(str, arguments))


def reason_to_skip(browsers):
    return browsers.missing() or (None if retail.ARCHIVE.exists() else "no data")


def new_sheet(folder):
    sheet = pathlib.Path(folder) / "online_retail.csv"
    retail.unpack(sheet)
    return sheet
