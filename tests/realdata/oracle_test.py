#!/usr/bin/env python3
"""Goal: what a replay of Online Retail says of every customer equals a batch recomputation.

Method: the binary reads the CSV; this script reads the same CSV with code of its own and compares
customers (`export customers`), the model log and the transitions, as the published schemas
describe them. In `net` each as-of time is a replay of its own, the cuts of recency are within
their bounds and nothing is damped, so that segments follow from scores; in `gross` one state goes
on from time to time, the cuts are quantiles as they are, and transitions are damped: what damping
promises is checked on each.
"""

import bisect
import collections
import csv
import io
import json
import math
import os
import pathlib
import sys
import tempfile
import unittest

import jsonschema
import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import online_retail as retail  # noqa: E402

ROOT = pathlib.Path(os.environ.get("RFM_SOURCE_DIR", pathlib.Path(__file__).parents[2]))
AS_OF = ["2011-01-15", "2011-03-31", "2011-06-30", "2011-09-09", "2011-12-10"]
LAST = AS_OF[-1]
REFIT_WEEKDAY = 5  # Monday is 0. 2011-12-10 is a Saturday.
SETTINGS = {"model.refit_weekday": "saturday"}
SETTINGS_OF = {
    "net": {
        **SETTINGS,
        "rfm.monetary": "net",
        "segmentation.cluster.hysteresis": 0,
        "segmentation.rfm.axes": "[{name='r', margin=0}, {name='f', margin=0}, "
        "{name='m', margin=0}]",
        "segmentation.churn.axes": "[{name='risk', margin=0}]",
        **{f"segmentation.{name}.{key}": value
           for name in ("churn", "cluster", "rfm")
           for key, value in (("guard", "false"), ("stay", "0s"))},
    },
    "gross": {
        **SETTINGS,
        "rfm.monetary": "gross",
        "segmentation.rfm.axes": "[{name='r', bounds=[]}, {name='f'}, {name='m'}]",
    },
}
POPULATION_MIN = 500  # Quintiles from here on.
BOUNDS_DAYS = [(30, 60), (60, 90), (90, 180), (120, 365)]  # Of recency, in `net`.
STAY_MS = 7 * retail.DAY_MS
QUIET_MS = 7 * retail.DAY_MS
RECENCY_MIN_DAYS = 21  # In the features of `cluster`.
# 500 customers on 2010-12-09, 49 days more, and an epoch until what was trained is in effect.
FIRST_CLUSTERS = retail.midnight("2011-01-28")

GRID = {  # Rows R = 5..1, columns FM = 1..5; of F = 1 and R > 3 see segment_of.
    5: ["Potential Loyalist", "Potential Loyalist", "Potential Loyalist", "Champions", "Champions"],
    4: ["Potential Loyalist", "Potential Loyalist", "Potential Loyalist", "Loyal", "Loyal"],
    3: ["About to Sleep", "About to Sleep", "Need Attention", "Loyal", "Loyal"],
    2: ["Hibernating", "Hibernating", "At Risk", "At Risk", "Can't Lose"],
    1: ["Hibernating", "Hibernating", "At Risk", "At Risk", "Can't Lose"],
}

# Figures of independent batch programs on this data as of 2011-12-10 (quantiles of type 7).
LEVELS = [0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1]
R_QUANTILES = [0.4653, 1.2428, 2.6013, 5.4258, 17.5344, 50.5507, 141.9861, 262.7631, 311.504]
R_QUANTILES += [369.1267, 373.5882]
F_QUANTILES = [1, 1, 1, 1, 1, 2, 5, 9, 13, 30, 210]
M_QUANTILES = {
    "gross": [0, 52.076, 112.245, 156.566, 307.245, 674.45, 1661.64, 3646.164, 5840.182]
    + [19880.092, 280206.02],
    "net": [-1165.3, 38.233, 108.488, 152.36, 299.675, 654.92, 1623.825, 3537.362, 5657.532]
    + [17394.532, 279489.02],
}
R_CUTS = [13.6171, 32.5010, 71.5212, 179.3569]
F_CUTS = [1, 2, 3, 6]
M_CUTS = {
    "gross": [250.106, 489.724, 941.942, 2057.914],
    "net": [242.872, 474.104, 914.850, 2014.866],
}
SUM = {"gross": 89_114_079_000, "net": 83_104_770_500}
ROUNDED_TO_PENCE = 100  # The sums above are given in pence.
TOP = {
    "net": [("14646", "279489.02"), ("18102", "256438.49"), ("17450", "187482.17")]
    + [("14911", "132572.62"), ("12415", "123725.45"), ("14156", "113384.14")]
    + [("17511", "88125.38"), ("16684", "65892.08"), ("13694", "62653.10"), ("15311", "59419.34")],
    "gross": [("14646", "280206.02"), ("18102", "259657.30"), ("17450", "194550.79")]
    + [("16446", "168472.50"), ("14911", "143825.06"), ("12415", "124914.53")]
    + [("14156", "117379.63"), ("17511", "91062.38"), ("16029", "81024.84")]
    + [("12346", "77183.60")],
}


class Run:
    """One state directory at one as-of time: the export, the model log, the transitions."""

    def __init__(self, kind, date, state, output):
        self.kind = kind
        self.date = date
        self.at = retail.midnight(date)
        self.output = output
        settings = retail.setting_arguments(SETTINGS_OF[kind])
        retail.command(
            *["replay", "--input", CSV, "--format", "csv", "--until", date],
            *["--state", state, "--output", output, *settings],
        )
        text = retail.command("export", "customers", "--state", state, "--all")
        rows = csv.DictReader(io.StringIO(text, newline=""))
        self.everyone = {row["customer_id"]: row for row in rows}
        self.rows = {i: row for i, row in self.everyone.items() if row["frequency"] != "0"}
        self.versions = {}
        with open(f"{output}/model.jsonl", encoding="utf-8") as file:
            for line in file:
                record = json.loads(line)
                if record["key"].startswith("version/"):
                    self.versions[record["value"]["trained_epoch"]] = record["value"]
        # Trained at a boundary, a version takes effect one epoch later.
        self.version = self.versions[self.at // retail.DAY_MS - 1]
        self.customers = retail.customers_at(INVOICES, self.at)

    def bought(self):
        return {i: c for i, c in self.customers.items() if c.frequency > 0}


def setUpModule():
    global CSV, INVOICES, RUNS, TEMPORARY
    TEMPORARY = tempfile.TemporaryDirectory(prefix="rfmstream-oracle-")
    here = TEMPORARY.name
    CSV = f"{here}/online_retail.csv"
    retail.unpack(CSV)
    INVOICES = retail.load_invoices(CSV)
    RUNS = [Run("net", d, f"{here}/net-{d}", f"{here}/out-net-{d}") for d in AS_OF]
    RUNS += [Run("gross", d, f"{here}/gross", f"{here}/out-gross") for d in AS_OF]


def tearDownModule():
    TEMPORARY.cleanup()


def last_run(kind):
    return next(run for run in RUNS if run.kind == kind and run.date == LAST)


def floor_quantiles(values):
    """floor of the type-7 quantiles at .2 .4 .6 .8, in integers."""
    values = sorted(values)
    cuts = []
    for i in (1, 2, 3, 4):
        rank, fifths = divmod((len(values) - 1) * i, 5)
        high = values[min(rank + 1, len(values) - 1)]
        cuts.append(values[rank] + (high - values[rank]) * fifths // 5)
    return cuts


def trained_cuts(customers, kind, at):
    """What the model log holds of a refit at `at`."""
    recency = floor_quantiles([at - c.last for c in customers])
    if kind == "net":
        recency = [min(max(cut, low * retail.DAY_MS), high * retail.DAY_MS)
                   for cut, (low, high) in zip(recency, BOUNDS_DAYS)]
    cuts = {
        "recency": recency,
        "frequency": floor_quantiles([c.frequency for c in customers]),
        "monetary": floor_quantiles([c.monetary(kind) for c in customers]),
    }
    return [{"quantity": name, "method": "quantile", "bins": 5, "cuts": values}
            for name, values in cuts.items()]


def cuts_of(version):
    """By quantity."""
    return {axis["quantity"]: axis["cuts"] for axis in version["cuts"]}


def scores(cuts, recency_ms, frequency, monetary):
    below = lambda name, value: sum(cut < value for cut in cuts[name])  # noqa: E731
    r = 5 - below("recency", recency_ms)
    return r, 1 + below("frequency", frequency), 1 + below("monetary", monetary)


def segment_of(r, f, m):
    if f == 1 and r >= 4:
        return "Promising" if (r, m) == (4, 1) else "New"
    return GRID[r][(f + m + 1) // 2 - 1]


def features(customer, kind, at):
    """F and M in the fixed point of the row: multiples of 2^-20."""
    fixed = lambda v: math.floor(math.log1p(v) * 2**20 + 0.5) / 2**20  # noqa: E731
    units = max(customer.monetary(kind), 0)
    return (
        math.log1p(max((at - customer.last) / retail.DAY_MS, RECENCY_MIN_DAYS)),
        fixed(customer.frequency),
        fixed(units / 10_000),
    )


def churn_risks(model, customers, kind, at):
    """P(no purchase within 90 days) by the published weights: weekly hazards, the NBD as offset."""
    first = numpy.array([c.first for c in customers])
    last = numpy.array([c.last for c in customers])
    f = numpy.array([c.frequency for c in customers], dtype=float)
    m = numpy.maximum([c.monetary(kind) for c in customers], 0) / 10_000
    log_alive = numpy.zeros(len(f))
    for week in range(13):
        r = (at - last) / retail.DAY_MS + 7 * week
        age = (at - first) / retail.DAY_MS + 7 * week
        gap = numpy.where(f > 1, (last - first) / retail.DAY_MS / numpy.maximum(f - 1, 1), age)
        alpha_age = model["nbd_alpha_days"] + age
        nbd = 1 - (alpha_age / (alpha_age + 7)) ** (model["nbd_r"] + f - 1)
        logit = numpy.log(nbd) - numpy.log1p(-nbd) + model["intercept"]
        for i, x in enumerate((r, f, m, gap, r / numpy.maximum(gap, 1))):
            if model["sd"][i] > 0:
                scaled = (numpy.log1p(x) - model["mean"][i]) / model["sd"][i]
                logit = logit + model["coefficient"][i] * scaled
        # log(1 - h), h = 1 / (1 + exp(-logit)).
        log_alive -= (1 if week < 12 else 6 / 7) * numpy.logaddexp(0, logit)
    return numpy.exp(log_alive)


class Customers(unittest.TestCase):
    def test_recency_frequency_and_monetary_equal_the_batch_ones(self):
        for run in RUNS:
            differences = 0
            self.assertEqual(set(run.everyone), set(run.customers))
            for customer_id, row in run.everyone.items():
                c = run.customers[customer_id]
                want = [str(c.frequency), retail.money(c.monetary(run.kind))]
                if c.frequency > 0:
                    age = (run.at - c.last) / retail.DAY_MS
                    want += [retail.rfc3339(c.first), retail.rfc3339(c.last), f"{age:.6f}"]
                else:
                    want += ["", "", ""]
                names = ["frequency", "monetary", "first_purchase", "last_purchase", "recency_days"]
                differences += [row[name] for name in names] != want
            print(f"{run.kind:5} {run.date}: {len(run.rows)} customers, {differences} differences")
            self.assertEqual(differences, 0)

    def test_scores_and_segments_follow_from_the_published_cuts_and_the_map(self):
        for run in RUNS:
            cuts = cuts_of(run.version)
            for customer_id, c in run.bought().items():
                row = run.rows[customer_id]
                r, f, m = scores(cuts, run.at - c.last, c.frequency, c.monetary(run.kind))
                exported = [row["rfm_r"], row["rfm_f"], row["rfm_m"]]
                self.assertEqual(exported, [str(r), str(f), str(m)])
                if run.kind == "net":
                    self.assertEqual(row["rfm"], segment_of(r, f, m), customer_id)
            for customer_id in set(run.everyone) - set(run.rows):
                row = run.everyone[customer_id]
                self.assertEqual([row["rfm"], row["cluster"], row["churn"]], ["none"] * 3)

    def test_clusters_are_the_nearest_published_centroids(self):
        for run in RUNS:
            clusters = run.version.get("clusters")
            self.assertEqual(clusters is None, run.at < FIRST_CLUSTERS)
            if clusters is None:
                self.assertEqual({row["cluster"] for row in run.rows.values()}, {"Unassigned"})
                continue
            if run.kind == "gross":
                continue  # Damped.
            centroids = numpy.array([c["center"] for c in clusters["centroids"]])
            weight = numpy.array(clusters["weight"])
            bought = run.bought()
            x = numpy.array([features(c, run.kind, run.at) for c in bought.values()])
            d2 = (weight * (x[:, None, :] - centroids[None, :, :]) ** 2).sum(axis=2)
            names = [c["name"] for c in clusters["centroids"]]
            mine = numpy.array([names.index(run.rows[i]["cluster"]) for i in bought])
            excess = d2[numpy.arange(len(mine)), mine] - d2.min(axis=1)
            ties = int(((mine != d2.argmin(axis=1)) & (excess < 1e-12)).sum())
            wrong = int((excess >= 1e-12).sum())
            print(f"{run.kind:5} {run.date}: {wrong} not in the nearest cluster, {ties} ties")
            self.assertEqual(wrong, 0)

    def test_churn_risks_follow_from_the_published_weights(self):
        for run in RUNS:
            bought = run.bought()
            risks = churn_risks(run.version["churn"], list(bought.values()), run.kind, run.at)
            exported = numpy.array([float(run.rows[i]["churn_risk"]) for i in bought])
            largest = float(abs(risks - exported).max())
            print(f"{run.kind:5} {run.date}: churn risk differs by at most {largest:.1e}")
            self.assertLessEqual(largest, 1e-9)
            for customer_id, risk in zip(bought, risks):
                if run.kind == "gross" or min(abs(risk - 0.33), abs(risk - 0.66)) < 1e-9:
                    continue
                band = "High" if risk >= 0.66 else "Medium" if risk >= 0.33 else "Low"
                self.assertEqual(run.rows[customer_id]["churn"], band, customer_id)


class ModelLog(unittest.TestCase):
    def test_published_cuts_are_the_quantiles_at_their_boundary(self):
        firsts = retail.customers_at(INVOICES, retail.midnight(LAST)).values()
        firsts = sorted(c.first for c in firsts if c.frequency)
        for kind in ("net", "gross"):
            compared = 0
            for epoch, version in last_run(kind).versions.items():
                is_refit = (epoch + 3) % 7 == REFIT_WEEKDAY
                at = epoch * retail.DAY_MS
                population = bisect.bisect_left(firsts, at)
                self.assertEqual(version["population"], population)
                if not version["cuts_changed"] and not (is_refit and population >= POPULATION_MIN):
                    continue
                bought = [c for c in retail.customers_at(INVOICES, at).values() if c.frequency]
                cuts = trained_cuts(bought, kind, at)
                self.assertEqual(version["cuts"], cuts, f"{kind}, trained at {retail.rfc3339(at)}")
                compared += 1
            print(f"{kind}: the cuts of {compared} refits are equal")
            self.assertGreater(compared, 45)

    def test_there_is_one_record_an_epoch_as_the_schema_says(self):
        schema = json.loads((ROOT / "config/schemas/model-version.schema.json").read_text())
        validator = jsonschema.Draft202012Validator(schema)
        for kind in ("net", "gross"):
            versions = last_run(kind).versions
            epochs = sorted(versions)
            self.assertEqual(epochs, list(range(epochs[0], epochs[-1] + 1)))
            self.assertEqual(epochs[-1], retail.midnight(LAST) // retail.DAY_MS)
            for epoch in epochs[:: len(epochs) // 20]:
                validator.validate(versions[epoch])


class Figures(unittest.TestCase):
    """As of 2011-12-10, against figures of other programs."""

    def test_quantiles_sums_and_counts(self):
        for kind in ("net", "gross"):
            rows = list(last_run(kind).rows.values())
            self.assertEqual(len(rows), 4339)
            self.assertEqual(len(last_run(kind).everyone), 4372)
            column = lambda name: numpy.array([float(row[name]) for row in rows])  # noqa: E731
            r, f, m = column("recency_days"), column("frequency"), column("monetary")
            for values, want, tolerance in (
                (r, R_QUANTILES, 6e-5),
                (f, F_QUANTILES, 0),
                (m, M_QUANTILES[kind], 6e-4),
            ):
                self.assertLessEqual(abs(numpy.quantile(values, LEVELS) - want).max(), tolerance)
            total = sum(int(row["monetary"].replace(".", "")) for row in rows)
            self.assertLess(abs(total - SUM[kind]), ROUNDED_TO_PENCE)
            self.assertAlmostEqual(r.mean(), 92.4966, 4)
            self.assertAlmostEqual(f.mean(), 4.2720, 4)
            self.assertAlmostEqual(m.mean(), 2053.793 if kind == "gross" else 1915.298, 3)
            self.assertEqual((f == 1).sum(), 1494)
        net = [float(row["monetary"]) for row in last_run("net").rows.values()]
        # Exactly. Added up in floating point, six of the zeros come out as not quite 0.
        self.assertEqual([sum(m < 0 for m in net), sum(m == 0 for m in net)], [8, 14])
        everyone = last_run("net").everyone.values()
        total = sum(int(row["monetary"].replace(".", "")) for row in everyone)
        self.assertLess(abs(total - 83_000_658_100), ROUNDED_TO_PENCE)

    def test_the_refit_of_that_day_has_the_known_cuts_and_score_counts(self):
        for kind in ("net", "gross"):
            run = last_run(kind)
            cuts = cuts_of(run.versions[run.at // retail.DAY_MS])
            r_cuts = R_CUTS if kind == "gross" else [30, 60, 90, R_CUTS[3]]
            for got, want in zip(cuts["recency"], r_cuts, strict=True):
                self.assertAlmostEqual(got / retail.DAY_MS, want, delta=6e-5)
            self.assertEqual(cuts["frequency"], F_CUTS)
            for got, want in zip(cuts["monetary"], M_CUTS[kind]):
                self.assertAlmostEqual(got / 10_000, want, delta=6e-4)
            coded = [
                scores(cuts, run.at - c.last, c.frequency, c.monetary(kind))
                for c in run.bought().values()
            ]
            axis = [[sum(code[i] == s for code in coded) for s in range(1, 6)] for i in range(3)]
            if kind == "gross":
                self.assertEqual(axis[0], [868, 868, 867, 868, 868])
            self.assertEqual(axis[1], [1494, 835, 508, 802, 700])
            self.assertEqual(axis[2], [868, 868, 867, 868, 868])
            if kind == "gross":
                codes = collections.Counter(coded)
                self.assertEqual(len(codes), 113)
                known = {"111": 333, "555": 324, "112": 209, "455": 150, "211": 144, "311": 129}
                got = {"".join(map(str, c)): n for c, n in codes.most_common(6)}
                self.assertEqual(got, known)

    def test_the_best_customers(self):
        for kind in ("net", "gross"):
            rows = last_run(kind).rows.values()
            best = sorted(rows, key=lambda row: -float(row["monetary"]))[:10]
            got = [(row["customer_id"], row["monetary"]) for row in best]
            self.assertEqual(got, [(i, f"{m}00") for i, m in TOP[kind]])


RANKS = {
    "rfm": ["Hibernating", "At Risk", "Can't Lose", "About to Sleep", "Need Attention", "Promising",
            "New", "Potential Loyalist", "Loyal", "Champions"],
    "churn": ["High", "Medium", "Low"],
}
LOST = {"Hibernating", "At Risk", "Can't Lose", "Dormant high-value"}
OWN = {"purchase", "return", "late_event"}


def chains(run):
    """Each customer's transitions, in order."""
    result = collections.defaultdict(list)
    with open(f"{run.output}/transitions.jsonl", encoding="utf-8") as file:
        for line in file:
            body = json.loads(line)["value"]
            body["at"] = retail.milliseconds(body["effective_at"])
            result[body["customer_id"]].append(body)
    return result


class Damping(unittest.TestCase):
    """What is promised of the defaults, on every transition."""

    @classmethod
    def setUpClass(cls):
        cls.chains = chains(last_run("gross"))

    def all(self):
        return (body for chain in self.chains.values() for body in chain)

    def test_nothing_moves_against_its_cause(self):
        seen = collections.Counter()
        for body in self.all():
            ranks = RANKS.get(body["segmentation"], [])
            before, after = body["from"]["segment"], body["to"]
            if before not in ranks or after not in ranks:
                continue
            up = ranks.index(after) > ranks.index(before)
            self.assertEqual(body["direction"], "up" if up else "down")
            if body["reason"] in ("purchase", "inactivity"):
                self.assertEqual(up, body["reason"] == "purchase", body)
                seen[body["reason"]] += 1
        print(f"gross: moves up by purchases, down by silence: {dict(seen)}")
        self.assertGreater(min(seen.values()), 2000)

    def test_what_the_customer_does_shows_at_once(self):
        compared = 0
        for body in self.all():
            if body["segmentation"] == "rfm" and body["reason"] in OWN and body["to"] != "none":
                scored = body["after"]["scores"]
                self.assertEqual(body["to"], segment_of(scored["r"], scored["f"], scored["m"]))
                self.assertEqual(body["cause"].get("event_time", body["effective_at"]),
                                 body["effective_at"])
                compared += 1
        self.assertGreater(compared, 10_000)

    def test_other_moves_wait_for_the_least_stay(self):
        waited = 0
        for body in self.all():
            if body["reason"] in OWN or body["from"]["segment"] in ("none", "Unassigned"):
                continue
            if body["reason"] == "inactivity" and body["to"] in LOST:
                continue
            since = retail.milliseconds(body["from"]["since"])
            self.assertGreaterEqual(body["at"] - since, STAY_MS, body)
            waited += "held" in body
        self.assertGreater(waited, 1000)

    def test_one_transition_is_acted_on_within_the_quiet(self):
        acts = collections.defaultdict(list)
        for invoice in INVOICES:
            acts[invoice.customer].append((invoice.last_line, invoice.number))
        acted = 0
        for customer, chain in self.chains.items():
            last = None
            for body in filter(lambda body: body["actionable"], chain):
                self.assertIn(body["reason"], OWN | {"inactivity"})
                if last is not None and body["at"] < last["at"] + QUIET_MS:
                    # Two invoices of one instant are two acts.
                    known = last.get("cause", {}).get("invoice_no")
                    self.assertTrue(any(last["at"] <= at <= body["at"] and number != known
                                        for at, number in acts[customer]), body)
                last = body
                acted += 1
        print(f"gross: {acted} transitions to act on")
        self.assertGreater(acted, 10_000)


class Transitions(unittest.TestCase):
    def test_the_chain_of_every_customer_ends_in_the_exported_segments(self):
        schema = json.loads((ROOT / "config/schemas/segment-transition.schema.json").read_text())
        validator = jsonschema.Draft202012Validator(schema)
        for run in (last_run("net"), last_run("gross")):
            chain = {}
            with open(f"{run.output}/transitions.jsonl", encoding="utf-8") as file:
                for number, line in enumerate(file):
                    record = json.loads(line)
                    body = record["value"]
                    if number % 500 == 0:
                        validator.validate(body)
                    before = chain.get((record["key"], body["segmentation"]))
                    if before is None:
                        self.assertEqual(body["from"], {"segment": "none"})
                        self.assertEqual(body["seq"], 1)
                    else:
                        since = {"segment": before["to"], "since": before["effective_at"]}
                        self.assertEqual(body["from"], since)
                        self.assertEqual(body["seq"], before["seq"] + 1)
                        self.assertLessEqual(*(retail.milliseconds(b["effective_at"])
                                               for b in (before, body)))
                    chain[record["key"], body["segmentation"]] = body
            latest = max(retail.milliseconds(b["effective_at"]) for b in chain.values())
            self.assertLessEqual(latest, retail.milliseconds(rfc(run)))
            ends = {key: body["to"] for key, body in chain.items()}
            exported = {
                (i, name): row[name] for i, row in run.rows.items() for name in SEGMENTATIONS
            }
            self.assertEqual(ends, exported)
            print(f"{run.kind}: {number + 1} transitions, every chain whole")


SEGMENTATIONS = ("churn", "cluster", "rfm")


def rfc(run):
    return retail.rfc3339(run.at)


if __name__ == "__main__":
    if not retail.ARCHIVE.exists():
        print(f"SKIPPED: {retail.ARCHIVE} is not there")
        sys.exit(retail.SKIPPED)
    unittest.main(verbosity=1)
