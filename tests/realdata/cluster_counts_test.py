#!/usr/bin/env python3
"""Goal: `rfmstream evaluate clusters --k 2..10` on Online Retail prints what the definitions give.

Method: the customers are recomputed from the CSV. K-Means is fitted here by other code (numpy, its
own starts), whose inertia may differ by what starts can miss; each figure of the table is then held
against the definition on these clusters. The classes of one axis have one optimum, found here by
another dynamic program. At 2011-12-10, gross, the inertias and indices are also known from a third
program. Exit status 77: the data are not there.
"""

import pathlib
import re
import sys
import tempfile
import unittest

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import online_retail as retail  # noqa: E402
from published_test import natural_cuts  # noqa: E402

COUNTS = range(2, 11)
STARTS = 12
# Of another program at 2011-12-10, gross: k -> inertia, silhouette, simplified one, Davies-Bouldin.
KNOWN = {
    2: (6490.3605, .4331, .5625, .8918), 3: (4880.9467, .3394, .4718, 1.0421),
    4: (3955.1914, .3369, .4691, 1.0104), 5: (3313.2376, .3159, .4474, .9919),
    6: (2870.3085, .3147, .4457, 1.0206), 8: (2353.7629, .3031, .4365, .9936)}
# At 2011-12-05, net, k from 2 to 8: there is no clear elbow.
INERTIAS = [6652, 5068, 4116, 3472, 3044, 2688, 2413]


def squared_distances(points, centers):
    return ((points[:, None, :] - centers[None, :, :]) ** 2).sum(axis=2)


def lloyd(points, centers):
    """To the fixed point: (inertia, labels)."""
    labels = None
    while True:
        now = squared_distances(points, centers).argmin(axis=1)
        if labels is not None and (now == labels).all():
            return squared_distances(points, centers).min(axis=1).sum(), labels
        labels = now
        centers = numpy.array([points[labels == j].mean(axis=0) for j in range(len(centers))])


def fit(points, count, random):
    """The best of several starts: (inertia, labels)."""
    best = (numpy.inf, None)
    for _ in range(STARTS):
        centers = points[random.integers(len(points))][None, :]
        while len(centers) < count:
            nearest = squared_distances(points, centers).min(axis=1)
            drawn = random.choice(len(points), p=nearest / nearest.sum())
            centers = numpy.vstack([centers, points[drawn]])
        best = min(best, lloyd(points, centers), key=lambda found: found[0])
    return best


def indices(points, labels, distances):
    """(silhouette, simplified silhouette, Calinski-Harabasz, Davies-Bouldin, smallest share)."""
    n, count = len(points), labels.max() + 1
    member = numpy.eye(count)[labels]
    sizes = member.sum(axis=0)
    sums = distances @ member
    own = sums[numpy.arange(n), labels] / numpy.maximum(1, sizes[labels] - 1)
    others = numpy.where(member > 0, numpy.inf, sums / sizes)
    other = others.min(axis=1)
    exact = numpy.where(sizes[labels] > 1, (other - own) / numpy.maximum(own, other), 0).mean()
    centers = numpy.array([points[labels == j].mean(axis=0) for j in range(count)])
    away = numpy.sqrt(squared_distances(points, centers))
    own = away[numpy.arange(n), labels]
    other = numpy.where(member > 0, numpy.inf, away).min(axis=1)
    simplified = ((other - own) / numpy.maximum(own, other)).mean()
    within = (own ** 2).sum()
    between = ((points - points.mean(axis=0)) ** 2).sum() - within
    ratio = between / (count - 1) / (within / (n - count))
    spread = numpy.array([own[labels == j].mean() for j in range(count)])
    apart = numpy.sqrt(squared_distances(centers, centers))
    numpy.fill_diagonal(apart, numpy.inf)
    overlap = ((spread[:, None] + spread[None, :]) / apart).max(axis=1).mean()
    return exact, simplified, ratio, overlap, sizes.min() / n


def values_of(invoices, date, kind):
    """R in days, F, M in pounds of all buyers at a date's midnight."""
    at = retail.midnight(date)
    bought = [c for c in retail.customers_at(invoices, at).values() if c.frequency]
    return numpy.array([[(at - c.last) / retail.DAY_MS, c.frequency, c.monetary(kind) / 10_000]
                        for c in bought])


def z_scores(values):
    logs = numpy.log1p(numpy.maximum(0, values))
    return (logs - logs.mean(axis=0)) / logs.std(axis=0)


def rand_index(a, b):
    """Adjusted (Hubert and Arabie, 1985): pairs that are together, less what chance gives."""
    table = numpy.eye(a.max() + 1)[a].T @ numpy.eye(b.max() + 1)[b]
    pairs_a, pairs_b, both = ((counts * (counts - 1) / 2).sum() for counts in
                              (table.sum(axis=1), table.sum(axis=0), table))
    chance = pairs_a * pairs_b / (len(a) * (len(a) - 1) / 2)
    return (both - chance) / ((pairs_a + pairs_b) / 2 - chance)


class Refit:
    """Two clusters of all buyers at one instant, net: warm from those before, if there are any."""

    def __init__(self, invoices, at, before, random):
        bought = {name: c for name, c in retail.customers_at(invoices, at).items() if c.frequency}
        self.customers = list(bought)
        self.logs = numpy.log1p([[(at - c.last) / retail.DAY_MS, c.frequency,
                                  max(0, c.monetary("net")) / 10_000] for c in bought.values()])
        self.deviation = self.logs.std(axis=0)
        points = self.logs / self.deviation
        _, self.labels = (lloyd(points, before.centers / self.deviation) if before
                          else fit(points, 2, random))
        self.centers = numpy.array([self.logs[self.labels == j].mean(axis=0) for j in range(2)])

    def nearest_of(self, other):
        """Where the centroids of another refit, in its scale, put these customers."""
        return squared_distances(self.logs / other.deviation,
                                 other.centers / other.deviation).argmin(axis=1)


def figures(line):
    return [float(cell) for cell in re.findall(r"-?\d+(?:\.\d+)?", line)]


class Table:
    """The printed one."""

    def __init__(self, text):
        self.text = text
        head, *parts = re.split(r"\n(?:\w) \(.*\) alone\n", text)
        self.customers, self.date = re.match(r"([\d,]+) customers on (\S+):", text).groups()
        self.counts = {int(f[0]): f[1:] for f in self.lines(head)}
        self.axes = [{int(f[0]): f[1:] for f in self.lines(part)} for part in parts]

    @staticmethod
    def lines(part):
        return [figures(line) for line in part.splitlines() if re.match(r" +\d+ +\d", line)]


class ClusterCounts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory(prefix="rfmstream-counts-")
        cls.sheet = f"{cls.directory.name}/online_retail.csv"
        retail.unpack(cls.sheet)
        cls.invoices = retail.load_invoices(cls.sheet)
        cls.net = cls.table("rfm.monetary=net")
        cls.gross = cls.table("rfm.monetary=gross", "model.refit_weekday=saturday")

    @classmethod
    def tearDownClass(cls):
        cls.directory.cleanup()

    @classmethod
    def table(cls, *settings):
        arguments = [part for setting in settings for part in ("--set", setting)]
        text = retail.command("evaluate", "clusters", "--input", cls.sheet, "--format", "csv",
                              "--until", "2011-12-10", "--k", f"{COUNTS[0]}..{COUNTS[-1]}",
                              *arguments)
        print(text)
        return Table(text)

    def test_it_is_of_all_customers_at_the_last_refit(self):
        self.assertEqual((self.net.customers, self.net.date), ("4,313", "2011-12-05"))
        self.assertEqual((self.gross.customers, self.gross.date), ("4,339", "2011-12-10"))
        self.assertEqual(list(self.net.counts), list(COUNTS))

    def test_inertia_is_the_known_one_without_an_elbow(self):
        for inertia, k in zip(INERTIAS, COUNTS):
            self.assertLess(self.net.counts[k][0] / inertia, 1.003, k)
            self.assertGreater(self.net.counts[k][0] / inertia, .997, k)
        for table in (self.net, self.gross):
            self.assertIn("Inertia: no clear elbow", table.text)
            self.assertIn("No number of clusters stands out", table.text)

    def test_figures_are_those_of_another_program(self):
        for k, (inertia, silhouette, simplified, overlap) in KNOWN.items():
            found = self.gross.counts[k]
            self.assertAlmostEqual(found[0] / inertia, 1, delta=.001, msg=k)
            self.assertAlmostEqual(found[3], silhouette, delta=.004, msg=k)
            self.assertAlmostEqual(found[4], simplified, delta=.004, msg=k)
            self.assertAlmostEqual(found[6], overlap, delta=.03, msg=k)

    def test_figures_are_those_of_the_definitions(self):
        random = numpy.random.default_rng(1)
        for table, kind in ((self.net, "net"), (self.gross, "gross")):
            points = z_scores(values_of(self.invoices, table.date, kind))
            distances = numpy.sqrt(squared_distances(points, points))
            before = points.size
            alike = 0
            for k, found in table.counts.items():
                inertia, labels = fit(points, k, random)
                exact, simplified, ratio, overlap, smallest = indices(points, labels, distances)
                print(f"{kind} k={k}: inertia {found[0]:.3f} / {inertia:.3f}")
                self.assertAlmostEqual(found[0] / inertia, 1, delta=.03, msg=k)
                self.assertAlmostEqual(found[1], 100 * (1 - found[0] / before), delta=.06)
                rate = numpy.log(before / found[0]) / numpy.log(k / (k - 1))
                self.assertAlmostEqual(found[2], rate, delta=.006)
                before = found[0]
                if abs(found[0] / inertia - 1) > 1e-5:
                    continue  # Another optimum: other clusters.
                alike += 1
                self.assertAlmostEqual(found[3], exact, delta=.0007, msg=k)
                self.assertAlmostEqual(found[4], simplified, delta=.0007, msg=k)
                self.assertAlmostEqual(found[5] / ratio, 1, delta=.001, msg=k)
                self.assertAlmostEqual(found[6], overlap, delta=.003, msg=k)
                self.assertAlmostEqual(found[7], 100 * smallest, delta=.15, msg=k)
            self.assertGreaterEqual(alike, 4)

    def test_stability_of_two_clusters_is_that_of_a_warm_chain(self):
        """With two no challenger is ever taken, so the chain is known from its first fit."""
        random = numpy.random.default_rng(2)
        by_refit, by_time, before = [], [], None
        first, last = (retail.midnight(date) for date in ("2011-02-07", self.net.date))
        for at in range(first, last + 1, 7 * retail.DAY_MS):
            now = Refit(self.invoices, at, before, random)
            if before:
                by_refit.append(rand_index(now.nearest_of(before), now.labels))
                place = {customer: i for i, customer in enumerate(now.customers)}
                both = [(i, place[c]) for i, c in enumerate(before.customers) if c in place]
                mine, theirs = numpy.array(both).T
                by_time.append(rand_index(before.labels[mine], now.labels[theirs]))
            before = now
        print(f"two clusters, {len(by_refit)} pairs of refits: {numpy.mean(by_refit):.4f}, "
              f"{numpy.mean(by_time):.4f}")
        self.assertAlmostEqual(self.net.counts[2][8], numpy.mean(by_refit), delta=.002)
        self.assertAlmostEqual(self.net.counts[2][9], numpy.mean(by_time), delta=.002)

    def test_stability_is_an_index(self):
        head = re.search(r"mean of (\d+) pairs of refits from (\S+)", self.net.text)
        pairs, first = head.groups()
        self.assertGreaterEqual(int(pairs), 40)
        self.assertEqual(first, "2011-02-07")
        for found in self.net.counts.values():
            by_refit, by_time = found[8:]
            self.assertGreater(by_refit, .5)
            self.assertLess(by_refit, 1)
            self.assertGreater(by_time, .3)
            self.assertLess(by_time, by_refit)  # Customers move too.

    def test_classes_of_an_axis_are_its_optimum(self):
        values = values_of(self.invoices, self.net.date, "net")
        for axis, (table, column) in enumerate(zip(self.net.axes, values.T)):
            total = ((column - column.mean()) ** 2).sum()
            self.assertEqual(list(table), list(COUNTS))
            for k in (2, 4, 10):
                cuts, squares = natural_cuts(column.tolist(), k)
                self.assertAlmostEqual(table[k][0], 100 * squares / total, delta=.006)
                printed = table[k][3:]
                self.assertEqual(len(printed), k - 1, (axis, k))
                for cut, expected in zip(printed, cuts):
                    rounding = .51 if expected >= 1000 else .06
                    self.assertAlmostEqual(cut, expected, delta=rounding)

    def test_no_line_is_wider_than_a_terminal_of_a_hundred_columns(self):
        self.assertLessEqual(max(map(len, self.net.text.splitlines())), 100)


if __name__ == "__main__":
    if not retail.ARCHIVE.exists():
        print(f"SKIPPED: {retail.ARCHIVE} is not there")
        sys.exit(retail.SKIPPED)
    unittest.main()
