#!/usr/bin/env python3
"""`rfmstream serve` over a small replayed state: each answer is what docs/openapi.json says, what
is hostile is refused, and customers agree with `inspect`."""

import datetime
import gzip
import json
import os
import pathlib
import random
import re
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request

import jsonschema

RFM = os.environ["RFM_BIN"]
SOURCE = pathlib.Path(os.environ["RFM_SOURCE_DIR"])
OPENAPI = json.loads((SOURCE / "docs/openapi.json").read_text())
START_S = 1_577_836_800  # 2020-01-01
DAY_S = 86_400
REASONS = set(OPENAPI["components"]["schemas"]["Error"]["properties"]["reason"]["enum"])
TOKEN = "0123456789abcdef-serve"
ODD_ID = "Zoë / 50% & co\u2028"


def history():
    """Invoices of half a year of 60 customers, who buy at their own pace."""
    rng = random.Random(1)
    events = []
    for customer in range(60):
        name = ODD_ID if customer == 0 else f"c{customer}"
        at = START_S + rng.randrange(20 * DAY_S)
        while at < START_S + 180 * DAY_S:
            events.append((at, name, rng.randrange(500, 50_000) / 100))
            at += int(rng.expovariate(1 / (rng.randrange(5, 60) * DAY_S))) + 60
    events.sort()
    for number, (at, customer, total) in enumerate(events):
        yield {
            "type": "credit" if number % 17 == 16 else "invoice",
            "invoice_no": str(number),
            "customer_id": customer,
            "invoice_time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)),
            "currency": "EUR",
            "country": ["France", "Italy"][number % 2],
            "total": total,
        }


def described(path, status, method):
    """What the document says of such an answer to a path of it; None: nothing."""
    said = OPENAPI["paths"][path][method]["responses"].get(str(status))
    if said and "$ref" in said:
        said = OPENAPI["components"]["responses"][said["$ref"].rpartition("/")[2]]
    return said


def day_number(date):
    return datetime.date.fromisoformat(date).toordinal()


class ServeTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.state = cls.folder.name + "/state"
        path = pathlib.Path(cls.folder.name, "history.jsonl")
        path.write_text("".join(json.dumps(event) + "\n" for event in history()))
        cls.settings = []
        for setting in (
            "input.currency=EUR",
            "sales.enabled=true",
            "moves.enabled=true",
            "model.population_on=20",
            "model.population_off=10",
            "model.cluster_history=7d",
        ):
            cls.settings += ["--set", setting]
        cls.replay(cls.state)
        token = pathlib.Path(cls.folder.name, "token")
        token.write_text(TOKEN + "\n")
        token.chmod(0o400)
        setting = f"admin.token_file={token}"
        cls.server, cls.lines, cls.port = cls.serve(cls.state, "--set", setting)

    @classmethod
    def replay(cls, state, *settings):
        path = pathlib.Path(cls.folder.name, "history.jsonl")
        subprocess.run(
            [RFM, "replay", "--input", path, "--state", state, "--format", "invoices"]
            + [*cls.settings, *settings],
            check=True,
            capture_output=True,
        )

    @staticmethod
    def serve(state, *settings):
        """The process, what it says once it has read the state, and its port."""
        server = subprocess.Popen(
            [RFM, "serve", "--state", state, "--listen", "127.0.0.1:0", *settings],
            stderr=subprocess.PIPE,
            text=True,
        )
        lines = [server.stderr.readline(), server.stderr.readline()]
        return server, lines, int(lines[0].rstrip().rstrip("/").rsplit(":", 1)[1])

    def test_a_token_that_others_can_write_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            token = pathlib.Path(folder, "token")
            token.write_text(TOKEN + "\n")
            for mode in (0o620, 0o602):
                token.chmod(mode)
                done = subprocess.run(
                    [RFM, "serve", "--state", self.state, "--listen", "127.0.0.1:0"]
                    + ["--set", f"admin.token_file={token}"],
                    capture_output=True,
                    text=True,
                    timeout=60,
                )
                self.assertEqual(done.returncode, 2, done.stderr)
                self.assertIn("others than its owner can write it", done.stderr)

    @classmethod
    def tearDownClass(cls):
        cls.server.terminate()
        rest = cls.server.communicate(timeout=30)[1]
        cls.folder.cleanup()
        logged = "".join(cls.lines) + rest
        assert cls.server.returncode == 0, logged
        assert ODD_ID not in logged and "c12" not in logged and TOKEN not in logged, logged

    def ask(self, path, headers=None, body=None, port=None):
        """Status, headers and body, as the document has them; asks again while the answer is in the
        making."""
        while True:
            request = urllib.request.Request(
                f"http://127.0.0.1:{port or self.port}{path}", headers=headers or {}, data=body
            )
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    status, kept, said = answer.status, answer.headers, answer.read()
            except urllib.error.HTTPError as error:
                status, kept, said = error.code, error.headers, error.read()
            self.check_described(request, status, kept, said)
            if status != 202:
                return status, kept, said

    def check_described(self, request, status, headers, body):
        """An answer is one of those that the document has for its path, of that shape."""
        path = request.selector.partition("?")[0]
        if path.startswith("/customers/"):
            path = "/customers/{id}"
        method = request.get_method().lower()
        if method not in OPENAPI["paths"].get(path, {}):
            return
        said = described(path, status, method)
        self.assertIsNotNone(said, f"{method} {path}: {status} is not in the document")
        if status == 304:
            self.assertNotIn("content", said)
            return
        kind = headers["Content-Type"].partition(";")[0]
        self.assertIn(kind, said["content"])
        if kind != "application/json" or "Content-Encoding" in headers:
            return
        answer = json.loads(body)
        self.check(path, answer, str(status), method)
        reasons = REASONS & set(re.findall("`([a-z_]+)`", said["description"]))
        if reasons:
            self.assertIn(answer["reason"], reasons)

    def get(self, path):
        status, _, body = self.ask(path)
        self.assertEqual(status, 200, body)
        return json.loads(body)

    def raw(self, data):
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.sendall(data)
            connection.settimeout(30)
            answer = b""
            while piece := connection.recv(65_536):
                answer += piece
            return answer

    def post(self, path, toml, token=TOKEN):
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        status, _, body = self.ask(path, headers, toml.encode())
        answer = json.loads(body)
        self.check(path, answer, str(status), "post")
        return status, answer

    def check(self, path, answer, status="200", method="get"):
        """Against the schema that the document has for the path."""
        schema = described(path, status, method)["content"]["application/json"]
        jsonschema.Draft202012Validator(
            {**schema["schema"], "components": OPENAPI["components"]}
        ).validate(answer)

    def test_the_document_is_served_as_it_is(self):
        self.assertEqual(self.get("/openapi.json"), OPENAPI)

    def test_each_answer_is_what_the_document_says(self):
        queries = {
            "/transitions": "reason=inactivity&from=2020-02-01&to=2020-03-01",
            "/score": "recency_days=12.5&frequency=4&monetary=512.25&first_purchase_days=90",
            "/customers": "sort=value_at_risk&size=7&page=1",
        }
        for path in OPENAPI["paths"]:
            if "{" in path or path == "/metrics" or "get" not in OPENAPI["paths"][path]:
                continue
            with self.subTest(path):
                self.check(path, self.get(path))
                if path in queries:
                    self.check(path, self.get(path + "?" + queries[path]))
        for segmentation in self.get("/segments")["segmentations"]:
            for path in ("/segments", "/grid", "/risk", "/customers"):
                with self.subTest(path + segmentation):
                    self.check(path, self.get(f"{path}?segmentation={segmentation}"))

    def test_refusals_of_every_path_are_in_the_document(self):
        for path, methods in OPENAPI["paths"].items():
            asked = path.replace("{id}", "c7")
            for method in set(methods) - {"parameters"}:
                with self.subTest(path, method=method):
                    body = b"" if method == "post" else None
                    status, _, answer = self.ask(asked, {"Host": "evil.example"}, body)
                    self.assertEqual(status, 403)
                    self.assertEqual(json.loads(answer)["reason"], "unknown_host")
            if "get" not in methods:
                continue
            with self.subTest(path):
                _, headers, _ = self.ask(asked)
                self.assertEqual("ETag" in headers, described(path, 304, "get") is not None)
                # By parameters that there are not.
                takes_any = path in ("/healthz", "/readyz", "/metrics", "/openapi.json")
                self.assertEqual(self.ask(asked + "?colour=red")[0], 200 if takes_any else 400)

    def test_what_is_not_kept_is_said(self):
        state = self.folder.name + "/bookless"
        self.replay(state, "--set", "sales.enabled=false", "--set", "moves.enabled=false")
        server, _, port = self.serve(state)
        try:
            for path in ("/sales", "/transitions", "/transitions/customers"):
                status, _, body = self.ask(path, port=port)
                self.assertEqual((status, json.loads(body)["reason"]), (404, "not_kept"))
            self.assertEqual(self.ask("/segments", port=port)[0], 200)
        finally:
            server.terminate()
            server.communicate(timeout=30)

    def test_a_customer_is_as_inspect_says(self):
        for customer in (ODD_ID, "c7"):
            answer = self.get("/customers/" + urllib.parse.quote(customer, safe=""))
            self.check("/customers/{id}", answer)
            shown = subprocess.run(
                [RFM, "inspect", "customer", customer, "--state", self.state, "--json"],
                check=True,
                capture_output=True,
            )
            expected = json.loads(shown.stdout)
            self.assertEqual({key: answer[key] for key in expected}, expected)

    def test_an_unknown_customer_is_empty_where_that_is_asked_for(self):
        self.assertEqual(self.ask("/customers/nobody")[0], 404)
        answer = self.get("/customers/nobody?missing=empty")
        self.assertEqual(answer, {})
        self.check("/customers/{id}", answer)
        known = self.get("/customers/c7?missing=empty")
        self.check("/customers/{id}", known)
        self.assertEqual(known, self.get("/customers/c7"))
        self.assertEqual(self.ask("/customers/c7?missing=404")[0], 400)

    def test_pages_of_customers_are_all_of_them_in_order(self):
        found = []
        while True:
            page = self.get(f"/customers?size=9&page={len(found) // 9}")
            found += page["customers"]
            if len(page["customers"]) < 9:
                break
        self.assertEqual(len({c["customer_id"] for c in found}), 60)
        self.assertEqual(page["total"], 60)
        money = [c["monetary"] for c in found]
        self.assertEqual(money, sorted(money, reverse=True))
        segments = self.get("/segments?segmentation=rfm")
        for segment in segments["segments"]:
            name = urllib.parse.quote(segment["name"])
            listed = self.get(f"/customers?segmentation=rfm&segment={name}&size=100")
            self.assertEqual(listed["total"], segment["customers"])
            total = sum(c["monetary"] for c in listed["customers"])
            self.assertAlmostEqual(total, segment["monetary"], places=3)
        self.assertEqual(segments["customers"], 60)
        self.assertEqual(sum(s["customers"] for s in segments["segments"]), 60)

    def test_sales_are_those_of_the_history(self):
        answer = self.get("/sales")
        events = list(history())
        gross = sum(e["total"] for e in events if e["type"] == "invoice")
        credits = sum(e["total"] for e in events if e["type"] == "credit")
        for part in ("days", "countries", "months", "hours"):
            with self.subTest(part):
                self.assertAlmostEqual(sum(line["gross"] for line in answer[part]), gross, 3)
                self.assertAlmostEqual(sum(line["credits"] for line in answer[part]), credits, 3)
        day = events[0]["invoice_time"][:10]
        first = self.get(f"/sales?from={day}&to={day}")["days"]
        self.assertEqual([line["date"] for line in first], [day])
        buyers = {
            e["customer_id"]
            for e in events
            if e["invoice_time"][:10] == day and e["type"] == "invoice"
        }
        self.assertEqual(first[0]["customers"], len(buyers))

    def test_stocks_flows_and_histories_are_of_the_same_moves(self):
        segments = self.get("/segments?segmentation=rfm")
        last = segments["days"][-1]["segments"]
        for segment in segments["segments"]:
            if segment["name"] == "none":
                continue
            self.assertEqual(last[segment["name"]][0], segment["customers"])
            self.assertAlmostEqual(last[segment["name"]][1], segment["monetary"], 3)
        since = "from=2020-01-01"
        moves = self.get(f"/transitions?segmentation=rfm&{since}")
        flows = sum(flow["moves"] for flow in moves["flows"])
        self.assertEqual(sum(day["moves"] for day in moves["days"]), flows)
        customers = self.get(f"/transitions/customers?segmentation=rfm&{since}&size=100")
        self.assertEqual(customers["total"], len(customers["customers"]))
        self.assertEqual(sum(len(c["moves"]) for c in customers["customers"]), flows)
        self.assertEqual(moves["moved_customers"], customers["total"])
        self.assertAlmostEqual(
            moves["moved_monetary"], sum(c["monetary"] for c in customers["customers"]), 3
        )
        ends = {name: 0 for name in last}
        for net in moves["net"]:
            ends[net["to"]] = ends.get(net["to"], 0) + net["customers"]
        self.assertEqual(
            {n: c for n, c in ends.items() if c and n != "none"}, {n: c[0] for n, c in last.items()}
        )
        shown = customers["customers"][0]
        own = self.get("/customers/" + urllib.parse.quote(shown["customer_id"], safe=""))
        own = [move for move in own["history"] if move.pop("segmentation") == "rfm"]
        self.assertEqual(shown["moves"], own)

    def test_each_cell_of_the_moves_is_its_customers(self):
        """By net where a customer was and is, from his history; by gross each of his moves."""
        asked = "segmentation=rfm&from=2020-03-01&to=2020-05-31"
        moves = self.get(f"/transitions?{asked}")

        def listed(by, cell):
            ends = urllib.parse.urlencode({"from_segment": cell[0], "to_segment": cell[1]})
            path = f"/transitions/customers?{asked}&by={by}&{ends}"
            pages = [self.get(f"{path}&size=7&page={page}") for page in range(10)]
            customers = [one for page in pages for one in page["customers"]]
            self.check("/transitions/customers", pages[0])
            self.assertEqual(pages[0]["total"], len(customers))
            self.assertEqual(len({one["customer_id"] for one in customers}), len(customers))
            return customers

        def segment(customer, until):
            own = self.get("/customers/" + urllib.parse.quote(customer, safe=""))["history"]
            past = [m for m in own if m["segmentation"] == "rfm" and m["date"] <= until]
            return past[-1]["to"] if past else "none"

        net = {(one["from"], one["to"]): one["customers"] for one in moves["net"]}
        gross = {}
        for flow in moves["flows"]:
            cell = flow["from"], flow["to"]
            gross[cell] = gross.get(cell, 0) + flow["moves"]
        self.assertGreater(len(net), 5)
        self.assertNotEqual(net, gross)
        for cell in sorted(net | gross):
            with self.subTest(cell):
                customers = listed("net", cell)
                self.assertEqual(len(customers), net.get(cell, 0))
                for one in customers:
                    name = one["customer_id"]
                    self.assertEqual(
                        (segment(name, "2020-02-29"), segment(name, "2020-05-31")), cell
                    )
                made = [move for one in listed("gross", cell) for move in one["moves"]]
                self.assertEqual(len(made), gross.get(cell, 0))
                self.assertEqual({(m["from"], m["to"]) for m in made}, {cell} if made else set())
        for refused in ("by=both", "by=net&reason=purchase"):
            self.assertEqual(self.ask(f"/transitions/customers?{refused}")[0], 400)

    def test_days_are_those_that_there_are(self):
        """However long ago a range begins, however far ahead it ends."""
        wide = "from=1970-01-01&to=2199-12-31"
        bought = sorted({event["invoice_time"][:10] for event in history()})
        sales = self.get(f"/sales?{wide}")
        self.assertEqual([day["date"] for day in sales["days"]], bought)
        every = self.get("/segments")
        dates = [day["date"] for day in every["days"]]
        self.assertEqual((dates[0], dates[-1]), (bought[0], every["as_of"][:10]))
        self.assertEqual(len(set(dates)), 1 + (day_number(dates[-1]) - day_number(dates[0])))
        moved = [day["date"] for day in self.get(f"/transitions?{wide}")["days"]]
        self.assertTrue(set(moved) <= set(dates), moved)
        self.assertEqual(self.get(f"/segments?{wide}")["days"], every["days"])
        for ends, shown in {
            f"from=1970-01-01&to={dates[3]}": every["days"][:4],
            f"from={dates[-2]}&to=2199-12-31": every["days"][-2:],
            f"from={dates[9]}&to={dates[9]}": every["days"][9:10],
            "from=1970-01-01&to=1970-01-01": [],
            "from=2198-12-31&to=2199-12-31": [],
        }.items():
            with self.subTest(ends):
                self.assertEqual(self.get(f"/segments?{ends}")["days"], shown)

    def test_risk_is_compared_with_what_came(self):
        answer = self.get("/risk")
        bins = answer["calibration"]
        end = time.mktime(time.strptime(answer["as_of"][:19], "%Y-%m-%dT%H:%M:%S"))
        then = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.localtime(end - 90 * DAY_S))
        times = {}
        for event in history():
            if event["type"] == "invoice":
                times.setdefault(event["customer_id"], []).append(event["invoice_time"])
        known = [own for own in times.values() if own[0] < then]
        gone = [own for own in known if own[-1] < then]
        self.assertGreater(len(known), len(gone))
        self.assertEqual(sum(b["customers"] for b in bins), len(known))
        self.assertAlmostEqual(sum(b["customers"] * b["observed"] for b in bins), len(gone), 3)
        for one in bins:
            self.assertTrue(0 <= one["risk"] <= 1)

    def test_clusters_are_compared_once(self):
        answer = self.get("/k")
        self.check("/k", answer)
        self.assertEqual([line["k"] for line in answer["k"]], list(range(2, 11)))
        self.assertEqual(answer["customers"], 60)
        inertia = [line["inertia"] for line in answer["k"]]
        self.assertEqual(inertia, sorted(inertia, reverse=True))
        for line in answer["k"]:
            self.assertTrue(-1 <= line["silhouette_exact"] <= line["silhouette"] + 0.3)
            self.assertTrue(0 < line["stability"] <= 1)
        for points in answer["axes"].values():
            self.assertEqual([point["k"] for point in points], list(range(1, 11)))
        self.assertRegex(answer["words"], "^Inertia: (no clear|an) elbow")
        self.assertEqual(self.get("/k"), answer)
        versions = self.get("/model")["versions"]
        while "silhouette" not in versions[-1]:  # The sample is in the making.
            versions = self.get("/model")["versions"]
        told = [one["silhouette"] for one in versions if "silhouette" in one]
        self.assertEqual(len(told), 9)  # Of now and eight weeks before.
        self.assertTrue(all(-1 <= one <= 1 for one in told))

    def test_churn_models_are_judged_by_the_90_days_after_them(self):
        answer = self.get("/model")
        while not any("brier" in one.get("churn", {}) for one in answer["versions"]):
            answer = self.get("/model")  # The pass is in the making.
        self.check("/model", answer)
        end = datetime.datetime.fromisoformat(answer["as_of"].replace("Z", "+00:00")).timestamp()
        bought = {}
        for event in history():
            if event["type"] == "invoice":
                at = datetime.datetime.fromisoformat(event["invoice_time"].replace("Z", "+00:00"))
                bought.setdefault(event["customer_id"], []).append(at.timestamp())
        since, before, judged = None, None, 0
        for version in answer["versions"]:
            churn = version.get("churn")
            if churn is None:
                continue
            at = datetime.datetime.fromisoformat(version["at"].replace("Z", "+00:00")).timestamp()
            keys = ("nbd_r", "nbd_alpha_days", "intercept", "coefficients")
            learnt = [churn[key] for key in keys]
            if learnt != before:
                since, before = at, learnt
            if since + 90 * DAY_S > end:
                self.assertNotIn("brier", churn)
                continue
            known = [times for times in bought.values() if times[0] < since]
            gone = [
                times
                for times in known
                if not any(since <= at < since + 90 * DAY_S for at in times)
            ]
            self.assertEqual(churn["judged_customers"], len(known))
            self.assertAlmostEqual(churn["gone_share"], len(gone) / len(known), 6)
            self.assertTrue(0 < churn["brier"] < 1 and 0 <= churn["calibration_error"] < 1)
            self.assertEqual("auc" in churn, 0 < len(gone) < len(known))
            judged += 1
        self.assertGreater(judged, 5)

    def test_clusters_are_compared_with_the_settings_of_the_application(self):
        answer = self.get("/k")
        state = self.folder.name + "/others"
        self.replay(state, "--set", "model.challengers=0", "--set", "model.seed=7")
        server, _, port = self.serve(state)
        try:
            status, _, body = self.ask("/k", port=port)
        finally:
            server.terminate()
            server.communicate(timeout=30)
        self.assertEqual(status, 200, body)
        others = json.loads(body)
        self.assertEqual(others["customers"], answer["customers"])
        self.assertEqual(others["axes"], answer["axes"])  # Exact: nothing is drawn.
        self.assertNotEqual(others["k"], answer["k"])

    def test_what_is_wrong_is_named(self):
        for path, words in {
            "/segments?colour=red": ["colour", "segmentation"],
            "/segments?segmentation=x": ["segmentation", "x", "rfm"],
            "/customers?size=0": ["size", "500"],
            "/customers?page=100000000": ["page"],
            "/customers?size=1&size=2": ["size", "once"],
            "/customers?size=1&size=1": ["size", "once"],
            "/config?a=1": ["a", "none"],
            "/pipeline?a=1": ["a", "none"],
            "/segments?from=2011-02-01&to=2011-01-01": ["from", "2011-02-01"],
            "/sales?from=2011-02-01&to=2011-01-01": ["from", "2011-02-01"],
            "/transitions?from=2011-02-01&to=2011-01-01": ["from", "2011-02-01"],
            "/sales?from=9999-12-31": ["from", "1970-01-01", "2199-12-31"],
            "/transitions/customers?from_segment=%ff": ["from_segment", "UTF-8"],
            "/customers?sort=name": ["sort", "churn_risk"],
            "/score?frequency=0": ["frequency", "1000"],
            "/score?monetary=1e5": ["monetary"],
            "/score?recency_days=nan": ["recency_days"],
            "/segments?from=2020-02-30": ["from", "YYYY-MM-DD"],
        }.items():
            with self.subTest(path):
                status, _, body = self.ask(path)
                self.assertEqual(status, 400, body)
                answer = json.loads(body)
                self.check("/segments", answer, "400")
                for word in words:
                    self.assertIn(word, answer["detail"])

    def test_ids_of_any_bytes_are_found_or_not(self):
        names = ["nobody", "a%00b", "%ff%fe", "%2e%2e%2f", "%", "%zz", "a/b?", "c1%00"]
        names += ["x" * 900, "x" * 1_100]
        for name in names:
            with self.subTest(name):
                status, _, body = self.ask("/customers/" + name)
                self.assertIn(status, (404, 414), body)
                self.assertNotIn(b"nobody", body)
        self.assertIn(b" 414 ", self.raw(
            b"GET /customers/" + b"x" * 5_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"))
        self.assertEqual(self.ask("/healthz")[0], 200)

    def test_slow_and_greedy_clients_do_not_stop_others(self):
        held = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(20)]
        for connection in held:
            connection.sendall(b"GET /segments HT")
        greedy = b"POST /segments HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n"
        self.assertIn(b" 405 ", self.raw(greedy + b"x" * 10_000))
        self.assertEqual(self.ask("/healthz")[0], 200)
        self.assertEqual(self.ask("/customers/c7")[0], 200)
        for connection in held:
            connection.close()

    def resident_bytes(self):
        status = pathlib.Path(f"/proc/{self.server.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024

    def flood(self, seed, count, seen):
        """Requests of all kinds, as fast as they are answered; adds up their statuses."""
        rng = random.Random(seed)
        left = count
        while left > 0:
            pieces = []
            for _ in range(min(left, 50)):
                anything = urllib.parse.quote(rng.randbytes(rng.randrange(1, 60)), safe="")
                host = rng.choice(["localhost", "127.0.0.1", "localhost", "evil.example"])
                path = rng.choice(
                    ["/healthz", "/segments", f"/customers/{anything}", f"/customers/c{left % 60}",
                     "/metrics", f"/{anything}?{anything}={anything}", "/../../etc/passwd",
                     f"/transitions/customers?page={left % 7}&size={left % 500 + 1}",
                     "/" + "x" * rng.randrange(1_500), "/customers/%00%0d%0aSet-Cookie:%20a=b"]
                )
                pieces.append(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            if rng.random() < 0.3:
                pieces.append(
                    b"POST /rules/apply HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer x"
                    b"\r\nContent-Length: 4\r\n\r\nabcd"
                )
            pieces.append(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            try:
                answers = self.raw(b"".join(pieces))
            except OSError:  # Closed, because too many wait.
                continue
            statuses = re.findall(rb"(?:^|[\n}])HTTP/1\.1 (\d+) ", answers)
            if b"Set-Cookie" in answers.replace(b"%0d%0aSet-Cookie", b""):
                seen["a header that was sent in"] = 1
            for status in statuses:
                seen[int(status)] = seen.get(int(status), 0) + 1
            left -= max(1, len(statuses))

    def test_a_flood_is_answered_or_refused_and_nothing_grows(self):
        before = self.ask("/customers/c7")[2]
        for path in ("/segments", "/metrics", "/transitions/customers"):
            self.ask(path)
        self.flood(99, 3_000, {})  # So that each thread has the memory that it needs.
        slow = [socket.create_connection(("127.0.0.1", self.port)) for _ in range(60)]
        for connection in slow:
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: loc")
        seen = [{} for _ in range(6)]
        floods = [
            threading.Thread(target=self.flood, args=(number, 1_500, seen[number]))
            for number in range(6)
        ]
        for flood in floods:
            flood.start()
        warm = self.resident_bytes()
        probed = 0
        while any(flood.is_alive() for flood in floods) or probed == 0:
            for path in ("/healthz", "/metrics"):
                try:
                    probed += self.ask(path)[0] == 200
                except OSError:
                    pass
        for flood in floods:
            flood.join()
        for connection in slow:
            connection.close()
        statuses = set().union(*seen)
        self.assertLessEqual(statuses, {200, 202, 400, 401, 403, 404, 414, 503}, seen)
        self.assertLessEqual({200, 403, 404}, statuses)
        self.assertLess(self.resident_bytes() - warm, 64 << 20)
        self.assertEqual(self.ask("/customers/c7")[2], before)
        self.assertEqual(self.ask("/readyz")[0], 200)

    def test_an_answer_that_has_not_changed_is_not_sent_again(self):
        self.get("/segments")
        _, headers, _ = self.ask("/customers/c7")
        status, _, body = self.ask("/customers/c7", {"If-None-Match": headers["ETag"]})
        self.assertEqual((status, body), (304, b""))
        self.assertEqual(headers["Cache-Control"], "private, no-cache")
        self.assertIn("frame-ancestors 'none'", headers["Content-Security-Policy"])
        self.assertNotIn("Access-Control-Allow-Origin", headers)

    def test_answers_are_encoded_once(self):
        for path in ("/", "/segments", "/openapi.json"):
            _, plain, expected = self.ask(path)
            if "Content-Encoding" in plain:  # The page is stored so.
                expected = gzip.decompress(expected)
            for accepted in ("gzip", "gzip, deflate, br", "br, gzip;q=0.5"):
                with self.subTest(path, accepted=accepted):
                    _, headers, body = self.ask(path, {"Accept-Encoding": accepted})
                    self.assertEqual(headers.get_all("Content-Encoding"), ["gzip"])
                    self.assertEqual(gzip.decompress(body), expected)

    def test_answers_are_whole(self):
        for path in ("/", "/openapi.json"):
            _, _, expected = self.ask(path)
            status, headers, body = self.ask(path, {"Range": "bytes=5-9"})
            self.assertEqual((status, headers["Content-Range"]), (200, None))
            self.assertEqual(body, expected)

    def test_rules_are_tried_by_who_has_the_token_alone(self):
        toml = "[segmentation.cluster]\nenabled = false\n"
        for token in (None, "", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "x" * 1_000):
            for path in ("/rules/dry-run", "/rules/apply"):
                with self.subTest(path, token=token):
                    self.assertEqual(self.post(path, toml, token)[0], 401)
        status, answer = self.post("/rules/dry-run", toml)
        self.assertEqual(status, 200, answer)
        gone = [move for move in answer["moves"] if move["to"] == "none"]
        self.assertEqual({move["segmentation"] for move in gone}, {"cluster"})
        self.assertEqual(sum(move["customers"] for move in gone), 60)
        self.assertEqual((answer["customers"], answer["customers_moved"]), (60, 60))
        money = self.get("/segments?segmentation=cluster")["segments"]
        self.assertAlmostEqual(
            sum(move["monetary"] for move in gone), sum(s["monetary"] for s in money), 3
        )
        shown = subprocess.run(
            [RFM, "rules", "dry-run", "--state", self.state] + self.settings
            + ["--set", "segmentation.cluster.enabled=false"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        self.assertIn("cluster: 60 of 60 customers would move", shown)
        daily = answer["transitions_per_day"]
        self.assertEqual((daily["days"], daily["sampled"]), (90, 60))
        self.assertGreater(daily["now"], daily["then"])
        self.assertNotIn(TOKEN, json.dumps(self.get("/config")))

    def test_the_rules_of_now_move_nobody(self):
        status, answer = self.post("/rules/dry-run", "[rfm]\nmonetary = 'net'\n")
        self.assertEqual((status, answer["moves"], answer["differences"]), (200, [], []))
        daily = answer["transitions_per_day"]
        self.assertEqual(daily["now"], daily["then"])
        # As they were: what the service did in these days, but for what the past before them holds.
        clock = answer["as_of"][:10]
        at = time.mktime(time.strptime(clock, "%Y-%m-%d"))
        first = time.strftime("%Y-%m-%d", time.localtime(at - 90 * DAY_S))
        moves = 0
        for segmentation in self.get("/segments")["segmentations"]:
            path = f"/transitions?segmentation={segmentation}&from={first}&to={clock}"
            moves += sum(flow["moves"] for flow in self.get(path)["flows"])
        self.assertGreater(moves, 0)
        self.assertLess(abs(daily["now"] * 90 - moves), moves / 5)

    def test_rules_that_are_none_are_refused_with_what_is_allowed(self):
        for toml, words in {
            "nonsense": ["line:1"],
            "[segmentation.rfm]\nstai = '1d'": ["stai", "stay"],
            "[segmentation.rfm]\nstay = 'long'": ["stay", "long", "whole number"],
            "[admin]\nlisten = '0.0.0.0:80'": ["admin.listen", "no rule"],
            "[rfm]\nwindow = '90d'": ["rfm.window", "lifetime"],
            "[segmentation.rfm]\nmap = [{segment = 'Champions', r = [5, 5], fm = [5, 5]}]": ["map"],
            "\x00": [],
            "a = '\x7f\u2028": [],
        }.items():
            for path in ("/rules/dry-run", "/rules/apply"):
                with self.subTest(path, toml=toml):
                    status, answer = self.post(path, toml)
                    if path == "/rules/apply":
                        self.assertEqual(status, 409)
                        self.assertIn("rules apply --state", answer["detail"])
                        continue
                    self.assertEqual(status, 400, answer)
                    for word in words:
                        self.assertIn(word, answer["detail"])

    def test_bodies_have_an_end(self):
        self.assertEqual(self.post("/rules/dry-run", "#" * 65_536)[0], 200)
        self.assertEqual(self.post("/rules/dry-run", "#" * 65_537)[0], 413)
        head = (
            "POST /rules/dry-run HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer {TOKEN}\r\n"
        )
        for more, status in {
            "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n": 411,
            "\r\n": 411,
            "Content-Length: x\r\n\r\n": 400,
            "Content-Length: 99999999999999999999\r\n\r\n": 413,
            "Content-Length: 5\r\nContent-Encoding: gzip\r\n\r\nhello": 415,
            "Content-Length: 5\r\nContent-Type: multipart/form-data; boundary=x\r\n\r\nhello": 415,
        }.items():
            with self.subTest(more):
                self.assertIn(f" {status} ".encode(), self.raw((head + more).encode())[:20])
        # Half of what was promised, then nothing: others are answered meanwhile.
        with socket.create_connection(("127.0.0.1", self.port)) as half:
            half.sendall((head + "Content-Length: 60000\r\n\r\n" + "#" * 30_000).encode())
            self.assertEqual(self.ask("/healthz")[0], 200)
            self.assertEqual(self.post("/rules/dry-run", "")[0], 200)
        for path in ("/rules/apply", "/rules/dry-run"):
            self.assertEqual(self.ask(path)[0], 405)
        self.assertEqual(self.ask("/segments", {}, b"x")[0], 405)

    def test_probes_and_metrics_know_of_a_stored_state(self):
        self.assertEqual(self.ask("/readyz")[0], 200)
        metrics = self.ask("/metrics")[2].decode()
        self.assertIn('rfmstream_resident_customers{partition="0"} 60', metrics)
        self.assertIn("rfmstream_queries_total", metrics)
        self.assertEqual(self.get("/pipeline")["stored"], True)
        self.assertEqual(self.get("/config")["input.currency"]["value"], "EUR")


if __name__ == "__main__":
    unittest.main()
