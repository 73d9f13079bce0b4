#!/usr/bin/env python3
"""The page in a real browser, over a service that never was (fake_service.py).

Skipped without Chromium, Playwright or the page.
"""

import collections
import csv
import io
import json
import pathlib
import re
import subprocess
import sys
import unittest
import urllib.request

import browser as browsers
from fake_service import TOKEN, FakeService
from fake_shop import Shop

AXE = browsers.BUILD / "page" / "node_modules" / "axe-core" / "axe.min.js"
# Name -> what is behind the #.
SCREENS = {
    "Overview": "/",
    "Moves": "/moves",
    "Moves of a cell": "/moves?from_segment=Champions&to_segment=Loyal",
    "Grid": "/grid",
    "Customers": "/customers?segment=Champions",
    "Customer": "/c/12004",
    "Sales": "/sales",
    "Retention": "/retention",
    "Risk": "/risk",
    "Models": "/models",
    "Cluster count": "/k",
    "Rules lab": "/rules",
    "Score": "/score",
    "Pipeline": "/pipeline",
}
SHOP = Shop()


def setUpModule():
    global context, chromium
    context = browsers.started()
    chromium = context.__enter__()


def tearDownModule():
    context.__exit__(None, None, None)


def number(text):
    """The number of a cell such as `£1,234.50`, `12 %` or `3.5 days`."""
    return float(re.sub(r"[^0-9.\-]", "", text.replace("−", "-")))


def faults_of_axe(page):
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:3]
    ]


class Browsing(unittest.TestCase):
    """A test of self.page over self.service."""

    def open_tab(self, **options):
        tab = chromium.new_context(viewport={"width": 1280, "height": 900}, **options)
        self.addCleanup(tab.close)
        page = tab.new_page()
        page.set_default_timeout(30_000)
        self.faults, self.elsewhere = [], []
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on(
            "console",
            lambda said: (
                self.faults.append(said.text) if said.type in ("error", "warning") else None
            ),
        )
        page.on(
            "request",
            lambda request: (
                None
                if request.url.startswith((self.service.address, "blob:", "data:"))
                else self.elsewhere.append(request.url)
            ),
        )
        return page

    def show(self, place, page=None, charts=True):
        page = page or self.page
        page.goto(f"{self.service.address}/#{place}")
        self.settled(page, charts)
        return page

    def settled(self, page, charts=True):
        page.wait_for_selector("main .panel, main .waiting")
        page.wait_for_selector("main .waiting", state="detached", timeout=120_000)
        page.wait_for_selector("main [aria-busy=true]", state="detached", timeout=120_000)
        if charts:
            self.until(
                "[...document.querySelectorAll('.chart')].every(one => one.dataset.drawn)", page
            )

    def until(self, expression, page=None):
        """Playwright's own waiting evaluates text in the page, which the page's policy refuses."""
        page = page or self.page
        for _ in range(1000):
            if page.evaluate(expression):
                return
            page.wait_for_timeout(30)
        self.fail(f"never true: {expression}")

    def answer(self, asked):
        """What a path or request is answered, once it is no longer in the making."""
        request = self.service.address + asked if isinstance(asked, str) else asked
        while True:
            with urllib.request.urlopen(request) as response:
                if response.status != 202:
                    return json.load(response)

    def figure(self, name, page=None):
        return (page or self.page).locator(f"#figure-{name}")

    def table(self, name):
        """The rows of a figure's table, as lists of texts."""
        figure = self.figure(name)
        toggle = figure.get_by_role("button", name="Table", exact=True)
        if toggle.count() and toggle.get_attribute("aria-pressed") == "false":
            toggle.click()
        more = figure.locator("button.quiet")
        if more.count():
            more.click()
        rows = figure.locator("tbody tr")
        return [row.locator("th, td").all_inner_texts() for row in rows.all()]

    def download(self, name, button):
        with self.page.expect_download() as download:
            self.figure(name).get_by_role("button", name=button, exact=True).click()
        return download.value

    def csv(self, name):
        data = pathlib.Path(self.download(name, "CSV").path()).read_bytes()
        self.assertEqual(data[:3], b"\xef\xbb\xbf")  # For Excel.
        text = data[3:].decode()
        return list(csv.DictReader(io.StringIO(text)))


class PageTest(Browsing):
    def setUp(self):
        self.service = FakeService(browsers.PAGE, shop=SHOP)
        self.addCleanup(self.service.stop)
        self.page = self.open_tab()


class EveryScreen(PageTest):
    def test_is_drawn_without_a_fault_and_is_accessible(self):
        for scheme in ("light", "dark"):
            page = self.open_tab(color_scheme=scheme)
            for name, place in SCREENS.items():
                with self.subTest(screen=name, scheme=scheme):
                    self.show(place, page)
                    headline = page.locator("h1").inner_text()
                    self.assertIn(headline.split()[0], name)
                    self.assertGreater(page.locator("figure").count(), 0)
                    self.assertEqual(faults_of_axe(page), [])
                    self.assertEqual(self.faults, [])
                    self.assertEqual(self.elsewhere, [])

    def test_tables_are_accessible_too(self):
        for name, place in SCREENS.items():
            with self.subTest(screen=name):
                self.show(place)
                for button in self.page.get_by_role("button", name="Table", exact=True).all():
                    button.click()
                self.assertEqual(self.page.locator(".chart").count(), 0)
                self.assertEqual(faults_of_axe(self.page), [])

    def test_every_figure_has_title_unit_and_as_of(self):
        for name, place in SCREENS.items():
            self.show(place)
            for figure in self.page.locator("figure").all():
                with self.subTest(screen=name, figure=figure.get_attribute("id")):
                    self.assertGreater(len(figure.locator("h2").inner_text()), 2)
                    meta = figure.locator(".meta span").all_inner_texts()
                    self.assertGreaterEqual(len(meta), 2)
                    if name != "Rules lab":
                        self.assertIn("as of 2024-12-10 12:00 UTC", meta[-1])

    def test_every_chart_gives_its_table_its_rows_its_picture_and_its_address(self):
        charts = 0
        for name, place in SCREENS.items():
            self.show(place)
            identities = [
                figure.get_attribute("id").removeprefix("figure-")
                for figure in self.page.locator("figure:has(.chart)").all()
            ]
            for identity in identities:
                with self.subTest(screen=name, figure=identity):
                    charts += 1
                    rows = self.csv(identity)
                    self.assertGreater(len(rows), 0)
                    picture = pathlib.Path(self.download(identity, "PNG").path()).read_bytes()
                    self.assertEqual(picture[:8], b"\x89PNG\r\n\x1a\n")
                    self.assertEqual(len(self.table(identity)), len(rows))
                    figure = self.figure(identity)
                    figure.get_by_role("button", name="Link", exact=True).click()
                    self.assertIn(f"figure={identity}", self.page.url)
                    self.assertIn(identity, self.page.url.split("table=")[1].split("&")[0])
        self.assertGreaterEqual(charts, 20)

    def test_fits_a_narrow_window(self):
        page = self.open_tab(is_mobile=False)
        page.set_viewport_size({"width": 400, "height": 800})
        for name, place in SCREENS.items():
            with self.subTest(screen=name):
                self.show(place, page)
                wide = page.evaluate("document.documentElement.scrollWidth")
                self.assertLessEqual(wide, 400)


class Figures(PageTest):
    def test_overview_equals_the_answer(self):
        self.show("/")
        expected = self.answer("/segments?segmentation=rfm")["segments"]
        rows = self.table("segments")
        self.assertEqual([row[0] for row in rows], [one["name"] for one in expected])
        for row, one in zip(rows, expected):
            self.assertEqual(number(row[1]), one["customers"])
            self.assertAlmostEqual(number(row[3]), one["monetary"], delta=0.006)
            self.assertAlmostEqual(number(row[2]) / 100, one["share"], delta=0.006)
            self.assertAlmostEqual(number(row[5]), one["orders"])
        total = sum(one["customers"] for one in expected)
        self.assertEqual(number(self.page.locator(".numbers dd").first.inner_text()), total)
        for row, one in zip(self.csv("segments"), expected):
            self.assertEqual(float(row["monetary"]), one["monetary"])
            self.assertEqual(row["action"], one["action"])

    def test_sizes_equal_the_answer(self):
        self.show("/?span=90")
        days = self.answer("/segments?segmentation=rfm&from=2024-09-12&to=2024-12-10")["days"]
        rows = self.csv("sizes")
        self.assertEqual([row["date"] for row in rows], [day["date"] for day in days])
        for row, day in zip(rows, days):
            for name, (customers, _) in day["segments"].items():
                self.assertEqual(float(row[name]), customers)

    def test_an_earlier_day_shows_its_own_sizes(self):
        self.show("/?from=2024-01-01&to=2024-06-30")
        day = self.answer("/segments?from=2024-06-30&to=2024-06-30")["days"][0]["segments"]
        for row in self.table("segments"):
            self.assertEqual(number(row[1]), day.get(row[0], [0])[0], row)
            self.assertEqual(row[5], "–")

    def test_an_earlier_day_shows_segments_that_nobody_is_in_now(self):
        self.show("/?seg=cluster&from=2022-12-15&to=2023-01-15")
        day = self.answer("/segments?segmentation=cluster&from=2023-01-15&to=2023-01-15")["days"][0]
        sizes = {row["name"]: int(row["customers"]) for row in self.csv("segments")}
        self.assertEqual({name: n for name, n in sizes.items() if n},
                         {name: cell[0] for name, cell in day["segments"].items()})
        self.assertEqual(list(day["segments"]), ["Unassigned"])
        total = number(self.page.locator(".numbers dd").first.inner_text())
        self.assertEqual(total, sizes["Unassigned"])

    def test_invoices_of_a_customer_are_those_of_the_dates(self):
        ledger = [one["time"] for one in self.answer("/customers/12004")["ledger"]]
        half = ledger[len(ledger) // 2][:10]
        self.show(f"/c/12004?from={half}&to=2024-12-10")
        within = [time for time in ledger if time[:10] >= half]
        self.assertTrue(0 < len(within) < len(ledger))
        self.assertEqual([row["time"] for row in self.csv("timeline")], within)
        note = self.figure("timeline").locator(".note").inner_text()
        left = len(ledger) - len(within)
        self.assertRegex(note, f"^{left} invoices? .* of other dates not shown")
        self.show("/c/12004?from=2020-01-01&to=2020-12-31")
        self.assertEqual(self.figure("timeline").locator(".chart").count(), 1)
        self.assertEqual(self.csv("timeline"), [])

    def test_money_of_a_customer_is_of_its_kind(self):
        made = self.service.made
        for kind, words in (("net", "GBP, net of returns"), ("gross", "returns not taken off")):
            self.service.made = lambda path, asked: made(path, asked) | (
                {"monetary_kind": kind} if path.startswith("/customers/") else {}
            )
            self.service.kept = {}
            self.page = self.open_tab()
            self.show("/c/12004")
            self.assertIn(words, self.page.locator(".numbers").inner_text())

    def test_moves_equal_the_answer(self):
        self.show("/moves?from=2024-03-01&to=2024-09-01")
        answer = self.answer("/transitions?from=2024-03-01&to=2024-09-01")
        net = {
            (one["from"], one["to"]): one["customers"]
            for one in answer["net"]
            if one["from"] != one["to"]
        }
        rows = {(row["from"], row["to"]): float(row["customers"]) for row in self.csv("matrix")}
        self.assertEqual(rows, net)
        links = {(row["from"], row["to"]): float(row["customers"]) for row in self.csv("sankey")}
        self.assertEqual(len(links), 13)
        self.assertEqual(sum(links.values()), sum(net.values()))
        self.page.get_by_label("Count").select_option("gross")
        gross = {}
        for flow in answer["flows"]:
            gross[flow["from"], flow["to"]] = (
                gross.get((flow["from"], flow["to"]), 0) + flow["moves"]
            )
        rows = {(row["from"], row["to"]): float(row["moves"]) for row in self.csv("matrix")}
        self.assertEqual(rows, gross)

    def test_a_cell_leads_to_its_customers_and_to_one_of_them(self):
        self.show("/moves")
        self.figure("matrix").get_by_role("button", name="Table", exact=True).click()
        row = self.figure("matrix").locator("tbody tr").first
        start, end, amount = row.locator("th, td").all_inner_texts()[:3]
        row.get_by_role("link").first.click()
        self.figure("cell").wait_for()
        title = self.figure("cell").locator("h2").inner_text()
        self.assertEqual(title, f"{start} → {end}: {amount} customers")
        self.until("document.activeElement.id === 'figure-cell'")
        first = self.figure("cell").get_by_role("link").nth(1)
        name = first.inner_text()
        first.click()
        self.until(f"document.title.startsWith('Customer {name}')")
        self.figure("history").wait_for()
        moves = self.answer(f"/customers/{name}")["history"]
        self.assertEqual(len(self.table("history")), len(moves))

    def test_sales_equal_the_answer(self):
        self.show("/sales?span=all")
        answer = self.answer("/sales")
        for name, key in (("months", "month"), ("countries", "country"), ("days", "date")):
            rows = {row[key]: row for row in self.csv(name)}
            self.assertEqual(len(rows), len(answer[{"days": "days"}.get(name, name)]))
            for one in answer[name]:
                for sum_of in ("gross", "credits", "net", "invoices", "unnamed_records"):
                    self.assertEqual(float(rows[one[key]][sum_of]), one[sum_of], (name, one))
        self.assertEqual(len(self.csv("hours")), len(answer["hours"]))
        self.assertEqual(len(self.csv("products")), len(answer["products"]))
        net = sum(one["net"] for one in answer["months"])
        self.assertAlmostEqual(
            number(self.page.locator(".numbers dd").first.inner_text()), net, delta=0.51
        )

    def test_sums_of_whole_months_say_so_and_are_compared_with_such(self):
        self.show("/sales?from=2024-05-10&to=2024-05-20")
        answer = self.answer("/sales?from=2024-05-10&to=2024-05-20")
        for name in ("hours", "products"):
            meta = self.figure(name).locator(".meta").inner_text()
            self.assertIn("2024-05-10 to 2024-05-20, whole months", meta)
        tiles = self.page.locator(".numbers dt").all_inner_texts()
        self.assertIn("Without a product, whole months", tiles)
        net = sum(one["net"] for one in answer["hours"])
        share = 100 * answer["products"][0]["net"] / net
        self.assertIn(f", {share:.0f} % of all", self.figure("products").locator("h2").inner_text())

    def test_retention_equals_the_answer_and_says_what_is_not_over(self):
        self.show("/retention?span=all")
        answer = self.answer("/retention")
        expected = [
            (cohort["month"], month["month"], month["buyers"], month["complete"])
            for cohort in answer["cohorts"]
            for month in cohort["months"]
        ]
        rows = [
            (row["cohort"], row["month"], int(row["buyers"]), row["state"] == "over")
            for row in self.csv("cohorts")
        ]
        self.assertEqual(rows, expected)
        self.assertIn("not over", self.figure("cohorts").locator(".note").inner_text())
        lost = [(row["month"], int(row["lost"])) for row in self.csv("lost")]
        self.assertEqual(lost, [(one["month"], one["lost"]) for one in answer["lost"]])

    def test_dates_are_obeyed_by_retention_and_models(self):
        self.show("/retention?from=2024-03-01&to=2024-08-31")
        months = {row["cohort"] for row in self.csv("cohorts")}
        self.assertEqual((min(months), max(months)), ("2024-03", "2024-08"))
        self.show("/models?from=2024-03-01&to=2024-03-31")
        self.assertEqual(len(self.csv("versions")), 31)

    def test_lists_that_are_cut_say_of_how_many_they_are(self):
        self.show("/models?span=all")
        title = self.figure("versions").locator("h2").inner_text()
        self.assertEqual(title, "500 of the newest 500 model versions took effect")
        total = self.answer("/model")["total"]
        note = self.page.locator("main > .note").inner_text()
        self.assertIn(f"the newest 500 of {total} versions", note)
        self.show("/models?from=2024-03-01&to=2024-03-31")
        title = self.figure("versions").locator("h2").inner_text()
        self.assertEqual(title, "31 model versions took effect")
        self.assertEqual(self.page.locator("main > .note").count(), 0)
        self.show("/retention?orders=20")
        title = self.figure("spends-less").locator("h2").inner_text()
        listed = self.answer("/retention")["spends_less"]
        self.assertIn(f" of the {len(listed)} listed buy often but spend less", title)
        made = self.service.made
        few = {"spends_less": [one | {"frequency": 8} for one in listed]}
        self.service.made = lambda path, asked: made(path, asked) | (
            few if path == "/retention" else {}
        )
        self.service.kept = {}
        self.page = self.open_tab()
        self.show("/retention?orders=20")
        said = self.figure("spends-less").locator(".empty").inner_text()
        self.assertIn(f"None of the {len(listed)} who leave most money missing has 20", said)

    def test_each_churn_model_is_there_once_with_what_came_of_it(self):
        self.show("/models?span=all")
        models = []
        for version in self.answer("/model")["versions"]:
            if version.get("churn") and (not models or models[-1] != version["churn"]):
                models.append(version["churn"])
        judged = [one for one in models if "auc" in one]
        self.assertTrue(0 < len(judged) < len(models))
        rows = self.csv("churn")[::-1]
        for key in ("auc", "brier", "calibration_error", "gone_share", "nbd_alpha_days"):
            with self.subTest(key):
                self.assertEqual(
                    [row[key] and float(row[key]) for row in rows],
                    [float(f"{one[key]:.12g}") if key in one else "" for one in models],
                )
        self.assertIn(
            f"in {judged[-1]['auc'] * 100:.0f} % of pairs", self.figure("churn").inner_text()
        )

    def test_dead_letters_say_where_the_last_one_is_and_how_to_read_them(self):
        self.show("/pipeline")
        told = self.answer("/pipeline")["dead_letters"]
        self.assertEqual(
            [list(row.values()) for row in self.csv("dead-letters")],
            [[one["reason"], str(one["records"]), one["sample"]] for one in told],
        )
        note = self.figure("dead-letters").locator(".note").inner_text()
        self.assertIn("rfmstream tail --topic dead-letters --from-beginning", note)

    def test_risk_grid_and_customers_equal_the_answers(self):
        self.show("/risk")
        answer = self.answer("/risk")
        rows = self.csv("histogram")
        self.assertEqual(
            [float(row["value_at_risk"]) for row in rows],
            [one["value_at_risk"] for one in answer["histogram"]],
        )
        self.show("/grid")
        cells = self.answer("/grid")["cells"]
        self.assertEqual(
            sorted(
                (int(row["score_r"]), int(row["score_fm"]), int(row["customers"]))
                for row in self.csv("grid")
            ),
            sorted((*one["scores"], one["customers"]) for one in cells),
        )
        self.show("/customers?sort=churn_risk&page=2")
        answer = self.answer("/customers?sort=churn_risk&page=1&size=50")
        self.assertEqual(
            [row[0] for row in self.table("customers")],
            [one["customer_id"] for one in answer["customers"]],
        )

    def test_a_cell_of_the_grid_with_less_than_nothing_has_a_colour_too(self):
        made = self.service.made
        cell = {"scores": [5, 5], "segment": "Champions", "customers": 1, "monetary": -50.0}
        cells = {"cells": [cell | {"monetary_median": None}]}
        self.service.made = lambda path, asked: made(path, asked) | (
            cells if path == "/grid" else {}
        )
        pale = [255 + round((part - 255) * 0.35) for part in (0x1F, 0x8A, 0x4C)]
        for measure in ("money", "median"):
            self.page = self.open_tab(color_scheme="light")
            self.show(f"/grid?of={measure}")
            found = self.page.evaluate(
                """colour => {
                     const canvas = document.querySelector('#figure-grid canvas');
                     const { data } = canvas.getContext('2d')
                       .getImageData(0, 0, canvas.width, canvas.height);
                     let pixels = 0;
                     for (let at = 0; at < data.length; at += 4)
                       pixels += colour.every((part, place) => data[at + place] === part);
                     return pixels;
                   }""",
                pale,
            )
            self.assertGreater(found, 10_000, measure)

    def test_cluster_counts_equal_the_answer_and_say_whether_they_agree(self):
        self.show("/k")
        answer = self.answer("/k")
        for row, one in zip(self.csv("k"), answer["k"], strict=True):
            for key, value in one.items():
                self.assertEqual(row[key], "" if value is None else f"{value:g}", key)
        title = self.figure("k").locator("h2").inner_text()
        self.assertEqual(title, "5 of 6 criteria are best at 2 clusters")
        self.assertIn(answer["words"], self.figure("k").locator(".note").inner_text())
        rows = self.csv("axes")
        self.assertEqual([float(row["frequency_share"]) for row in rows][:2], [1, 0.25])

    def test_score_asks_for_what_is_typed(self):
        self.show("/score")
        self.page.get_by_label("Silent for (days)").fill("200")
        self.page.get_by_label("Silent for (days)").press("Enter")
        self.until("location.hash.includes('recency_days=200')")
        self.until("/Hibernating|At Risk/.test(document.querySelector('.numbers').innerText)")
        answer = self.answer(
            "/score?recency_days=200&frequency=3&monetary=500&first_purchase_days=200"
        )
        shown = self.page.locator(".numbers dd").all_inner_texts()
        self.assertEqual(shown[:3], [one["segment"] for one in answer["segments"]])

    def test_pictures_are_whole(self):
        self.show("/")
        for name in ("segments", "sizes", "actionable"):
            path = self.download(name, "PNG").path()
            data = pathlib.Path(path).read_bytes()
            self.assertEqual(data[:8], b"\x89PNG\r\n\x1a\n")
            width = int.from_bytes(data[16:20], "big")
            self.assertGreater(width, 2000)
            self.assertGreater(len(data), 20_000, name)

    def test_a_picture_of_a_narrow_window_has_its_whole_line(self):
        heights = []
        for width in (1280, 400):
            self.page.set_viewport_size({"width": width, "height": 900})
            self.show("/moves")
            self.page.evaluate(
                """() => {
                   window.said = [];
                   const draw = CanvasRenderingContext2D.prototype.fillText;
                   CanvasRenderingContext2D.prototype.fillText = function (...all) {
                     if (this.font.startsWith('24px')) {
                       const fits = all[1] + this.measureText(all[0]).width <= this.canvas.width;
                       window.said.push([all[0], fits]);
                     }
                     draw.apply(this, all);
                   };
                 }"""
            )
            self.download("reasons", "PNG")
            said = self.page.evaluate("window.said")
            self.assertTrue(all(fits for _, fits in said), said)
            self.assertIn("as of 2024-12-10 12:00 UTC", " ".join(line for line, _ in said))
            heights.append(len(said))
            self.page.reload()
        self.assertEqual(heights[0], 1)
        self.assertGreater(heights[1], 1)

    def test_one_fit_is_a_table(self):
        self.show("/models?from=2024-05-01&to=2024-05-07")
        self.assertEqual(len(self.csv("fits")), 1)
        self.assertEqual(self.figure("fits").locator(".chart").count(), 0)
        self.assertEqual(self.figure("fits").locator("tbody tr").count(), 1)

    def test_what_a_legend_leaves_out_stays_out(self):
        self.show("/sales")
        canvas = self.figure("months").locator("canvas").first
        blue = """one => {
          const { data } = one.getContext('2d').getImageData(0, 40, one.width, one.height - 40);
          let pixels = 0;
          for (let at = 0; at < data.length; at += 4)
            pixels += data[at] === 0x17 && data[at + 1] === 0x57 && data[at + 2] === 0xa6;
          return pixels;
        }"""
        self.assertGreater(canvas.evaluate(blue), 10_000)
        canvas.click(position={"x": 12, "y": 13})  # “Sold”.
        self.page.wait_for_timeout(300)
        self.assertEqual(canvas.evaluate(blue), 0)
        self.page.get_by_label("Colours").select_option("light")  # Draws all again.
        self.page.wait_for_timeout(300)
        self.assertEqual(canvas.evaluate(blue), 0)

    def test_a_formula_is_not_given_to_a_spreadsheet(self):
        made = self.service.made

        def with_formula(path, asked):
            answer = json.loads(json.dumps(made(path, asked)))
            if path == "/sales":
                answer["products"][0]["description"] = '=HYPERLINK("x")'
            return answer

        self.service.made = with_formula
        self.show("/sales")
        self.assertEqual(self.csv("products")[0]["description"], '\'=HYPERLINK("x")')


class Address(PageTest):
    def test_holds_what_is_chosen(self):
        self.show("/moves")
        self.page.get_by_label("Segmentation").select_option("cluster")
        self.page.get_by_label("Dates").select_option("30")
        self.page.get_by_label("Cells").select_option("from")
        self.figure("reasons").get_by_role("button", name="Table", exact=True).click()
        address = self.page.url
        for part in ("seg=cluster", "span=30", "base=from", "table=reasons"):
            self.assertIn(part, address)
        self.settled(self.page)
        seen = self.page.locator("main").inner_text()
        other = self.open_tab()
        other.goto(address)
        self.settled(other)
        self.assertEqual(other.locator("main").inner_text(), seen)
        self.assertEqual(other.get_by_label("Segmentation").input_value(), "cluster")

    def test_dates_go_along_from_screen_to_screen(self):
        self.show("/?from=2024-02-01&to=2024-05-31&seg=churn")
        for name in ("Moves", "Sales", "Retention"):
            self.page.get_by_role("navigation", name="Screens").get_by_role(
                "link", name=name
            ).click()
            self.settled(self.page)
            self.assertEqual(self.page.get_by_label("From", exact=True).input_value(), "2024-02-01")
        self.page.go_back()
        self.until("document.title.startsWith('Sales')")
        self.assertIn("from=2024-02-01", self.page.url)

    def test_typed_dates_are_asked_for(self):
        self.show("/")
        self.page.get_by_label("From", exact=True).fill("2024-10-01")
        self.page.get_by_label("From", exact=True).blur()
        self.until("location.hash.includes('from=2024-10-01')")
        self.page.wait_for_timeout(300)
        asked = [path for path in self.service.asked if "from=2024-10-01&to=2024-12-10" in path]
        self.assertEqual({path.split("?")[0] for path in asked}, {"/segments", "/transitions"})

    def test_a_date_that_is_typed_leaves_the_other_one(self):
        self.show("/?from=2024-02-01&to=2024-11-30")
        start, end = (self.page.get_by_label(name, exact=True) for name in ("From", "To"))
        end.focus()
        self.page.keyboard.type("10252024", delay=20)
        self.until("location.hash.includes('to=2024-10-25')")
        self.assertEqual(start.input_value(), "2024-02-01")
        self.assertIn("from=2024-02-01", self.page.url)
        start.focus()
        self.page.keyboard.type("11052024", delay=20)
        self.page.wait_for_timeout(100)
        self.assertEqual(end.input_value(), "2024-10-25")
        self.page.evaluate("location.hash += '&table=sizes'")  # Drawn again, as with new figures.
        self.figure("sizes").locator("table").wait_for()
        self.assertEqual(start.input_value(), "2024-11-05")
        start.blur()  # Whole now, and after the other one.
        self.until("location.hash.includes('from=2024-11-05&to=2024-11-05')")

    def test_any_id_and_any_rules_go_through_it(self):
        name = "a/b?c#d %é"
        self.show("/")
        self.page.get_by_label("Customer id").fill(name)
        self.page.get_by_role("button", name="Find").click()
        self.page.wait_for_selector(".problem")
        self.assertEqual(self.page.locator("h1").inner_text(), f"Customer {name}")
        asked = [one.split("?")[0] for one in self.service.asked]
        self.assertIn("/customers/a%2Fb%3Fc%23d%20%25%C3%A9", asked)
        self.show("/rules")
        self.page.get_by_role("textbox", name="Settings").fill('[x]\ny = "&=#"\n')
        self.page.reload()
        self.settled(self.page)
        self.assertEqual(
            self.page.get_by_role("textbox", name="Settings").input_value(), '[x]\ny = "&=#"\n'
        )

    def test_an_unknown_screen_leads_back(self):
        self.show("/nothing")
        self.assertIn("no such screen", self.page.locator("main").inner_text())
        self.page.get_by_role("link", name="To the overview").click()
        self.until("document.title.startsWith('Overview')")


class Keyboard(PageTest):
    def focused(self):
        return self.page.evaluate(
            "document.activeElement.innerText || document.activeElement.tagName"
        )

    def test_leads_to_everything(self):
        self.show("/")
        self.page.keyboard.press("Tab")
        self.assertIn("Skip to the figures", self.focused())
        self.page.keyboard.press("Enter")
        self.assertEqual(self.page.evaluate("document.activeElement.id"), "main")
        for _ in range(30):
            self.page.keyboard.press("Tab")
            if self.focused() == "Table":
                break
        self.assertEqual(self.focused(), "Table")
        self.page.keyboard.press("Space")
        self.figure("segments").locator("table").wait_for()
        for _ in range(12):
            self.page.keyboard.press("Tab")
            if self.focused() == "Champions":
                break
        self.page.keyboard.press("Enter")
        self.until("document.title.startsWith('Customers')")
        self.settled(self.page)
        self.assertEqual(self.page.evaluate("document.activeElement.tagName"), "H1")

    def test_shortcuts_lead_to_screens_and_to_the_search(self):
        self.show("/")
        self.page.keyboard.press("Alt+Shift+KeyS")
        self.until("document.title.startsWith('Sales')")
        self.page.keyboard.press("Alt+Shift+KeyF")
        self.assertEqual(self.page.evaluate("document.activeElement.id"), "find")
        self.page.keyboard.type("12004\n")
        self.until("document.title.startsWith('Customer 12004')")

    def test_focus_is_seen(self):
        self.show("/")
        button = self.figure("segments").get_by_role("button", name="CSV")
        self.page.keyboard.press("Tab")
        button.focus()
        self.assertIn("3px", button.evaluate("one => getComputedStyle(one).outline"))


class Looks(PageTest):
    def background(self):
        return self.page.evaluate("getComputedStyle(document.body).backgroundColor")

    def test_a_chosen_theme_stays(self):
        self.show("/")
        light = self.background()
        self.page.get_by_label("Colours").select_option("dark")
        dark = self.background()
        self.assertNotEqual(light, dark)
        self.page.reload()
        self.assertEqual(self.background(), dark)
        self.page.get_by_label("Colours").select_option("system")
        self.assertEqual(self.background(), light)

    def test_paper_is_light_and_without_what_is_pressed(self):
        self.page = self.open_tab(color_scheme="dark")
        self.show("/")
        self.page.evaluate("dispatchEvent(new Event('beforeprint'))")
        self.page.emulate_media(media="print")
        self.assertEqual(self.page.evaluate("document.documentElement.dataset.theme"), "light")
        for hidden in ("header nav", ".tools", ".controls"):
            self.assertFalse(self.page.locator(hidden).first.is_visible(), hidden)
        self.assertTrue(self.figure("segments").is_visible())
        self.assertGreater(len(self.page.pdf()), 20_000)


    def test_a_matrix_is_on_one_canvas_which_paper_shows_alone(self):
        self.show("/moves")
        self.page.emulate_media(media="print")
        drawn = self.page.evaluate(
            """[...document.querySelectorAll('#figure-matrix canvas')].map(one => [
                 getComputedStyle(one).display !== 'none',
                 one.getContext('2d').getImageData(0, 0, one.width, one.height).data.some(Boolean),
               ])"""
        )
        self.assertEqual(drawn, [[True, True]] + [[False, False]] * (len(drawn) - 1))

    def test_a_long_table_begins_on_the_first_page(self):
        self.show("/customers")
        self.page.emulate_media(media="print")
        panel = self.page.locator("figure").first
        self.assertEqual(panel.evaluate("one => getComputedStyle(one).breakInside"), "auto")


class Emptiness(PageTest):
    def emptied(self, path, *keys):
        """All answers of `path` have these lists empty from now on."""
        made = self.service.made

        def less(asked_path, asked):
            answer = made(asked_path, asked)
            return answer | {key: [] for key in keys} if asked_path == path else answer

        self.service.made = less

    def test_a_service_that_has_read_nothing_says_how_to_begin(self):
        self.service.empty = True
        for place in ("/", "/moves", "/sales", "/c/1"):
            self.show(place)
            self.assertIn("There is no customer yet", self.page.locator("main").inner_text())
        self.show("/pipeline")
        self.assertIn("No record has been read yet", self.page.locator("main").inner_text())
        self.assertEqual(self.faults, [])

    def test_every_figure_says_what_is_missing(self):
        for place, path, keys, figure, words in (
            ("/", "/segments", ["days"], "sizes", "Choose longer ones"),
            ("/", "/transitions", ["days"], "actionable", "Nobody changed the segment"),
            ("/moves", "/transitions", ["net", "flows"], "matrix", "changed and came back"),
            ("/sales", "/sales", ["months"], "months", "Nothing was sold"),
            (
                "/retention",
                "/retention",
                ["cohorts"],
                "cohorts",
                "Nobody bought for the first time",
            ),
            ("/retention", "/retention", ["lost"], "lost", "silent for 90 days"),
            ("/risk", "/risk", ["histogram"], "histogram", "no churn risks yet"),
            ("/risk", "/risk", ["calibration"], "calibration", "old enough to be judged"),
            ("/models", "/model", ["versions"], "clusters", "No version has clusters yet"),
            ("/grid?seg=cluster", "", [], "grid", "distances to centroids"),
            (
                "/pipeline",
                "/pipeline",
                ["dead_letters"],
                "dead-letters",
                "every record could be used",
            ),
            ("/rules", "", [], "dry-run", "Nothing has been tried yet"),
            (
                "/customers?segment=New",
                "/customers",
                ["customers"],
                "customers",
                "No customer is in New",
            ),
        ):
            with self.subTest(figure=figure):
                self.service.stop()
                self.service = FakeService(browsers.PAGE, shop=SHOP)
                self.addCleanup(self.service.stop)
                self.emptied(path, *keys)
                self.show(place)
                self.assertIn(words, self.figure(figure).locator(".empty").inner_text())
        self.assertEqual(self.faults, [])


    def test_a_title_over_nothing_claims_nothing(self):
        for place, path, keys, titles in (
            ("/sales", "/sales", ["concentration", "days"],
             {"concentration": "What the best customers bring", "days": "Sales by day"}),
            ("/retention", "/retention", ["lost"], {"lost": "Customers lost and regained"}),
            ("/moves", "/transitions", ["net"], {"sankey": "The largest moves"}),
            ("/risk", "/risk", ["histogram"],
             {"histogram": "Customers by risk", "bands": "Value at risk by band",
              "top": "Customers with most at risk"}),
        ):
            self.emptied(path, *keys)
            self.show(place)
            for figure, title in titles.items():
                with self.subTest(figure=figure):
                    self.assertEqual(self.figure(figure).locator("h2").inner_text(), title)
        tiles = self.page.locator(".numbers dd").all_inner_texts()
        self.assertEqual([tile.strip() for tile in tiles], ["–", "–", "–"])

    def test_a_choice_that_empties_a_figure_can_be_taken_back(self):
        made = self.service.made
        self.service.made = lambda path, asked: made(path, asked) | (
            {"net": [], "flows": [], "days": []} if asked.get("reason") == "return" else {}
        )
        self.show("/moves?reason=return")
        self.figure("matrix").locator(".empty").wait_for()
        self.assertEqual(self.figure("matrix").get_by_role("button").count(), 0)
        self.assertIn("for this reason", self.figure("matrix").inner_text())
        counted = self.figure("matrix").get_by_label("Count")
        self.assertEqual(counted.locator("option").all_inner_texts(), ["every move (gross)"])
        self.figure("matrix").get_by_label("Reason").select_option("")
        self.figure("matrix").locator(".chart").wait_for()
        self.assertGreater(len(self.csv("matrix")), 0)


class Troubles(PageTest):
    def test_refusals_are_told_apart(self):
        for status, words in (
            (503, "cannot answer yet"),
            (403, "does not allow"),
            (401, "token is needed"),
            (500, "answered with an error (500)"),
        ):
            with self.subTest(status=status):
                page = self.page = self.open_tab()
                self.service.faults = {"/sales": status}
                self.show("/sales")
                said = page.get_by_role("alert").inner_text()
                self.assertIn(words, said)
                self.assertIn(f"told to answer {status}", said)
                self.service.faults = {}
                # It is asked again by itself too, and the button gone then.
                page.evaluate("document.querySelector('[role=alert] button')?.click()")
                self.figure("months").wait_for()

    def test_what_of_an_address_cannot_be_is_said(self):
        for place, said in (
            ("/sales?from=garbage", "“garbage” in the address is not a date"),
            ("/sales?from=2024-02-30x", "is not a date"),
            ("/sales?from=2024-05-02&to=2024-05-01", "2024-05-02, is after the last, 2024-05-01"),
            ("/score?recency_days=-5", "Silent for must be 0 to 36,500"),
            ("/score?frequency=0", "Orders must be 1 to 1,000"),
            ("/score?frequency=1.5", "Orders must be a whole number"),
        ):
            with self.subTest(place):
                self.page = self.open_tab()
                self.show(place)
                self.page.wait_for_selector(".trouble")
                self.assertIn(said, self.page.locator(".trouble").inner_text())
                self.assertEqual(self.faults, [])
                if "score" in place:
                    asked = [one.split("?")[0] for one in self.service.asked]
                    self.assertNotIn("/score", asked)
        self.page = self.open_tab()
        self.show("/customers?page=9999")
        self.page.get_by_role("heading", name="There is no such page").wait_for()
        asked = [one.split("?")[0] for one in self.service.asked]
        self.assertNotIn("/customers", asked)
        self.show("/c/%2012004%20")
        self.figure("now").wait_for()
        self.assertEqual(self.faults, [])
        self.show("/c/12004.0")
        self.page.get_by_role("link", name="12004", exact=True).click()
        self.figure("now").wait_for()

    def test_a_segmentation_that_is_not_there_is_said_and_another_shown(self):
        for place, figure in (("/", "segments"), ("/moves", "matrix"), ("/grid", "grid")):
            with self.subTest(place):
                self.page = self.open_tab()
                self.show(f"{place}?seg=former")
                self.figure(figure).wait_for()
                said = self.page.locator(".trouble").inner_text()
                self.assertIn("There is no segmentation “former”: shown is rfm", said)
                self.assertEqual(self.page.locator(".problem").count(), 0)
                self.assertEqual(self.page.get_by_label("Segmentation").input_value(), "rfm")
        self.page.get_by_label("Segmentation").select_option("churn")
        self.page.wait_for_selector(".trouble", state="detached")

    def test_figures_that_are_not_those_asked_for_say_so(self):
        self.show("/sales")
        self.service.faults = {"/sales": 503}
        self.page.get_by_label("Dates").select_option("90")
        self.figure("months").get_by_role("alert").wait_for()
        said = self.figure("months").get_by_role("alert").inner_text()
        self.assertIn("These are not the figures asked for", said)
        self.page = self.open_tab()
        self.service.faults = {}
        self.show("/sales")
        self.service.faults = {"/sales": 503}
        self.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # Asks again.
        self.figure("months").get_by_role("alert").wait_for()
        said = self.figure("months").get_by_role("alert").inner_text()
        self.assertIn("These are the last figures", said)

    def test_figures_of_the_dates_before_are_marked_until_the_others_are_there(self):
        self.page.clock.install()
        self.show("/sales")
        self.service.making = {"/sales"}
        self.page.get_by_label("Dates").select_option("90")
        figure = self.figure("months")
        figure.get_by_role("status").wait_for()
        self.assertIn("figures of before", figure.get_by_role("status").inner_text())
        self.assertEqual(figure.get_attribute("aria-busy"), "true")
        for name in ("CSV", "PNG"):
            self.assertTrue(figure.get_by_role("button", name=name, exact=True).is_disabled())
        self.service.making = set()
        self.page.clock.run_for(1_100)
        self.settled(self.page)
        self.assertEqual(figure.get_attribute("aria-busy"), "false")
        self.assertEqual(len(self.csv("months")), 4)

    def test_figures_that_begin_later_than_the_history_say_so(self):
        made = self.service.made
        since = {"since": "2024-05-01T00:00:00.000Z"}
        self.service.made = lambda path, asked: made(path, asked) | (
            since if path in ("/sales", "/transitions") else {}
        )
        for place in ("/sales", "/moves"):
            self.show(place)
            said = self.page.locator(".trouble").inner_text()
            self.assertIn("counted from 2024-05-01 00:00 UTC on", said)

    def test_figures_in_the_making_are_waited_for(self):
        self.page.clock.install()
        self.service.making = {"/risk"}
        self.page.goto(f"{self.service.address}/#/risk")
        self.page.get_by_text("The service counts").wait_for()
        self.assertEqual(self.page.get_by_role("alert").count(), 0)
        self.service.making = set()
        self.page.clock.run_for(1_100)
        self.figure("histogram").wait_for()

    def test_cluster_counts_in_the_making_are_waited_for(self):
        self.service.making = {"/k"}
        self.page.goto(f"{self.service.address}/#/k")
        self.page.get_by_text("takes some seconds").wait_for()
        self.service.making = set()
        self.figure("k").wait_for()

    def test_a_service_without_cluster_counts_says_what_is_missing(self):
        self.service.faults = {"/k": 404}
        self.show("/k")
        self.assertIn("no clusters to compare", self.page.get_by_role("alert").inner_text())

    def test_a_service_that_starts_is_waited_for(self):
        self.page.clock.install()
        self.service.faults = {"/pipeline": 503}
        self.page.goto(f"{self.service.address}/#/")
        self.page.get_by_role("alert").wait_for()
        self.service.faults = {}
        self.page.clock.run_for(11_000)
        self.figure("segments").wait_for()

    def test_an_unknown_customer_is_not_an_error_of_the_page(self):
        self.show("/c/nobody")
        self.assertIn("No customer with this id", self.page.get_by_role("alert").inner_text())
        self.assertEqual(self.faults, [])

    def test_a_lost_service_is_said_and_found_again(self):
        self.show("/")
        seen = self.figure("segments").locator("h2").inner_text()
        port = int(self.service.address.rsplit(":", 1)[1])
        self.page.clock.install()
        self.page.reload()
        self.figure("segments").wait_for()
        self.page.route("**/*", lambda route: route.abort("connectionrefused"))
        self.page.clock.run_for(6_000)
        self.page.wait_for_selector(".lost")
        self.assertEqual(self.figure("segments").locator("h2").inner_text(), seen)
        self.page.unroute_all()
        self.page.clock.run_for(31_000)
        self.page.wait_for_selector(".lost", state="detached")
        self.assertGreater(port, 0)

    def test_unchanged_figures_are_confirmed_and_their_lag_is_looked_at(self):
        self.page.clock.install()
        self.show("/")
        for _ in range(6):
            self.page.clock.run_for(5_500)
            self.page.wait_for_timeout(300)
        self.page.clock.run_for(1_000)
        age = number(self.page.locator(".age span").inner_text())
        self.assertLess(age, 12)
        self.assertEqual(self.page.locator(".age.old").count(), 0)
        self.show("/pipeline")
        rows = self.csv("lag")
        self.assertGreaterEqual(len(rows), 6)
        self.assertEqual({(row["lag"], row["lag_seconds"]) for row in rows}, {("12", "3.5")})

    def test_only_what_is_shown_is_asked_and_with_its_etag(self):
        self.page.clock.install()
        answered = collections.defaultdict(list)
        self.page.on("response", lambda one: answered[one.url].append(one.status))
        self.show("/")
        asked = set()
        self.page.on("request", lambda one: asked.add(one.url))
        for _ in range(2):
            self.page.clock.run_for(5_500)
            self.page.wait_for_timeout(500)
        paths = {url.replace(self.service.address, "").split("?")[0] for url in asked}
        self.assertEqual(paths, {"/pipeline", "/segments", "/transitions"})
        for url in asked:
            self.assertEqual(set(answered[url][1:]), {304}, url)


class Rules(PageTest):
    def test_are_tried_and_applied_with_the_token(self):
        self.show("/rules")
        self.assertTrue(self.page.get_by_role("button", name="Dry run").is_disabled())
        self.assertTrue(self.page.get_by_role("button", name="Apply").is_disabled())
        self.page.get_by_label("Token").fill(TOKEN)
        self.page.get_by_role("button", name="Dry run").click()
        self.figure("dry-run").locator("table").wait_for()
        title = self.figure("dry-run").locator("h2").inner_text()
        self.assertEqual(
            title,
            "4.0 % of 420 customers would move: 17; 9.5 transitions a day now, 7.25 then",
        )
        rows = self.csv("dry-run")
        self.assertEqual([int(row["customers"]) for row in rows], [14, 3])
        self.assertEqual([row["to"] for row in rows], ["At Risk", "Champions"])
        self.assertEqual(self.table("differences"), [["segmentation.rfm.stay", "8d", "14d"]])
        sample = self.figure("samples").get_by_role("link", name="12004").first
        self.assertEqual(sample.get_attribute("href"), "#/c/12004")
        self.page.on("dialog", lambda dialog: dialog.accept())
        self.page.get_by_role("button", name="Apply").click()
        self.page.wait_for_selector(".done")
        self.assertIn("asked for rules version 2", self.page.locator(".done").inner_text())
        self.assertNotIn(TOKEN, self.page.url)

    def test_without_a_token_how_to_get_one_is_said(self):
        made = self.service.made
        token = {"admin.token_file": {"value": "", "from": "default"}}
        self.service.made = lambda path, asked: made(path, asked) | (
            token if path == "/config" else {}
        )
        self.show("/rules")
        self.page.wait_for_selector(".lead")
        self.assertIn("admin.token_file=FILE", self.page.locator(".lead").inner_text())
        for name in ("Dry run", "Apply"):
            self.assertEqual(self.page.get_by_role("button", name=name).count(), 0)
        self.assertEqual(self.faults, [])

    def test_over_a_stored_state_nothing_is_applied(self):
        made = self.service.made
        self.service.made = lambda path, asked: made(path, asked) | (
            {"stored": True} if path == "/pipeline" else {}
        )
        self.show("/rules")
        self.page.get_by_role("button", name="Dry run").wait_for()
        self.assertEqual(self.page.get_by_role("button", name="Apply").count(), 0)

    def test_what_the_service_refuses_is_said(self):
        for rules, words in (
            ("nonsense", "line 1: a table is expected"),
            (
                "[segmentation.rfm]%0Astay = 0",
                "not a duration (segmentation.rfm.stay = 0). Allowed: a whole number with a unit",
            ),
        ):
            with self.subTest(rules=rules):
                self.page = self.open_tab()
                self.show(f"/rules?rules={rules}")
                self.page.get_by_label("Token").fill(TOKEN)
                self.page.get_by_role("button", name="Dry run").click()
                self.page.wait_for_selector(".trouble")
                self.assertIn(words, self.page.locator(".trouble").inner_text())

    def test_a_dry_run_that_is_counted_still_is_waited_for(self):
        self.service.making = {"/rules/dry-run"}
        self.show("/rules")
        self.page.get_by_label("Token").fill(TOKEN)
        self.page.get_by_role("button", name="Dry run").click()
        self.figure("dry-run").locator("table").wait_for()
        self.assertEqual(self.service.asked.count("/rules/dry-run"), 2)

    def test_a_result_is_shown_with_the_rules_that_it_is_of(self):
        self.page.clock.install()
        self.service.making = {"/rules/dry-run"}
        self.show("/rules")
        self.page.get_by_label("Token").fill(TOKEN)
        box = self.page.get_by_role("textbox", name="Settings")
        tried = box.input_value()
        with self.page.expect_response("**/rules/dry-run"):
            self.page.get_by_role("button", name="Dry run").click()
        box.fill("[segmentation.churn]\n")
        self.page.wait_for_timeout(200)
        self.page.clock.run_for(1_100)
        self.page.get_by_text("Trying").wait_for(state="detached")
        self.assertEqual(self.figure("differences").count(), 0)
        box.fill(tried)
        self.figure("differences").wait_for()

    def test_the_settings_can_be_emptied(self):
        self.show("/rules")
        box = self.page.get_by_role("textbox", name="Settings")
        box.fill("")
        self.page.wait_for_timeout(100)
        self.assertEqual(box.input_value(), "")
        self.page.reload()
        self.settled(self.page)
        self.assertEqual(box.input_value(), "")
        self.page.get_by_role("link", name="Begin anew").click()
        self.until("document.querySelector('textarea').value.includes('Fixed cuts')")

    def test_what_is_in_force_can_be_begun_with(self):
        self.show("/rules")
        begin = self.page.get_by_label("Begin with what is in force")
        begin.select_option("churn: map")
        self.until("location.hash.includes('churn')")
        self.assertEqual(
            self.page.get_by_role("textbox", name="Settings").input_value(),
            '[segmentation.churn]\nmap = [\n  {segment = "Low", risk = 2},\n'
            '  {segment = "High", risk = 1},\n]\n',
        )
        begin.select_option("churn: damping")
        self.until("location.hash.includes('stay')")
        self.assertEqual(
            self.page.get_by_role("textbox", name="Settings").input_value(),
            '[segmentation.churn]\nstay = "8d"\nguard = true\n',
        )
        self.page.go_back()
        self.until("location.hash.includes('map')")


class Bundle(unittest.TestCase):
    def test_types_are_right(self):
        where = browsers.BUILD / "page"
        done = subprocess.run(
            ["node", "node_modules/typescript/bin/tsc", "--noEmit"],
            cwd=where,
            capture_output=True,
            text=True,
        )
        self.assertEqual(done.returncode, 0, done.stdout)

    def test_licences_of_all_that_is_bundled_are_there(self):
        text = next(browsers.PAGE.glob("assets/licences.*.txt")).read_text()
        for name in ("echarts 6", "zrender", "preact", "tslib", "BSD 3-Clause", "MIT License"):
            self.assertIn(name, text)

    def test_is_small(self):
        size = sum(path.stat().st_size for path in browsers.PAGE.rglob("*.gz"))
        self.assertLess(size, 300_000)

    def test_names_no_other_host(self):
        for path in browsers.PAGE.rglob("*"):
            if path.suffix in (".html", ".css"):
                self.assertNotRegex(path.read_text(), r"https?://")


if __name__ == "__main__":
    reason = browsers.missing()
    if reason:
        print(f"skipped: {reason}")
        sys.exit(77)
    unittest.main(verbosity=2)
