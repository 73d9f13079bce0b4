#!/usr/bin/env python3
"""Goal: the order of the input decides nothing that it need not.

Method: random histories (reference_test.py) through replays of the binary. In any order, within the
horizons, each customer's first and last purchase, frequency and monetary value are the same. Where
only customers are interleaved otherwise, within the lateness, every transition is, to the byte.
"""

import pathlib
import random
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import reference_test as histories  # noqa: E402

VALUES = ["frequency", "monetary", "first_purchase", "last_purchase", "country"]
SEEDS = range(101, 111)


def without_erasures(events):
    """What an erasure takes away depends on where it is."""
    return [event for event in events if event["type"] != "tombstone"]


class Permutation(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.presets = histories.preset_tables()

    def runs(self):
        for seed in SEEDS:
            with tempfile.TemporaryDirectory(prefix="rfmstream-permutation-") as directory:
                yield histories.Run(directory, seed, self.presets, 120), random.Random(seed)

    def test_any_order_gives_the_same_values(self):
        customers = 0
        for run, rng in self.runs():
            # Equal instants with different countries: the later record's holds.
            events = [dict(event, country="Spain") for event in without_erasures(run.events)]
            _, rows, _ = histories.product(run.directory, run.rules, events, run.until)
            shuffled = rng.sample(events, len(events))
            _, others, _ = histories.product(run.directory, run.rules, shuffled, run.until)
            self.assertEqual(set(rows), set(others))
            for customer, row in rows.items():
                self.assertEqual([row[name] for name in VALUES],
                                 [others[customer][name] for name in VALUES],
                                 f"seed {run.seed}, {customer}")
            customers += len(rows)
        print(f"{customers} customers: values are equal in any order")
        self.assertGreater(customers, 1000)

    def test_interleaving_within_the_lateness_gives_the_same_transitions(self):
        transitions = 0
        for run, rng in self.runs():
            # In order of time; then each waits for less than the lateness, behind his own.
            events = sorted(without_erasures(run.events), key=lambda event: event["time"])
            sent, last = [], {}
            for place, event in enumerate(events):
                at = event["time"] + rng.randrange(histories.LATENESS)
                last[event["customer"]] = at = max(at, last.get(event["customer"], 0))
                sent.append((at, place, event))
            interleaved = [event for _, _, event in sorted(sent, key=lambda item: item[:2])]
            self.assertNotEqual(events, interleaved)
            made, _, log = histories.product(run.directory, run.rules, events, run.until)
            others, _, other_log = histories.product(
                run.directory, run.rules, interleaved, run.until)
            self.assertEqual(log, other_log)
            self.assertEqual(made, others, f"seed {run.seed}")
            transitions += sum(map(len, made.values()))
        print(f"{transitions} transitions: equal in any interleaving")
        self.assertGreater(transitions, 3000)


if __name__ == "__main__":
    unittest.main(verbosity=1)
